use std::fmt;
use std::str::FromStr;

/// The name of the table that holds the sessions. Default: `cloakroom_sessions`.
///
/// It becomes part of every statement, so only names that need no quoting on any engine are let through: a
/// lower-case letter or underscore, then lower-case letters, digits and underscores, 48 bytes at most. It does not
/// end like the tables beside it: `_schema`, `_trails`, `_locks`. Words that SQL itself uses (`select`, `order`) pass
/// this check and are refused by the database.
///
/// ```
/// use cloakroom_sqlx::TableName;
///
/// let name: TableName = "shop_sessions".parse()?;
/// assert_eq!(name.as_str(), "shop_sessions");
/// assert!("sessions; drop table users".parse::<TableName>().is_err());
/// # Ok::<(), cloakroom_sqlx::InvalidTableName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName(Box<str>);

impl TableName {
    /// The longest name, in bytes. With the longest of what is put behind it, for the tables beside it, for indexes and
    /// for the channel of announcements, it has the 63 bytes that PostgreSQL allows, or fewer.
    pub const MAX_BYTES: usize = 48;

    /// What the tables beside it end in.
    const BESIDE: [&'static str; 3] = ["_schema", "_trails", "_locks"];

    /// Checks and keeps a name.
    ///
    /// # Errors
    /// [`InvalidTableName`] if it breaks the rule above.
    pub fn new(name: &str) -> Result<Self, InvalidTableName> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let first = name.bytes().next().is_some_and(letter);
        let rest = name
            .bytes()
            .all(|byte| letter(byte) || byte.is_ascii_digit());
        let beside = Self::BESIDE.iter().any(|end| name.ends_with(end));
        if !first || !rest || beside || name.len() > Self::MAX_BYTES {
            return Err(InvalidTableName);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TableName {
    fn default() -> Self {
        Self("cloakroom_sessions".into())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TableName {
    type Err = InvalidTableName;

    fn from_str(name: &str) -> Result<Self, InvalidTableName> {
        Self::new(name)
    }
}

/// The text cannot be the name of the sessions' table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTableName;

impl fmt::Display for InvalidTableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a table name is a lower-case letter or underscore, then lower-case letters, digits and underscores, {} bytes at most; it does not end in {}",
            TableName::MAX_BYTES,
            TableName::BESIDE.join(", ")
        )
    }
}

impl std::error::Error for InvalidTableName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_need_no_quoting_pass() {
        for good in ["s", "_s", "sessions_2", &"a".repeat(48)] {
            assert_eq!(TableName::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2s",
            "Sessions",
            "a-b",
            "a.b",
            "a b",
            "a\"",
            "é",
            "sessions_trails",
            &"a".repeat(49),
        ] {
            assert_eq!(TableName::new(bad), Err(InvalidTableName), "{bad:?}");
        }
    }
}
