//! From a template with named parameters to what SQLite prepares. Done once for each store.

use std::borrow::Cow;
use std::fmt;

use cloakroom_store::SessionKey;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::codec::Payload;

/// A statement as SQLite wants it, with the order in which its parameters are bound.
#[derive(Debug)]
pub(crate) struct Statement {
    sql: Box<str>,
    params: Box<[Param]>,
}

impl Statement {
    /// Turns `:name` into `?1`, `?2` …: looking numbers up is cheaper than names.
    pub(crate) fn compile(template: &str) -> Self {
        let mut sql = String::with_capacity(template.len());
        let mut params: Vec<Param> = Vec::new();
        let mut rest = template;
        while let Some(at) = rest.find(':') {
            sql.push_str(&rest[..at]);
            let name = &rest[at + 1..];
            let end = name
                .find(|c: char| !c.is_ascii_lowercase() && c != '_')
                .unwrap_or(name.len());
            let param = Param::named(&name[..end]);
            let known = params.iter().position(|seen| *seen == param);
            let number = known.unwrap_or_else(|| {
                params.push(param);
                params.len() - 1
            });
            sql.push('?');
            sql.push_str(&(number + 1).to_string());
            rest = &name[end..];
        }
        sql.push_str(rest);
        Self {
            sql: sql.into(),
            params: params.into(),
        }
    }

    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The values in the order of the placeholders.
    pub(crate) fn arguments<'a>(
        &'a self,
        bindings: &'a Bindings,
    ) -> impl Iterator<Item = &'a Value> {
        self.params
            .iter()
            .map(|param| match &bindings.values[*param as usize] {
                Value::Unbound => {
                    unreachable!("{param:?} is bound by the code that runs the statement")
                }
                value => value,
            })
    }
}

macro_rules! params {
    ($($variant:ident $name:literal,)*) => {
        /// The names that templates use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Param { $(#[doc = $name] $variant,)* }

        impl Param {
            const COUNT: usize = [$($name),*].len();

            fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    _ => unreachable!("templates name known parameters only"),
                }
            }
        }
    };
}

params! {
    Key "key",
    To "to",
    Except "except",
    After "after",
    Limit "limit",
    Now "now",
    TrailEndsAt "trail_ends_at",
    CreatedAt "created_at",
    AuthenticatedAt "authenticated_at",
    RenewedAt "renewed_at",
    LastSeenAt "last_seen_at",
    EndsAt "ends_at",
    IdleTimeoutMs "idle_timeout_ms",
    ExpiresAt "expires_at",
    BrowserSession "browser_session",
    Owner "owner",
    Handle "handle",
    UserAgent "user_agent",
    Address "address",
    Codec "codec",
    Data "data",
}

/// A value on its way into the database.
pub(crate) enum Value {
    /// Not given.
    Unbound,
    /// 64 bits, or null.
    Int(Option<i64>),
    /// A key.
    Key(SessionKey),
    /// Several, in one piece. That one begins in the middle of another is as likely as two equal ones.
    Keys(Box<[u8]>),
    /// No key: what precedes all of them, and equals none.
    NoKey,
    /// A short text, or null.
    Text(Option<Box<str>>),
    /// A text known beforehand.
    Word(Cow<'static, str>),
    /// The session's data.
    Payload(Payload),
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Unbound | Self::Int(None) | Self::Text(None) => ValueRef::Null,
            Self::Int(Some(value)) => ValueRef::Integer(*value),
            Self::Key(key) => ValueRef::Blob(key.as_bytes()),
            Self::Keys(keys) => ValueRef::Blob(keys),
            Self::NoKey => ValueRef::Blob(&[]),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Word(text) => ValueRef::Text(text.as_bytes()),
            Self::Payload(Payload::Text(text)) => ValueRef::Text(text.as_bytes()),
            Self::Payload(Payload::Bytes(bytes)) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// The values of one operation, by name.
pub(crate) struct Bindings {
    values: [Value; Param::COUNT],
}

impl Bindings {
    pub(crate) fn new() -> Self {
        Self {
            values: [const { Value::Unbound }; Param::COUNT],
        }
    }

    pub(crate) fn bind(&mut self, param: Param, value: Value) -> &mut Self {
        self.values[param as usize] = value;
        self
    }

    pub(crate) fn int(&mut self, param: Param, value: impl Into<Option<i64>>) -> &mut Self {
        self.bind(param, Value::Int(value.into()))
    }

    pub(crate) fn key(&mut self, param: Param, key: &SessionKey) -> &mut Self {
        self.bind(param, Value::Key(*key))
    }

    pub(crate) fn text(&mut self, param: Param, value: Option<&str>) -> &mut Self {
        self.bind(param, Value::Text(value.map(Box::from)))
    }
}

// By hand: the values are keys, owners and data.
impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_has_one_number() {
        let statement = Statement::compile("SELECT 1 WHERE a = :key AND (b > :now OR c = :key)");
        assert_eq!(
            statement.sql(),
            "SELECT 1 WHERE a = ?1 AND (b > ?2 OR c = ?1)"
        );
        assert_eq!(*statement.params, [Param::Key, Param::Now]);
    }
}
