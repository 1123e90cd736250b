//! What is fuzzed here, see `fuzz` in the repository. Not part of the API: only there with `--cfg fuzzing`.

use std::collections::BTreeMap;

use cloakroom_store::{AtRest, SessionKey, StoreErrorKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Codec, DbStoreSession};

/// Data of every shape, as deep as it likes.
#[derive(Debug, Serialize, Deserialize)]
enum Tree {
    Nothing,
    Yes(bool),
    Number(i64),
    Fraction(f64),
    Text(String),
    Letter(char),
    Maybe(Option<Box<Tree>>),
    List(Vec<Tree>),
    Pair(Box<(Tree, Tree)>),
    Map(BTreeMap<String, Tree>),
    Named { name: String, tags: Vec<u8> },
}

/// A row: the first byte says the codec and which columns are null, the next eight are the numbers; then texts with
/// NUL after each, and the data. It decodes or is an error of that session; what decodes can be stored and read
/// again, or is refused.
pub fn sql_record(input: &[u8]) {
    let Some((head, rest)) = input.split_first_chunk::<9>() else {
        return;
    };
    let on = |bit: u8| head[0] & (1 << bit) != 0;
    let number = i64::from_le_bytes(head[1..].try_into().expect("eight bytes"));
    let mut parts = rest.splitn(4, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let mut text = |present: bool| {
        let text = String::from_utf8_lossy(part()).into_owned();
        present.then_some(text)
    };
    let (owner, user_agent, address) = (text(on(2)), text(on(3)), text(on(4)));
    let moment = Timestamp::from_millis(number);
    let row = DbStoreSession {
        key: SessionKey::from_bytes([7; 32]),
        version: number.unsigned_abs(),
        created_at: moment,
        authenticated_at: on(5).then_some(moment),
        renewed_at: moment,
        last_seen_at: moment,
        ends_at: on(6).then_some(moment),
        idle_timeout_ms: on(7).then_some(number.unsigned_abs()),
        expires_at: on(6).then_some(moment),
        browser_session: on(5),
        owner,
        user_agent,
        address,
        codec: match (on(0), on(1)) {
            (false, _) => "json",
            (true, false) => "messagepack",
            (true, true) => "of another release",
        }
        .to_owned(),
        data: part().to_vec(),
    };
    assert!(!format!("{row:?}").contains("hunter2"));
    match row.decode::<Tree>(&AtRest::default()) {
        Ok(record) => {
            // Whether its times overflow or not.
            let _ = record.times.expires_at();
            for codec in [Codec::Json, Codec::MessagePack] {
                round_trip(&row, codec, &record.data);
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Undecodable);
            assert!(!format!("{error:?} {error}").contains("hunter2"));
        }
    }
}

fn round_trip(row: &DbStoreSession, codec: Codec, data: &Tree) {
    let plain = AtRest::default();
    match codec.encode_readable(data, 1 << 20, &plain) {
        Ok(written) => {
            let stored = DbStoreSession {
                codec: written.tag.into_owned(),
                data: written.data.as_bytes().to_vec(),
                ..row.clone()
            };
            let read = stored
                .decode::<Tree>(&plain)
                .expect("it was found to be readable");
            // By what they encode to: no number is equal to itself that is none.
            let again = codec
                .encode_readable(&*read.data, 1 << 20, &plain)
                .expect("as before");
            assert_eq!(again.data.as_bytes(), stored.data);
        }
        Err(error) => assert!(
            [StoreErrorKind::Unencodable, StoreErrorKind::TooLarge].contains(&error.kind()),
            "{error:?}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_corpus_of_sql_record() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/sql_record");
        let mut inputs = 0;
        for file in std::fs::read_dir(corpus).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            super::sql_record(&std::fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 5, "{inputs}");
    }
}
