use std::borrow::Cow;
use std::fmt;

use cloakroom_store::{AtRest, StoreError, StoreErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How session data is written into the table. Default: [`Codec::Json`].
///
/// Each row says how it was written, so a store reads rows of every codec that this build knows, whichever it
/// writes with. Changing the codec logs nobody out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON: any SQL client can read it.
    #[default]
    Json,
    /// MessagePack with field names: smaller, and structs may gain fields just as with JSON. For types that
    /// JSON cannot hold, such as maps with keys that are not text. Nested 256 levels at most; JSON 128.
    #[cfg(feature = "messagepack")]
    MessagePack,
}

/// How deep MessagePack data may be nested. JSON has a limit of 128 of its own.
#[cfg(feature = "messagepack")]
const MAX_DEPTH: usize = 256;

impl Codec {
    /// The tag of data that is not encrypted, in the `codec` column.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Json => "json",
            #[cfg(feature = "messagepack")]
            Self::MessagePack => "messagepack",
        }
    }

    fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "json" => Some(Self::Json),
            #[cfg(feature = "messagepack")]
            "messagepack" => Some(Self::MessagePack),
            _ => None,
        }
    }

    /// Encodes what can be decoded again. Some data encodes into what does not: JSON makes null of a number that
    /// is not finite, and reads no more than 128 levels. Such a session would be stored and never seen again, so
    /// it is refused; trying costs little beside a statement.
    pub(crate) fn encode_readable<T: Serialize + DeserializeOwned>(
        self,
        data: &T,
        limit: usize,
        at_rest: &AtRest,
    ) -> Result<Written, StoreError> {
        let payload = self.encode(data, limit)?;
        let read_back = match &payload {
            // As when it is read, without the question whether it is UTF-8.
            Payload::Text(json) => serde_json::from_str::<T>(json).is_ok(),
            Payload::Bytes(bytes) => decode_plain::<T>(self.tag(), bytes).is_ok(),
        };
        if !read_back {
            let message = format!("the data could not be read back from {}", self.tag());
            return Err(StoreError::new(StoreErrorKind::Unencodable, message));
        }
        Ok(match at_rest.seal(self.tag(), payload.as_bytes())? {
            Some(sealed) => Written {
                tag: sealed.tag.into(),
                data: Payload::Bytes(sealed.data),
            },
            None => Written {
                tag: self.tag().into(),
                data: payload,
            },
        })
    }

    fn encode<T: Serialize>(self, data: &T, limit: usize) -> Result<Payload, StoreError> {
        let payload = match self {
            Self::Json => serde_json::to_string(data)
                .map(Payload::Text)
                .map_err(|_| unencodable(self))?,
            #[cfg(feature = "messagepack")]
            Self::MessagePack => rmp_serde::to_vec_named(data)
                .map(Payload::Bytes)
                .map_err(|_| unencodable(self))?,
        };
        let size = payload.as_bytes().len();
        if size > limit {
            let message = format!("the encoded data is {size} bytes long, the limit is {limit}");
            return Err(StoreError::new(StoreErrorKind::TooLarge, message));
        }
        Ok(payload)
    }
}

/// Data on its way into a row.
#[derive(Debug)]
pub(crate) struct Written {
    /// How it is encoded, and whether it is encrypted.
    pub(crate) tag: Cow<'static, str>,
    pub(crate) data: Payload,
}

/// Decodes what a row holds.
pub(crate) fn decode<T: DeserializeOwned>(
    tag: &str,
    bytes: &[u8],
    at_rest: &AtRest,
) -> Result<T, StoreError> {
    let (codec, plain) = at_rest.open(tag, bytes)?;
    decode_plain(codec, &plain)
}

