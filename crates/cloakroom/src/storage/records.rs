use std::pin::Pin;
use std::sync::Arc;

use cloakroom_store::{
    AdmitOutcome, Clock, Expect, OwnerLimit, Record, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreErrorKind, Times, Timestamp,
};

use super::call::{Asked, Call, Waiting};
use crate::ended::Watchers;
use crate::event::{Event, Events};
use crate::{Error, ErrorKind};

pub(crate) struct Storage<T> {
    pub(crate) store: Arc<dyn Store<T>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
    pub(crate) undecodable_is_an_error: bool,
    /// How many sessions an owner may have.
    pub(crate) owner_limit: Option<OwnerLimit>,
    /// Who waits for the end of a session.
    pub(crate) watchers: Arc<Watchers>,
}

/// What is under a key.
pub(crate) enum Loaded<L> {
    Live(L),
    Nothing,
    /// Something that does not decode. It counts as absent, but it is there.
    Undecodable,
}

impl<L> Loaded<L> {
    pub(crate) fn map<M>(self, of_live: impl FnOnce(L) -> M) -> Loaded<M> {
        match self {
            Self::Live(live) => Loaded::Live(of_live(live)),
            Self::Nothing => Loaded::Nothing,
            Self::Undecodable => Loaded::Undecodable,
        }
    }
}

/// How a new session fared.
#[derive(Clone, Copy)]
pub(crate) enum Admission {
    Stored(u64),
    Exists,
    /// Its owner has too many.
    Refused,
}

impl Admission {
    /// The version under which the session is stored.
    pub(crate) fn stored(self) -> Result<u64, Error> {
        match self {
            Self::Stored(version) => Ok(version),
            Self::Refused => Err(Error::new(ErrorKind::TooManySessions)),
            // Two equal random ids, or a store that breaks its laws.
            Self::Exists => Err(Error::new(ErrorKind::Internal)),
        }
    }
}

