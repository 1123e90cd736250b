use serde::{Deserialize, Serialize};

use crate::history::Value;

/// One step of one request, on its way to an application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The steps of one request have one number.
    pub(crate) request: u64,
    pub(crate) verb: Verb,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Verb {
    /// The first step: the request's `Cookie` field.
    Open {
        cookie: Option<String>,
        load: bool,
    },
    Save(Written),
    Overwrite(Written),
    Update {
        writer: u64,
    },
    Resave(Written),
    Rotate,
    Destroy,
    Logout,
    List {
        owner: u32,
    },
    DestroyOwner {
        owner: u32,
    },
    DestroyOthers,
    Purge,
    /// The last step.
    Finish,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) owner: u32,
    pub(crate) writer: u64,
    pub(crate) count: u64,
}

/// What came of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) request: u64,
    pub(crate) outcome: Outcome,
    /// The session's public name now, if the request has one.
    pub(crate) handle: Option<String>,
    pub(crate) value: Option<Value>,
    /// What an update found: the writer and the count.
    pub(crate) base: Option<(u64, u64)>,
    pub(crate) listed: Vec<(String, Value)>,
    /// At the end: whether a touch was due, and whether one was made.
    pub(crate) touch: Option<bool>,
    /// At the end: the `Set-Cookie` field.
    pub(crate) set_cookie: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Done,
    Gone,
    Conflict,
    NoSession,
    Unavailable(String),
    /// What should not happen.
    Other(String),
}

impl Reply {
    pub(crate) fn new(request: u64, outcome: Outcome) -> Self {
        Self {
            request,
            outcome,
            handle: None,
            value: None,
            base: None,
            listed: Vec::new(),
            touch: None,
            set_cookie: None,
        }
    }
}
