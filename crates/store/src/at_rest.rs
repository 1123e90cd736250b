use std::borrow::Cow;
use std::sync::Arc;

use crate::{Seal, StoreError, StoreErrorKind};

/// What the tag of encrypted data ends with. Short: the longest tag, `messagepack+enc`, has to fit into 16 bytes.
const ENCRYPTED: &str = "+enc";

/// How session data lies in a store: as it was encoded, or encrypted. Default: as it was encoded.
///
/// For those who write a store that tags its data with the codec that encoded it. Encrypted data has a tag of its
/// own, `json+enc` instead of `json`, so that a store knows what it reads, and switching encryption on logs nobody
/// out.
///
/// ```
/// use cloakroom_store::{AtRest, Seal, StoreError};
///
/// /// An example without any protection.
/// #[derive(Debug)]
/// struct Backwards;
///
/// impl Seal for Backwards {
///     fn seal(&self, _codec: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
///         Ok(plain.iter().rev().copied().collect())
///     }
///
///     fn open(&self, _codec: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
///         Ok(sealed.iter().rev().copied().collect())
///     }
/// }
///
/// let at_rest = AtRest::encrypted_with(Backwards);
/// let sealed = at_rest.seal("json", b"[1]")?.expect("there is something to encrypt with");
/// assert_eq!((sealed.tag.as_str(), &sealed.data[..]), ("json+enc", &b"]1["[..]));
///
/// let (codec, plain) = at_rest.open(&sealed.tag, &sealed.data)?;
/// assert_eq!((codec, &plain[..]), ("json", &b"[1]"[..]));
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AtRest {
    seal: Option<Arc<dyn Seal>>,
    plain: Plain,
}

/// What becomes of data without encryption, where there is something to encrypt with.
#[derive(Clone, Copy, Debug, Default)]
enum Plain {
    #[default]
    Read,
    Refused,
    ReadAndWritten,
}

/// What [`AtRest::seal`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealed {
    /// The tag to store with it.
    pub tag: String,
    /// The data, encrypted.
    pub data: Vec<u8>,
}

impl AtRest {
    /// Encrypts what is written. What was written before, without encryption, is still read.
    #[must_use]
    pub fn encrypted_with(seal: impl Seal) -> Self {
        Self {
            seal: Some(Arc::new(seal)),
            plain: Plain::Read,
        }
    }

    /// Encrypts what is written, and reads nothing else: data that is not encrypted is `Undecodable`.
    #[must_use]
    pub fn only_encrypted_with(seal: impl Seal) -> Self {
        Self {
            plain: Plain::Refused,
            ..Self::encrypted_with(seal)
        }
    }

    /// Reads what is encrypted, and encrypts nothing: for the time before all who share a store have keys, and for
    /// giving encryption up.
    #[must_use]
    pub fn only_decrypted_with(seal: impl Seal) -> Self {
        Self {
            plain: Plain::ReadAndWritten,
            ..Self::encrypted_with(seal)
        }
    }

    /// Encrypts data on its way into the store. `codec` is the tag that it has as it is. `None` if it is to be
    /// stored as it is.
    ///
    /// # Errors
    /// Those of [`Seal::seal`].
    pub fn seal(&self, codec: &str, plain: &[u8]) -> Result<Option<Sealed>, StoreError> {
        match (&self.seal, self.plain) {
            (None, _) | (_, Plain::ReadAndWritten) => Ok(None),
            (Some(seal), Plain::Read | Plain::Refused) => Ok(Some(Sealed {
                data: seal.seal(codec, plain)?,
                tag: format!("{codec}{ENCRYPTED}"),
            })),
        }
    }

    /// Data as it was encoded, and the tag of what encoded it, from what a store holds.
    ///
    /// # Errors
    /// Those of [`Seal::open`]; `Undecodable` if the data is encrypted and there is nothing to decrypt with, or if
    /// it is not encrypted and has to be.
    pub fn open<'a>(
        &self,
        tag: &'a str,
        data: &'a [u8],
    ) -> Result<(&'a str, Cow<'a, [u8]>), StoreError> {
        let undecodable = |why| Err(StoreError::new(StoreErrorKind::Undecodable, why));
        match (tag.strip_suffix(ENCRYPTED), &self.seal) {
            (Some(codec), Some(seal)) => Ok((codec, Cow::Owned(seal.open(codec, data)?))),
            (Some(_), None) => undecodable(
                "the session is encrypted, and this store was given no keys: see `encrypted_with`",
            ),
            (None, _) if matches!(self.plain, Plain::Refused) => undecodable(
                "the session is not encrypted, and this store was told to read only what is",
            ),
            (None, _) => Ok((tag, Cow::Borrowed(data))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    /// Shows what it was given, and refuses what it did not make.
    #[derive(Debug)]
    struct Envelope;

    impl Seal for Envelope {
        fn seal(&self, codec: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
            Ok([codec.as_bytes(), b"|", plain].concat())
        }

        fn open(&self, codec: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
            let plain = sealed.strip_prefix([codec.as_bytes(), b"|"].concat().as_slice());
            plain
                .map(<[u8]>::to_vec)
                .ok_or_else(|| StoreError::new(StoreErrorKind::Undecodable, "not mine"))
        }
    }

    fn refused(at_rest: &AtRest, tag: &str, data: &[u8]) -> String {
        let error = at_rest.open(tag, data).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        error.source().unwrap().to_string()
    }

    #[test]
    fn what_is_encrypted_says_so_and_is_bound_to_its_codec() {
        let at_rest = AtRest::encrypted_with(Arc::new(Envelope));
        let sealed = at_rest.seal("messagepack", b"data").unwrap().unwrap();
        assert_eq!(sealed.tag, "messagepack+enc");
        assert!(sealed.tag.len() <= 16);
        assert_eq!(sealed.data, b"messagepack|data");
        let (codec, plain) = at_rest.open(&sealed.tag, &sealed.data).unwrap();
        assert_eq!((codec, &*plain), ("messagepack", &b"data"[..]));
        assert_eq!(refused(&at_rest, "json+enc", &sealed.data), "not mine");
    }

    #[test]
    fn without_keys_nothing_is_encrypted_and_what_is_stays_closed() {
        let at_rest = AtRest::default();
        assert_eq!(at_rest.seal("json", b"1").unwrap(), None);
        assert_eq!(&*at_rest.open("json", b"1").unwrap().1, b"1");
        let why = refused(&at_rest, "json+enc", b"hunter2");
        assert!(why.contains("no keys") && !why.contains("hunter2"), "{why}");
    }

    #[test]
    fn what_is_not_encrypted_is_read_unless_that_was_ruled_out() {
        let lenient = AtRest::encrypted_with(Envelope);
        assert_eq!(
            lenient.open("json", b"1").unwrap(),
            ("json", b"1"[..].into())
        );
        let strict = AtRest::only_encrypted_with(Envelope);
        assert!(refused(&strict, "json", b"1").contains("is not encrypted"));
        assert!(refused(&strict, "+encjson", b"1").contains("is not encrypted"));
        let sealed = strict.seal("json", b"1").unwrap().unwrap();
        assert_eq!(&*strict.open(&sealed.tag, &sealed.data).unwrap().1, b"1");
        let giving_up = AtRest::only_decrypted_with(Envelope);
        assert_eq!(giving_up.seal("json", b"1").unwrap(), None);
        assert_eq!(&*giving_up.open(&sealed.tag, &sealed.data).unwrap().1, b"1");
        assert_eq!(&*giving_up.open("json", b"1").unwrap().1, b"1");
    }
}
