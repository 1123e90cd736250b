use std::fmt;

use cloakroom::Handle;

use super::{Answer, Call, Op, Value};

/// The first digits: enough to tell the sessions of one history apart.
pub(crate) fn short(handle: &Handle) -> String {
    let mut text = handle.to_string();
    text.truncate(8);
    text
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            client,
            app,
            call,
            answer,
            called,
            returned,
            ..
        } = self;
        let known = if self.is_unknown() {
            "…".to_owned()
        } else {
            returned.tick.to_string()
        };
        if let Call::Fault(what) = call {
            let tick = called.tick;
            return write!(f, "[{tick:>8} to {known:>8}] FAULT: {what}");
        }
        write!(
            f,
            "[{:>8} to {known:>8}] client {client:>2}, application {app}: #{number} {call} -> {answer}",
            called.tick
        )
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            writer,
            count,
        } = self;
        write!(f, "version {version}, count {count}, written by #{writer}")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(on) => write!(f, "load {}", short(on)),
            Self::Begin { count } => write!(f, "save count {count} as a new session"),
            Self::Save {
                over,
                version,
                count,
            } => write!(
                f,
                "save {} count {count} over version {version}",
                short(over)
            ),
            Self::Overwrite { over, count } => write!(f, "overwrite {} count {count}", short(over)),
            Self::Update(on) => write!(f, "update {}", short(on)),
            Self::Resave {
                ends: Some(ends),
                count,
            } => write!(f, "resave {} count {count}", short(ends)),
            Self::Resave { ends: None, count } => write!(f, "resave count {count}"),
            Self::Rotate(on) => write!(f, "rotate {}", short(on)),
            Self::Destroy(on) => write!(f, "destroy {}", short(on)),
            Self::Logout(on) => write!(f, "logout {}", short(on)),
            Self::Touch(on) => write!(f, "touch {}", short(on)),
            Self::List => f.write_str("list the owner's sessions"),
            Self::DestroyOwner => f.write_str("destroy the owner's sessions"),
            Self::DestroyOthers(on) => write!(f, "destroy the owner's sessions but {}", short(on)),
            Self::Purge => f.write_str("purge"),
            Self::Fault(what) => f.write_str(what),
            Self::Vanish => f.write_str("the application was killed, and the store with it"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(Some(value)) => write!(f, "{value}"),
            Self::Found(None) => f.write_str("no such session"),
            Self::Stored {
                handle,
                value,
                base: Some((writer, count)),
            } => write!(
                f,
                "{} has {value}; found count {count} by #{writer}",
                short(handle)
            ),
            Self::Stored { handle, value, .. } => write!(f, "{} has {value}", short(handle)),
            Self::Begun { handle, value } => write!(
                f,
                "{} has {value}; unknown whether the other one ended",
                short(handle)
            ),
            Self::Moved(to) => write!(f, "it is {} now", short(to)),
            Self::Gone => f.write_str("Gone"),
            Self::Conflict => f.write_str("Conflict"),
            Self::Done => f.write_str("done"),
            Self::Listed(found) => {
                write!(f, "{} sessions", found.len())?;
                for (handle, value) in found {
                    write!(f, "; {} has {value}", short(handle))?;
                }
                Ok(())
            }
            Self::Unknown(why) => write!(f, "unknown ({why})"),
            Self::Wrong(what) => write!(f, "WRONG: {what}"),
        }
    }
}
