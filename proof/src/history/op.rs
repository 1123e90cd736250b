use cloakroom::Handle;
use serde::{Deserialize, Serialize};

use super::{Moment, Stopwatch};

/// What is in a session: its version, and the note without the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Value {
    pub(crate) version: u64,
    pub(crate) writer: u64,
    pub(crate) count: u64,
}

/// One thing that a client asked of an application. Its number is the writer of what it wrote.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) number: u64,
    pub(crate) client: usize,
    pub(crate) app: usize,
    pub(crate) owner: u32,
    pub(crate) call: Call,
    pub(crate) answer: Answer,
    pub(crate) called: Moment,
    /// When the answer came, or when it was known that none would come.
    pub(crate) returned: Moment,
    /// The name that the session had when this was asked and the one that it had then, if its id was renewed.
    pub(crate) renewed: Option<(Handle, Handle)>,
    /// It came by an id that had been renewed: whoever uses the session has not used the new one.
    pub(crate) by_old_id: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Load(Handle),
    /// A new session.
    Begin {
        count: u64,
    },
    /// Over the version that the request has read.
    Save {
        over: Handle,
        version: u64,
        count: u64,
    },
    Overwrite {
        over: Handle,
        count: u64,
    },
    Update(Handle),
    /// Ends one session, if there is one, and begins another.
    Resave {
        ends: Option<Handle>,
        count: u64,
    },
    Rotate(Handle),
    Destroy(Handle),
    Logout(Handle),
    /// At the end of a request, if the session's use is to be noted.
    Touch(Handle),
    List,
    DestroyOwner,
    DestroyOthers(Handle),
    Purge,
    /// The application was killed, and its memory was the store.
    Vanish,
    /// Something that we saw to.
    Fault(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Found(Option<Value>),
    /// What is stored now; for an update also the writer and the count that it found.
    Stored {
        handle: Handle,
        value: Value,
        base: Option<(u64, u64)>,
    },
    /// A new session is stored, and whether the one before it ended is not known.
    Begun {
        handle: Handle,
        value: Value,
    },
    Moved(Handle),
    Gone,
    Conflict,
    Done,
    Listed(Vec<(Handle, Value)>),
    /// No answer, or that the store did not answer: it may take effect at any later time, or never.
    Unknown(String),
    /// What nothing ever should answer.
    Wrong(String),
}

impl Op {
    /// Something that we saw to, just now.
    pub(crate) fn fault(what: &str, stopwatch: &Stopwatch) -> Self {
        Self {
            number: 0,
            client: 0,
            app: 0,
            owner: 0,
            call: Call::Fault(what.to_owned()),
            answer: Answer::Done,
            called: stopwatch.now(),
            returned: stopwatch.now(),
            renewed: None,
            by_old_id: false,
        }
    }

    /// The same with other names.
    pub(crate) fn with_names(&self, name: impl Fn(Handle) -> Handle) -> Self {
        let mut op = self.clone();
        match &mut op.call {
            Call::Load(on)
            | Call::Save { over: on, .. }
            | Call::Overwrite { over: on, .. }
            | Call::Update(on)
            | Call::Resave { ends: Some(on), .. }
            | Call::Rotate(on)
            | Call::Destroy(on)
            | Call::Logout(on)
            | Call::Touch(on)
            | Call::DestroyOthers(on) => *on = name(*on),
            Call::Begin { .. }
            | Call::Resave { ends: None, .. }
            | Call::List
            | Call::DestroyOwner
            | Call::Purge
            | Call::Vanish
            | Call::Fault(_) => {}
        }
        match &mut op.answer {
            Answer::Stored { handle, .. }
            | Answer::Begun { handle, .. }
            | Answer::Moved(handle) => *handle = name(*handle),
            Answer::Listed(listed) => {
                for (handle, _) in listed {
                    *handle = name(*handle);
                }
            }
            _ => {}
        }
        op
    }

    /// Whether it changes something if it takes effect.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self.call, Call::Load(_) | Call::List | Call::Purge)
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.answer, Answer::Unknown(_))
    }
}