fn decode_plain<T: DeserializeOwned>(codec: &str, bytes: &[u8]) -> Result<T, StoreError> {
    // What the decoder has to say may quote the data, so it is left out of the error.
    match Codec::from_tag(codec) {
        Some(Codec::Json) => serde_json::from_slice(bytes).map_err(|error| {
            let message = format!(
                "the JSON data does not decode: {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            );
            StoreError::new(StoreErrorKind::Undecodable, message)
        }),
        #[cfg(feature = "messagepack")]
        Some(Codec::MessagePack) => messagepack(bytes).map_err(|_| {
            StoreError::new(
                StoreErrorKind::Undecodable,
                "the MessagePack data does not decode",
            )
        }),
        None => Err(StoreError::new(
            StoreErrorKind::Undecodable,
            "the row was written with a codec that this build does not know",
        )),
    }
}

/// Reads no more levels than a small stack has room for: the decoder's own limit, 1024, is more than a thread of
/// Tokio's takes in a debug build, and a stack that overflows ends the whole process.
#[cfg(feature = "messagepack")]
fn messagepack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, rmp_serde::decode::Error> {
    let mut decoder = rmp_serde::Deserializer::from_read_ref(bytes);
    decoder.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut decoder)
}

fn unencodable(codec: Codec) -> StoreError {
    let message = format!("the data does not encode as {}", codec.tag());
    StoreError::new(StoreErrorKind::Unencodable, message)
}

/// Encoded data. Text where it is text, so that an engine whose values carry a type shows it as such.
#[derive(Clone)]
pub enum Payload {
    /// JSON.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Payload {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.as_bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_over_the_limit_is_refused() {
        let fits = Codec::Json.encode(&"12345678", 10);
        assert_eq!(fits.unwrap().as_bytes(), b"\"12345678\"");
        let error = Codec::Json.encode(&"123456789", 10).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    }

    #[test]
    fn errors_do_not_quote_the_data() {
        let error = decode::<u32>("json", b"\"hunter2\"", &AtRest::default()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        assert!(!format!("{error:?}").contains("hunter2"));
        let error = decode::<u32>("from the future", b"1", &AtRest::default()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    }

    #[test]
    fn what_would_not_decode_is_unencodable() {
        let deep = |levels| {
            (0..levels).fold(serde_json::Value::Null, |inner, _| {
                serde_json::Value::Array(vec![inner])
            })
        };
        assert!(
            Codec::Json
                .encode_readable(&deep(100), 1_000, &AtRest::default())
                .is_ok()
        );
        let error = Codec::Json
            .encode_readable(&deep(200), 1_000, &AtRest::default())
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unencodable);
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        let number = f64::from_bits(0x7f86_00f9_0000_0000);
        let payload = Codec::Json.encode(&number, 100).unwrap();
        let back: f64 = decode("json", payload.as_bytes(), &AtRest::default()).unwrap();
        assert_eq!(back.to_bits(), number.to_bits());
    }

    #[test]
    fn what_json_cannot_hold_is_unencodable() {
        let map = std::collections::HashMap::from([((1, 2), 3)]);
        let error = Codec::Json.encode(&map, 100).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unencodable);
    }

    #[cfg(feature = "messagepack")]
    #[test]
    fn messagepack_that_is_too_deep_harms_its_session_only() {
        let mut deep = vec![0x91; 1_000];
        deep.push(0xc0);
        let error =
            decode::<serde_json::Value>("messagepack", &deep, &AtRest::default()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        let shallow = decode::<serde_json::Value>("messagepack", &deep[900..], &AtRest::default());
        assert!(shallow.is_ok());
    }

    #[cfg(feature = "messagepack")]
    #[test]
    fn each_row_is_read_with_the_codec_that_wrote_it() {
        for codec in [Codec::Json, Codec::MessagePack] {
            let payload = codec.encode(&vec![1, 2, 3], 100).unwrap();
            let back: Vec<u8> =
                decode(codec.tag(), payload.as_bytes(), &AtRest::default()).unwrap();
            assert_eq!(back, [1, 2, 3]);
        }
    }
}