/// A new session on its way into the store.
pub(crate) enum Beginning<'a> {
    Unlimited(Asked<'a, SetOutcome>),
    /// The same when the store has not answered at once.
    Waiting(Waiting<'a, SetOutcome>),
    /// Its owner may have only so many.
    Limited(Pin<Box<dyn Future<Output = Result<Admission, Error>> + Send + 'a>>),
}

impl<T: Send + Sync + 'static> Storage<T> {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Only to see what has expired, or is due.
    pub(crate) fn lately(&self) -> Timestamp {
        self.clock.lately()
    }

    pub(crate) async fn load(&self, key: &SessionKey) -> Result<Loaded<Record<T>>, Error> {
        self.load_and(key, |record| record).await
    }

    /// The same, and hands a live record on where it is found: on its way through two futures it would be copied five
    /// times.
    pub(crate) async fn load_and<L>(
        &self,
        key: &SessionKey,
        live: impl FnOnce(Record<T>) -> L,
    ) -> Result<Loaded<L>, Error> {
        let found = match Call::ask("get", || self.store.get(key)).into_ready() {
            Ok(found) => found,
            Err(waiting) => waiting.await,
        };
        match found {
            Ok(Some(record)) if record.times.expired_at(self.lately()) => {
                self.events.emit(|| Event::Expired {
                    handle: key.handle(),
                });
                Ok(Loaded::Nothing)
            }
            Ok(Some(record)) => Ok(Loaded::Live(live(record))),
            Ok(None) => Ok(Loaded::Nothing),
            Err(error) if error.kind() == StoreErrorKind::Undecodable => {
                let error = Error::store(error);
                self.events.emit(|| Event::Undecodable {
                    handle: key.handle(),
                    error: &error,
                });
                if self.undecodable_is_an_error {
                    Err(error)
                } else {
                    Ok(Loaded::Undecodable)
                }
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Begins to store a record, and hands it on at once: whoever waits for the [outcome](Storage::was_set) needs no room
    /// for it.
    pub(crate) fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> Asked<'_, SetOutcome> {
        Call::ask("set", || self.store.set(key, record, expect))
    }

    pub(crate) async fn was_set(&self, asked: Asked<'_, SetOutcome>) -> Result<SetOutcome, Error> {
        let answer = match asked.into_ready() {
            Ok(answer) => answer,
            Err(waiting) => waiting.await,
        };
        self.judged(answer)
    }

    /// Begins to store a new session, within the limit of its owner, and to end the one under `ending`.
    #[inline]
    pub(crate) fn begin(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<T>,
    ) -> Beginning<'_> {
        match (self.owner_limit, &record.owner, ending) {
            // Boxed, as most sign-ins have no limit: their future stays small.
            (Some(limit), Some(_), _) => {
                let admitted = self.admit(ending.copied(), *key, record, limit);
                Beginning::Limited(Box::pin(admitted))
            }
            (_, _, Some(from)) => {
                let replace = || self.store.replace(from, key, record);
                Beginning::Unlimited(Call::ask("replace", replace))
            }
            (_, _, None) => Beginning::Unlimited(self.set(key, record, Expect::Absent)),
        }
    }

    /// What came of it.
    pub(crate) async fn begun(
        &self,
        beginning: &mut Beginning<'_>,
        ending: Option<&SessionKey>,
        key: &SessionKey,
    ) -> Result<Admission, Error> {
        let admission = match beginning {
            Beginning::Limited(admitted) => admitted.await?,
            Beginning::Unlimited(call) => admission(self.judged(call.await)?)?,
            Beginning::Waiting(call) => admission(self.judged(call.await)?)?,
        };
        self.note_beginning(&admission, ending, key);
        Ok(admission)
    }

    /// The same if the store has answered already; else what is still to be waited for.
    #[inline]
    pub(crate) fn begun_already<'a>(
        &self,
        beginning: Beginning<'a>,
        ending: Option<&SessionKey>,
        key: &SessionKey,
    ) -> Result<Result<Admission, Error>, Beginning<'a>> {
        let Beginning::Unlimited(call) = beginning else {
            return Err(beginning);
        };
        let answer = call.into_ready().map_err(Beginning::Waiting)?;
        Ok(self
            .judged(answer)
            .and_then(admission)
            .inspect(|admission| {
                self.note_beginning(admission, ending, key);
            }))
    }

    fn note_beginning(&self, admission: &Admission, ending: Option<&SessionKey>, key: &SessionKey) {
        if let Admission::Stored(_) = admission {
            if let Some(from) = ending {
                self.ended(from);
            }
            self.events.emit(|| Event::Created {
                handle: key.handle(),
            });
        }
    }

    async fn admit(
        &self,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<T>,
        limit: OwnerLimit,
    ) -> Result<Admission, Error> {
        let limits = self.store.owner_limits();
        let limits = limits.expect("the configuration was refused otherwise");
        let admitted = || limits.admit(ending.as_ref(), &key, record, limit);
        match self.call("admit", admitted).await? {
            AdmitOutcome::Stored { version, ended } => {
                for key in ended {
                    self.events.emit(|| Event::Evicted {
                        handle: key.handle(),
                    });
                    self.watchers.wake(&key);
                }
                Ok(Admission::Stored(version))
            }
            AdmitOutcome::Exists => Ok(Admission::Exists),
            AdmitOutcome::Refused => {
                self.events.emit(|| Event::TooManySessions);
                Ok(Admission::Refused)
            }
            // The contract may learn new words; none of them means that it was stored.
            _ => Err(Error::new(ErrorKind::Internal)),
        }
    }

    pub(crate) async fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> Result<RotateOutcome, Error> {
        let rotated = || self.store.rotate(from, to, times);
        let outcome = self.call("rotate", rotated).await?;
        self.noted_rotation(from, to, &outcome);
        Ok(outcome)
    }

    pub(super) fn noted_rotation(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        outcome: &RotateOutcome,
    ) {
        if let RotateOutcome::Moved { .. } = outcome {
            self.events.emit(|| Event::Rotated {
                from: from.handle(),
                to: to.handle(),
            });
            self.watchers.wake(from);
        }
    }

    pub(crate) async fn touch(
        &self,
        key: &SessionKey,
        last_seen_at: Timestamp,
    ) -> Result<bool, Error> {
        let touched = || self.store.touch(key, last_seen_at);
        let live = self.call("touch", touched).await?;
        if live {
            self.events.emit(|| Event::Touched {
                handle: key.handle(),
            });
        }
        Ok(live)
    }

    pub(crate) async fn destroy(&self, key: &SessionKey) -> Result<bool, Error> {
        let live = self.call("destroy", || self.store.destroy(key)).await?;
        if live {
            self.ended(key);
        }
        Ok(live)
    }

    /// This process ended it.
    fn ended(&self, key: &SessionKey) {
        self.events.emit(|| Event::Destroyed {
            handle: key.handle(),
        });
        self.watchers.wake(key);
    }
}

fn admission(outcome: SetOutcome) -> Result<Admission, Error> {
    match outcome {
        SetOutcome::Stored(version) => Ok(Admission::Stored(version)),
        SetOutcome::Exists => Ok(Admission::Exists),
        // Law 3 leaves no other answer to `Absent`.
        _ => Err(Error::new(ErrorKind::Internal)),
    }
}
