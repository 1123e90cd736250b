//! Rows as `columns` of `sql.rs` asks for them: the key, the short columns as one text, and the data.

use std::str::FromStr;

use cloakroom_store::{SessionKey, Timestamp};
use sqlx::mysql::MySqlRow;
use sqlx::{MySql, Row};

use crate::error::DbError;
use crate::session::{DbStoreSession, key_at, malformed};

/// What stands for null.
const NULL: &str = "-";

pub(super) fn stored(row: &MySqlRow) -> Result<DbStoreSession, DbError> {
    let key = key_at::<MySql>(row, 0)?;
    let head: &[u8] = row.try_get_unchecked(1).map_err(|_| malformed())?;
    let head = str::from_utf8(head).map_err(|_| malformed())?;
    let data: Vec<u8> = row.try_get_unchecked(2).map_err(|_| malformed())?;
    read(key, head, data).ok_or_else(malformed)
}

fn read(key: SessionKey, head: &str, data: Vec<u8>) -> Option<DbStoreSession> {
    let mut words = head.split(' ');
    let mut word = || words.next();
    let session = DbStoreSession {
        key,
        version: number(word()?)?,
        created_at: moment(word()?)?,
        authenticated_at: maybe(word()?, moment)?,
        renewed_at: moment(word()?)?,
        last_seen_at: moment(word()?)?,
        ends_at: maybe(word()?, moment)?,
        idle_timeout_ms: maybe(word()?, number)?,
        expires_at: maybe(word()?, moment)?,
        browser_session: number::<i64>(word()?)? != 0,
        owner: maybe(word()?, text)?,
        user_agent: maybe(word()?, text)?,
        address: maybe(word()?, text)?,
        codec: text(word()?)?,
        data,
    };
    word().is_none().then_some(session)
}

fn number<N: FromStr>(word: &str) -> Option<N> {
    word.parse().ok()
}

fn moment(word: &str) -> Option<Timestamp> {
    number(word).map(Timestamp::from_millis)
}

fn maybe<V>(word: &str, read: impl FnOnce(&str) -> Option<V>) -> Option<Option<V>> {
    match word {
        NULL => Some(None),
        word => read(word).map(Some),
    }
}

/// UTF-8 in hexadecimal digits, since a text may have spaces.
fn text(word: &str) -> Option<String> {
    let (pairs, []) = word.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs.iter().map(|&[high, low]| {
        let byte = digit(high)? << 4 | digit(low)?;
        u8::try_from(byte).ok()
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(head: &str) -> Option<DbStoreSession> {
        read(SessionKey::from_bytes([7; 32]), head, b"data".to_vec())
    }

    #[test]
    fn every_column_is_read() {
        let row = head("3 -1 2 4 5 6 7 8 1 616461 412042 - 6A736F6E").unwrap();
        assert_eq!(row.version, 3);
        assert_eq!(row.created_at, Timestamp::from_millis(-1));
        assert_eq!(row.authenticated_at, Some(Timestamp::from_millis(2)));
        assert_eq!(row.renewed_at, Timestamp::from_millis(4));
        assert_eq!(row.last_seen_at, Timestamp::from_millis(5));
        assert_eq!(row.ends_at, Some(Timestamp::from_millis(6)));
        assert_eq!(row.idle_timeout_ms, Some(7));
        assert_eq!(row.expires_at, Some(Timestamp::from_millis(8)));
        assert!(row.browser_session);
        assert_eq!(row.owner.as_deref(), Some("ada"));
        assert_eq!(row.user_agent.as_deref(), Some("A B"));
        assert_eq!(row.address, None);
        assert_eq!(row.codec, "json");
    }

    #[test]
    fn null_is_not_empty() {
        let row = head("1 1 - 1 1 - - - 0 -  - 6A").unwrap();
        assert_eq!(row.owner, None);
        assert_eq!(row.user_agent.as_deref(), Some(""));
        assert_eq!(row.ends_at, None);
    }

    #[test]
    fn what_is_not_a_row_is_malformed() {
        for wrong in [
            "",
            "1 1 - 1 1 - - - 0 - - -",
            "1 1 - 1 1 - - - 0 - - - 6A 6A",
            "1 - - 1 1 - - - 0 - - - 6A",
            "-1 1 - 1 1 - - - 0 - - - 6A",
            "1 1 - 1 1 - -1 - 0 - - - 6A",
            "1 1 - 1 1 - - - 0 6 - - 6A",
            "1 1 - 1 1 - - - 0 6G - - 6A",
            "1 1 - 1 1 - - - 0 FF - - 6A",
        ] {
            assert!(head(wrong).is_none(), "{wrong}");
        }
    }
}
