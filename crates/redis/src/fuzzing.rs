//! What is fuzzed here, see `fuzz` in the repository. Not part of the API: only there with `--cfg fuzzing`.

use std::collections::BTreeMap;

use cloakroom_store::{AtRest, Record, SessionKey, StoreErrorKind};
use serde::{Deserialize, Serialize};

use crate::session::Draft;
use crate::{Codec, RedisStoreSession, reply};

/// Data of every shape, as deep as it likes.
#[derive(Debug, Serialize, Deserialize)]
enum Tree {
    Nothing,
    Number(i64),
    Fraction(f64),
    Text(String),
    Letter(char),
    Maybe(Option<Box<Tree>>),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
}

const KEY: SessionKey = SessionKey::from_bytes([7; 32]);

/// A session as it is stored. It decodes or is an error of that session; what decodes can be stored and read again,
/// or is refused.
pub fn redis_record(input: &[u8]) {
    // Numbers in a server's answers.
    let _ = reply::parse(input);
    let session = match RedisStoreSession::from_stored(KEY, input.to_vec()) {
        Ok(session) => session,
        Err(error) => {
            assert!(!format!("{error:?} {error}").contains("hunter2"));
            return;
        }
    };
    // The codec's name is shown, whatever it is.
    assert!(session.codec.contains("hunter2") || !format!("{session:?}").contains("hunter2"));
    match session.decode::<Tree>(&AtRest::default()) {
        Ok(record) => {
            for codec in [Codec::Json, Codec::MessagePack] {
                round_trip(&record, codec);
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Undecodable);
            assert!(!format!("{error:?} {error}").contains("hunter2"));
        }
    }
}

fn round_trip(record: &Record<Tree>, codec: Codec) {
    let draft = match Draft::of(record, codec, 1 << 20, &AtRest::default()) {
        Ok(draft) => draft,
        Err(error) => {
            let kinds = [StoreErrorKind::Unencodable, StoreErrorKind::TooLarge];
            assert!(kinds.contains(&error.kind()), "{error:?}");
            return;
        }
    };
    let _ = (draft.expires_at(), draft.bound());
    let read = RedisStoreSession::from_stored(KEY, draft.written().to_vec())
        .expect("it was written here")
        .decode::<Tree>(&AtRest::default())
        .expect("it was found to be readable");
    assert_eq!(read.owner, record.owner);
    assert_eq!(read.client, record.client);
    assert_eq!(read.browser_session, record.browser_session);
    let again = Draft::of(&read, codec, 1 << 20, &AtRest::default()).expect("as before");
    // By what they encode to: no number is equal to itself that is none.
    assert_eq!(again.written(), draft.written());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_corpus_of_redis_record() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/redis_record");
        let mut inputs = 0;
        for file in std::fs::read_dir(corpus).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            super::redis_record(&std::fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 5, "{inputs}");
    }
}
