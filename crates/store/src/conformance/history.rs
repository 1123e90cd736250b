//! What was asked of the store and what it answered, in order.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Law, Violation};
use crate::{Expect, RotateOutcome, SessionKey, SetOutcome, StoreError, StoreErrorKind, Timestamp};

/// One operation on a store. `called` and `returned` are ticks of one counter: an operation that returned at a
/// lower tick than another was called came before it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) client: usize,
    pub(crate) called: u64,
    pub(crate) returned: Option<u64>,
    pub(crate) call: Call,
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Get(SessionKey),
    Set(SessionKey, Expect, Option<u64>, String),
    Destroy(SessionKey),
    Touch(SessionKey, Timestamp),
    Rotate(SessionKey, SessionKey),
    Replace(SessionKey, SessionKey, String),
    /// Listings and whole-store operations, and what the suite did itself.
    Other(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The version, the number of a numbered payload, and the payload for the reader.
    Found(Option<(u64, Option<u64>, String)>),
    Set(SetOutcome),
    Was(bool),
    Rotate(RotateOutcome),
    Failed(StoreErrorKind, String),
    Other(String),
}

/// The history of one scene. Clones share it.
#[derive(Clone)]
pub(crate) struct Log {
    law: Law,
    scene: Arc<Mutex<Scene>>,
}

#[derive(Default)]
struct Scene {
    title: String,
    tick: u64,
    events: Vec<Event>,
}

/// The operation that is being waited for.
pub(crate) struct Ticket(usize);

impl Log {
    pub(crate) fn new(law: Law) -> Self {
        Self {
            law,
            scene: Arc::default(),
        }
    }

    /// Forgets what was before: a scene begins, on keys of its own.
    pub(crate) fn begin(&self, title: &str) {
        self.with(|scene| {
            *scene = Scene {
                title: title.to_owned(),
                ..Scene::default()
            };
        });
    }

    pub(crate) fn called(&self, client: usize, call: Call) -> Ticket {
        self.with(|scene| {
            scene.tick += 1;
            scene.events.push(Event {
                client,
                called: scene.tick,
                returned: None,
                call,
                answer: None,
            });
            Ticket(scene.events.len() - 1)
        })
    }

    /// A racer of an earlier scene may still be answering; its ticket means nothing here.
    pub(crate) fn returned(&self, ticket: &Ticket, answer: Answer) {
        self.with(|scene| {
            scene.tick += 1;
            let tick = scene.tick;
            if let Some(event) = scene.events.get_mut(ticket.0) {
                event.returned = Some(tick);
                event.answer = Some(answer);
            }
        });
    }

    /// Something that the suite did beside the store, such as moving the clock.
    pub(crate) fn note(&self, what: impl Into<String>) {
        let ticket = self.called(0, Call::Other(what.into()));
        self.returned(&ticket, Answer::Other("done".to_owned()));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.with(|scene| scene.events.clone())
    }

    pub(crate) fn violation(&self, what: impl Into<String>) -> Violation {
        let (title, history) = self.with(|scene| {
            let lines = scene.events.iter().map(Event::to_string).collect();
            (scene.title.clone(), lines)
        });
        Violation::new(self.law, title, what.into(), history)
    }

    fn with<R>(&self, work: impl FnOnce(&mut Scene) -> R) -> R {
        let mut scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut scene)
    }
}

/// The first digits of the session's handle: enough to tell sessions of one scene apart.
pub(crate) fn name(key: &SessionKey) -> String {
    let mut name = key.handle().to_string();
    name.truncate(8);
    name
}

/// What an error and its sources say, on one line.
pub(crate) fn tell(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            client,
            called,
            call,
            ..
        } = self;
        match self.returned {
            Some(returned) => write!(f, "[{called:>3} to {returned:>3}] "),
            None => write!(f, "[{called:>3} to  … ] "),
        }?;
        match call {
            Call::Other(what) if *client == 0 => return write!(f, "suite: {what}"),
            call => write!(f, "client {client}: {call}")?,
        }
        match &self.answer {
            Some(answer) => write!(f, " -> {answer}"),
            None => f.write_str(" -> no answer"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get(key) => write!(f, "get {}", name(key)),
            Self::Set(key, expect, _, data) => {
                write!(f, "set {} {data} expecting {expect:?}", name(key))
            }
            Self::Destroy(key) => write!(f, "destroy {}", name(key)),
            Self::Touch(key, at) => write!(f, "touch {} at {at:?}", name(key)),
            Self::Rotate(from, to) => write!(f, "rotate {} to {}", name(from), name(to)),
            Self::Replace(from, to, data) => {
                write!(f, "replace {} by {} {data}", name(from), name(to))
            }
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(Some((version, _, data))) => write!(f, "{data} in version {version}"),
            Self::Found(None) => f.write_str("None"),
            Self::Set(outcome) => write!(f, "{outcome:?}"),
            Self::Was(was) => write!(f, "{was}"),
            Self::Rotate(outcome) => write!(f, "{outcome:?}"),
            Self::Failed(kind, text) => write!(f, "error {kind:?} ({text})"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
