use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloakroom::{
    CurrentSession, Error, ErrorKind, Event, LazySession, Owner, RenewIds, Secret, Sessions, Store,
};

use super::wire::{Outcome, Reply, Request, Verb, Written};
use super::{IDLE_TIMEOUT, Ids};
use crate::Note;
use crate::history::Value;

/// Every application of one run has the same: cookies outlive whoever is killed.
const SECRET: &[u8; 32] = b"proof: the same in all processes";

tokio::task_local! {
    /// Set by the events of a touch and of a store that failed, in the task that was told so.
    static TOUCHED: Cell<bool>;
    static FAILED: Cell<bool>;
}

/// An application, in this process.
#[derive(Debug)]
pub(crate) struct Application {
    sessions: Sessions<Note>,
    open: Mutex<HashMap<u64, Visit>>,
}

/// A request that is being handled.
#[derive(Clone, Debug)]
struct Visit {
    lazy: LazySession<Note>,
    loaded: Option<CurrentSession<Note>>,
}

impl Application {
    /// `renewal`: after how long an id is renewed, if ids are.
    pub(crate) fn new(
        store: Arc<dyn Store<Note>>,
        ids: Ids,
        renewal: Duration,
    ) -> Result<Self, Error> {
        // No request comes so late that it would pass for a thief's.
        let hour = Duration::from_secs(3_600);
        let renewal = RenewIds::every(renewal).grace(hour).remember(hour);
        let builder = Sessions::builder(store, Secret::from_bytes(SECRET)?);
        let builder = match ids {
            Ids::Kept => builder,
            Ids::Renewed => builder.renew_ids(renewal),
        };
        let sessions = builder
            .idle_timeout(IDLE_TIMEOUT)
            .owned_by(|note: &Note| u64::from(note.owner))
            // A touch outside of a step is nobody's.
            .on_event(|event| match event {
                Event::Touched { .. } => {
                    let _ = TOUCHED.try_with(|touched| touched.set(true));
                }
                Event::StoreFailed { .. } => {
                    let _ = FAILED.try_with(|failed| failed.set(true));
                }
                _ => {}
            })
            .build()?;
        Ok(Self {
            sessions,
            open: Mutex::default(),
        })
    }

    pub(crate) async fn answer(&self, request: Request) -> Reply {
        let Request {
            request: number,
            verb,
        } = request;
        let mut reply = Reply::new(number, Outcome::Done);
        let visit = match verb {
            Verb::Open { ref cookie, .. } => {
                let lazy = self.sessions.for_request(Vec::from_iter(cookie.clone()));
                let visit = Visit { lazy, loaded: None };
                self.open(|open| open.insert(number, visit.clone()));
                visit
            }
            _ => match self.open(|open| open.get(&number).cloned()) {
                Some(visit) => visit,
                None => {
                    let why = "no such request: it is another process";
                    return Reply::new(number, Outcome::Unavailable(why.to_owned()));
                }
            },
        };
        reply.outcome = match self.step(number, &visit, verb, &mut reply).await {
            Ok(()) => Outcome::Done,
            Err(error) => outcome(&error),
        };
        let loaded = self.open(|open| open.get(&number)?.loaded.clone());
        if let Some(session) = loaded {
            reply.handle = session.handle().map(|handle| handle.to_string());
            reply.value = session
                .record()
                .map(|record| value(record.version, &record.data));
        }
        reply
    }

    async fn step(
        &self,
        number: u64,
        visit: &Visit,
        verb: Verb,
        reply: &mut Reply,
    ) -> Result<(), Error> {
        match verb {
            Verb::Open { load: false, .. } => Ok(()),
            Verb::Open { load: true, .. } => self.load(number, visit).await.map(drop),
            Verb::Save(written) => self.load(number, visit).await?.save(note(written)).await,
            Verb::Overwrite(written) => {
                let session = self.load(number, visit).await?;
                session.overwrite(note(written)).await
            }
            Verb::Update { writer } => {
                let session = self.load(number, visit).await?;
                let change = |note: &mut Note| {
                    let base = (note.writer, note.count);
                    note.writer = writer;
                    note.count += 1;
                    base
                };
                reply.base = Some(session.update(change).await?);
                Ok(())
            }
            Verb::Resave(written) => {
                visit.lazy.resave(note(written)).await?;
                // Asks no store: the session is there.
                self.load(number, visit).await.map(drop)
            }
            Verb::Rotate => self.load(number, visit).await?.rotate().await,
            Verb::Destroy => visit.lazy.destroy().await,
            Verb::Logout => visit.lazy.logout().await,
            Verb::List { owner } => {
                let entries = self.sessions.list_by_owner(&name(owner)).await?;
                let listed = entries.iter().map(|entry| {
                    let found = value(entry.record().version, entry.data());
                    (entry.handle().to_string(), found)
                });
                reply.listed = listed.collect();
                Ok(())
            }
            Verb::DestroyOwner { owner } => {
                let ended = self.sessions.destroy_by_owner(&name(owner)).await;
                ended.map(drop)
            }
            Verb::DestroyOthers => {
                let session = self.load(number, visit).await?;
                session.destroy_others().await.map(drop)
            }
            Verb::Purge => self.sessions.purge_expired().await.map(drop),
            Verb::Finish => {
                let due = visit.lazy.touch_due();
                let finish = async {
                    let effect = visit.lazy.finish().await;
                    (effect, TOUCHED.with(Cell::get), FAILED.with(Cell::get))
                };
                let finish = TOUCHED.scope(Cell::new(false), finish);
                let (effect, touched, failed) = FAILED.scope(Cell::new(false), finish).await;
                // What was due and neither done nor failed was found to be done, or to be gone.
                reply.touch = (due && (touched || failed)).then_some(touched);
                reply.set_cookie = effect.set_cookie().map(str::to_owned);
                // The cookie is that of the session as it is now.
                let handle = visit.loaded.as_ref().and_then(CurrentSession::handle);
                reply.handle = handle.map(|handle| handle.to_string());
                self.open(|open| open.remove(&number));
                Ok(())
            }
        }
    }

    async fn load(&self, number: u64, visit: &Visit) -> Result<CurrentSession<Note>, Error> {
        let session = visit.lazy.load().await?;
        self.open(|open| {
            if let Some(visit) = open.get_mut(&number) {
                visit.loaded = Some(session.clone());
            }
        });
        Ok(session)
    }

    fn open<R>(&self, work: impl FnOnce(&mut HashMap<u64, Visit>) -> R) -> R {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut open)
    }
}

fn note(written: Written) -> Note {
    Note {
        owner: written.owner,
        writer: written.writer,
        count: written.count,
    }
}

fn value(version: u64, note: &Note) -> Value {
    Value {
        version,
        writer: note.writer,
        count: note.count,
    }
}

fn name(owner: u32) -> Owner {
    Owner::new(owner.to_string()).expect("a number is a name")
}

fn outcome(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::Gone => Outcome::Gone,
        ErrorKind::Conflict => Outcome::Conflict,
        ErrorKind::NoSession => Outcome::NoSession,
        ErrorKind::Unavailable => Outcome::Unavailable(causes(error)),
        _ => Outcome::Other(causes(error)),
    }
}

fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
