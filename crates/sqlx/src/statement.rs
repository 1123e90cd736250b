//! From a template with named parameters to what an engine prepares. Done once for each store.

use std::sync::Arc;

use cloakroom_store::Clock;

use crate::codec::Payload;
use crate::dialect::Placeholders;

/// A statement as the engine wants it, with the order in which its parameters are bound.
#[derive(Debug)]
pub(crate) struct Statement {
    sql: Arc<str>,
    params: Vec<Param>,
    writes: bool,
    before: Option<&'static str>,
}

impl Statement {
    /// Turns `:name` into the engine's placeholder.
    pub(crate) fn compile(template: &str, placeholders: Placeholders) -> Self {
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
            match placeholders {
                Placeholders::Positional => {
                    params.push(param);
                    sql.push('?');
                }
                Placeholders::Numbered(mark) => {
                    let known = params.iter().position(|seen| *seen == param);
                    let number = known.unwrap_or_else(|| {
                        params.push(param);
                        params.len() - 1
                    });
                    sql.push(mark);
                    sql.push_str(&(number + 1).to_string());
                }
            }
            rest = &name[end..];
        }
        sql.push_str(rest);
        Self {
            sql: sql.into(),
            params,
            writes: !template.starts_with("SELECT"),
            before: None,
        }
    }

    /// With a statement that is sent before it, on the same connection.
    pub(crate) fn after(mut self, before: Option<&'static str>) -> Self {
        self.before = before;
        self
    }

    pub(crate) fn before(&self) -> Option<&'static str> {
        self.before
    }

    pub(crate) fn sql(&self) -> Arc<str> {
        Arc::clone(&self.sql)
    }

    /// Whether it may write.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// The values in the order of the placeholders. `now` is what [`Bindings::now`] says: one moment, however often
    /// a statement names it.
    pub(crate) fn arguments<'a>(
        &'a self,
        bindings: &'a Bindings,
        now: Option<&'a Value>,
    ) -> impl Iterator<Item = &'a Value> + 'a {
        self.params.iter().map(move |param| {
            let value = match (param, now) {
                (Param::Now, Some(now)) => Some(now),
                (param, _) => bindings.values[*param as usize].as_ref(),
            };
            value.expect("every parameter of a statement is bound by the code that runs it")
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
    Version "version",
    Lock "lock",
    LockTimeout "lock_timeout",
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

/// A value on its way into the database. The type is known even of a null.
#[derive(Clone, Debug)]
pub enum Value {
    /// 64 bits.
    Int(Option<i64>),
    /// A key.
    Bytes(Vec<u8>),
    /// A short text.
    Text(Option<Arc<str>>),
    /// The session's data.
    Payload(Payload),
}

impl Value {
    /// No less than it takes in a message.
    pub(crate) fn size(&self) -> usize {
        // What says how long it is.
        const LENGTH: usize = 9;
        LENGTH
            + match self {
                Self::Int(_) => size_of::<i64>(),
                Self::Bytes(bytes) => bytes.len(),
                Self::Text(text) => text.as_ref().map_or(0, |text| text.len()),
                Self::Payload(payload) => payload.as_bytes().len(),
            }
    }
}

/// The values of one operation, by name.
#[derive(Clone, Debug)]
pub(crate) struct Bindings {
    values: [Option<Value>; Param::COUNT],
    clock: Option<Arc<dyn Clock>>,
}

impl Bindings {
    pub(crate) fn new() -> Self {
        Self {
            values: [const { None }; Param::COUNT],
            clock: None,
        }
    }

    /// `now` is what this clock says when a statement is sent. A write may have waited for a connection until then,
    /// and what expired meanwhile has ended: others may have seen it.
    #[inline]
    pub(crate) fn clock(mut self, clock: &Arc<dyn Clock>) -> Self {
        self.clock = Some(Arc::clone(clock));
        self
    }

    /// What `now` is just now, unless it was bound.
    pub(crate) fn now(&self) -> Option<Value> {
        let clock = self.clock.as_ref()?;
        Some(Value::Int(Some(clock.now().as_millis())))
    }

    #[inline]
    pub(crate) fn bind(mut self, param: Param, value: Value) -> Self {
        self.values[param as usize] = Some(value);
        self
    }

    #[inline]
    pub(crate) fn int(self, param: Param, value: impl Into<Option<i64>>) -> Self {
        self.bind(param, Value::Int(value.into()))
    }

    #[inline]
    pub(crate) fn bytes(self, param: Param, value: &[u8]) -> Self {
        self.bind(param, Value::Bytes(value.to_vec()))
    }

    #[inline]
    pub(crate) fn text(self, param: Param, value: Option<&str>) -> Self {
        self.bind(param, Value::Text(value.map(Arc::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "SELECT 1 WHERE a = :key AND (b > :now OR c = :key)";

    #[test]
    fn numbered_placeholders_are_bound_once() {
        let statement = Statement::compile(TEMPLATE, Placeholders::Numbered('$'));
        assert_eq!(
            &*statement.sql(),
            "SELECT 1 WHERE a = $1 AND (b > $2 OR c = $1)"
        );
        assert_eq!(statement.params, [Param::Key, Param::Now]);
        assert!(!statement.writes());
    }

    #[test]
    fn positional_placeholders_are_bound_each_time() {
        let statement = Statement::compile(TEMPLATE, Placeholders::Positional);
        assert_eq!(
            &*statement.sql(),
            "SELECT 1 WHERE a = ? AND (b > ? OR c = ?)"
        );
        assert_eq!(statement.params, [Param::Key, Param::Now, Param::Key]);
    }
}
