use cloakroom_store::{StoreError, StoreErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How session data is written. Default: [`Codec::Json`].
///
/// Each session says how it was written, so a store reads sessions of every codec that this build knows,
/// whichever it writes with. Changing the codec logs nobody out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON: `redis-cli` shows it.
    #[default]
    Json,
    /// MessagePack with field names: smaller, and structs may gain fields just as with JSON. For types that
    /// JSON cannot hold, such as maps with keys that are not text.
    #[cfg(feature = "messagepack")]
    MessagePack,
}

impl Codec {
    /// The tag in the `codec` field.
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

    pub(crate) fn encode<T: Serialize>(
        self,
        data: &T,
        limit: usize,
    ) -> Result<Vec<u8>, StoreError> {
        let encoded = match self {
            Self::Json => serde_json::to_vec(data).map_err(|_| unencodable(self))?,
            #[cfg(feature = "messagepack")]
            Self::MessagePack => rmp_serde::to_vec_named(data).map_err(|_| unencodable(self))?,
        };
        let size = encoded.len();
        if size > limit {
            let message = format!("the encoded data is {size} bytes long, the limit is {limit}");
            return Err(StoreError::new(StoreErrorKind::TooLarge, message));
        }
        Ok(encoded)
    }
}

/// Decodes what a session holds.
pub(crate) fn decode<T: DeserializeOwned>(tag: &str, bytes: &[u8]) -> Result<T, StoreError> {
    // What the decoder has to say may quote the data, so it is left out of the error.
    match Codec::from_tag(tag) {
        Some(Codec::Json) => serde_json::from_slice(bytes).map_err(|error| {
            undecodable(format!(
                "the JSON data does not decode: {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ))
        }),
        #[cfg(feature = "messagepack")]
        Some(Codec::MessagePack) => rmp_serde::from_slice(bytes)
            .map_err(|_| undecodable("the MessagePack data does not decode")),
        None => Err(undecodable(
            "the session was written with a codec that this build does not know",
        )),
    }
}

fn unencodable(codec: Codec) -> StoreError {
    let message = format!("the data does not encode as {}", codec.tag());
    StoreError::new(StoreErrorKind::Unencodable, message)
}

fn undecodable(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Undecodable, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_over_the_limit_is_refused() {
        let fits = Codec::Json.encode(&"12345678", 10);
        assert_eq!(fits.unwrap(), b"\"12345678\"");
        let error = Codec::Json.encode(&"123456789", 10).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    }

    #[test]
    fn errors_do_not_quote_the_data() {
        let error = decode::<u32>("json", b"\"hunter2\"").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        assert!(!format!("{error:?}").contains("hunter2"));
        let error = decode::<u32>("from the future", b"1").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    }

    #[test]
    fn what_json_cannot_hold_is_unencodable() {
        let map = std::collections::HashMap::from([((1, 2), 3)]);
        let error = Codec::Json.encode(&map, 100).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unencodable);
    }

    #[cfg(feature = "messagepack")]
    #[test]
    fn each_session_is_read_with_the_codec_that_wrote_it() {
        for codec in [Codec::Json, Codec::MessagePack] {
            let encoded = codec.encode(&vec![1, 2, 3], 100).unwrap();
            let back: Vec<u8> = decode(codec.tag(), &encoded).unwrap();
            assert_eq!(back, [1, 2, 3]);
        }
    }
}
