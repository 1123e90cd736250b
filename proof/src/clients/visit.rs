use cloakroom::Handle;

use crate::Ids;
use crate::app::{Link, Lost, Outcome, Reply, Verb};
use crate::history::{Answer, Call, Op, Stopwatch, Value};

/// One request under way, as its client sees it.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) stopwatch: &'a Stopwatch,
    pub(crate) link: &'a Link,
    pub(crate) app: usize,
    pub(crate) client: usize,
    pub(crate) owner: u32,
    pub(crate) request: u64,
    /// The session of this request, as far as its client knows.
    pub(crate) handle: Option<Handle>,
    pub(crate) value: Option<Value>,
    pub(crate) ids: Ids,
    pub(crate) by_old_id: bool,
    pub(crate) ops: &'a mut Vec<Op>,
}

/// How a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Fine,
    /// The session ended while the request worked.
    Gone,
    /// Nothing is known of the session any more; the response is all that is left.
    Trouble,
    /// The application is no more.
    Dead,
}

impl Visit<'_> {
    /// Asks for one thing, and notes what was asked and what came back.
    pub(crate) async fn ask(&mut self, number: u64, call: Call, verb: Verb) -> Next {
        let called = self.stopwatch.now();
        let reply = self.link.ask(self.request, verb).await;
        let returned = self.stopwatch.now();
        let before = self.handle;
        let mut renewed = None;
        let (answer, next) = match &reply {
            Err(lost) => (unanswered(*lost), Next::Dead),
            Ok(reply) => {
                let next = self.learn(reply);
                if keeps_its_session(&call) {
                    renewed = self.renewed(before);
                }
                let before = renewed.map(|(_, now)| now).or(before);
                (self.answer(&call, before, reply), next)
            }
        };
        match &answer {
            _ if renewed.is_some() => self.by_old_id = true,
            Answer::Stored { .. } if keeps_its_session(&call) => {}
            Answer::Stored { .. } | Answer::Begun { .. } | Answer::Moved(_) => {
                self.by_old_id = false;
            }
            _ => {}
        }
        let unknown = matches!(answer, Answer::Unknown(_)) && self.ids == Ids::Renewed;
        self.ops.push(Op {
            number,
            client: self.client,
            app: self.app,
            owner: self.owner,
            call,
            answer,
            called,
            returned,
            renewed,
            // It may have found that the id was renewed, and nobody was told.
            by_old_id: self.by_old_id || unknown,
        });
        next
    }

    /// The names before and now, if they differ and ids are renewed.
    pub(crate) fn renewed(&self, before: Option<Handle>) -> Option<(Handle, Handle)> {
        let names = before.zip(self.handle);
        names.filter(|(before, now)| self.ids == Ids::Renewed && before != now)
    }

    fn learn(&mut self, reply: &Reply) -> Next {
        let next = match &reply.outcome {
            Outcome::Done | Outcome::Conflict => Next::Fine,
            Outcome::Gone | Outcome::NoSession => Next::Gone,
            Outcome::Unavailable(_) | Outcome::Other(_) => Next::Trouble,
        };
        self.handle = handle(reply);
        self.value = reply.value;
        next
    }

    /// What the reply says of what was asked. `before` is the session that it was asked of.
    fn answer(&self, call: &Call, before: Option<Handle>, reply: &Reply) -> Answer {
        let wrong = |what: &str| Answer::Wrong(format!("{what}: {reply:?}"));
        // A rotation that took effect but could not read what another request wrote meanwhile.
        if let (Call::Rotate(_), Some(now)) = (call, self.handle)
            && before != Some(now)
        {
            return Answer::Moved(now);
        }
        match (&reply.outcome, call) {
            // Where ids are renewed, ending the session before takes more than the step that begins this one.
            (Outcome::Unavailable(_), Call::Resave { .. })
                if self.handle.is_some() && self.handle != before && self.value.is_some() =>
            {
                match self.handle.zip(self.value) {
                    Some((handle, value)) => Answer::Begun { handle, value },
                    None => wrong("a session without a name"),
                }
            }
            (Outcome::Unavailable(why), _) => Answer::Unknown(why.clone()),
            (Outcome::Other(_), _) => wrong("an error that nothing explains"),
            (Outcome::NoSession, _) => wrong("the application has lost the session"),
            (Outcome::Conflict, Call::Save { .. }) => Answer::Conflict,
            // Others were faster 64 times: nothing was written.
            (Outcome::Conflict, Call::Update(_)) => Answer::Conflict,
            (Outcome::Conflict, _) => wrong("a conflict where there is none"),
            (
                Outcome::Gone,
                Call::Save { .. } | Call::Overwrite { .. } | Call::Update(_) | Call::Rotate(_),
            ) => Answer::Gone,
            (Outcome::Gone, Call::DestroyOthers(_)) => Answer::Gone,
            (Outcome::Gone, _) => wrong("Gone where that means nothing"),
            (Outcome::Done, Call::Load(cookie)) => match (self.handle, self.value) {
                (Some(found), Some(value)) if Some(found) == before.or(Some(*cookie)) => {
                    Answer::Found(Some(value))
                }
                (None, None) => Answer::Found(None),
                _ => wrong("another session than the cookie's"),
            },
            (
                Outcome::Done,
                Call::Begin { .. }
                | Call::Resave { .. }
                | Call::Save { .. }
                | Call::Overwrite { .. }
                | Call::Update(_),
            ) => {
                let is_new = matches!(call, Call::Begin { .. } | Call::Resave { .. });
                match (self.handle, self.value) {
                    (Some(handle), Some(value)) if (Some(handle) != before) == is_new => {
                        Answer::Stored {
                            handle,
                            value,
                            base: reply.base,
                        }
                    }
                    _ => wrong("stored under an id that does not fit"),
                }
            }
            (Outcome::Done, Call::Rotate(_)) => wrong("no new id"),
            (Outcome::Done, Call::List) => {
                let listed = reply.listed.iter();
                let listed = listed.map(|(handle, value)| Some((handle.parse().ok()?, *value)));
                match listed.collect() {
                    Some(listed) => Answer::Listed(listed),
                    None => wrong("names that are none"),
                }
            }
            (Outcome::Done, Call::Touch(_)) => match reply.touch {
                Some(true) => Answer::Done,
                _ => Answer::Unknown("the touch failed, or found nothing".to_owned()),
            },
            (Outcome::Done, _) => Answer::Done,
        }
    }
}

/// Whether the session has another name afterwards only if its id was renewed.
fn keeps_its_session(call: &Call) -> bool {
    matches!(
        call,
        Call::Load(_) | Call::Save { .. } | Call::Overwrite { .. } | Call::Update(_)
    )
}

pub(crate) fn handle(reply: &Reply) -> Option<Handle> {
    reply.handle.as_ref()?.parse().ok()
}

fn unanswered(lost: Lost) -> Answer {
    match lost {
        Lost::Killed => Answer::Unknown("the application was killed".to_owned()),
        Lost::Silent => Answer::Wrong("no answer within a minute".to_owned()),
    }
}
