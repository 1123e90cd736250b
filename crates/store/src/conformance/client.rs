use std::sync::Arc;

use super::history::{Answer, Call, Log, Ticket, name, tell};
use super::payload::{describe, number};
use super::{Payload, Violation};
use crate::{
    AdmitOutcome, Entry, Enumerate, Expect, Owner, OwnerLimit, Record, Renewal, RotateOutcome,
    SessionKey, SetOutcome, Store, StoreError, StoreErrorKind, StoreFuture, Times, Timestamp,
    Trail,
};

/// Somebody who uses the store. Everything that they ask is written down.
pub(crate) struct Client<S> {
    number: usize,
    store: Arc<S>,
    log: Log,
}

/// The store answered with an error. Wherever none is expected, `?` makes it a violation.
pub(crate) struct Trouble {
    kind: StoreErrorKind,
    text: String,
    log: Log,
}

impl Trouble {
    pub(crate) fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<Trouble> for Violation {
    fn from(trouble: Trouble) -> Self {
        let Trouble { kind, text, log } = trouble;
        log.violation(format!(
            "the last operation failed with {kind:?} ({text}) and should not have"
        ))
    }
}

impl<S: Store<Payload>> Client<S> {
    pub(crate) fn new(number: usize, store: Arc<S>, log: Log) -> Self {
        Self { number, store, log }
    }

    pub(crate) async fn get(&self, key: &SessionKey) -> Result<Option<Record<Payload>>, Trouble> {
        let found = |record: &Option<Record<Payload>>| Answer::Found(record.as_ref().map(shown));
        self.ask(Call::Get(*key), |store| store.get(key), found)
            .await
    }

    pub(crate) async fn set(
        &self,
        key: &SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> Result<SetOutcome, Trouble> {
        let data = &record.data;
        let call = Call::Set(*key, expect, number(data), describe(data));
        self.ask(
            call,
            |store| store.set(key, record, expect),
            |outcome| Answer::Set(*outcome),
        )
        .await
    }

    pub(crate) async fn destroy(&self, key: &SessionKey) -> Result<bool, Trouble> {
        let call = Call::Destroy(*key);
        self.ask(call, |store| store.destroy(key), |was| Answer::Was(*was))
            .await
    }

    /// Touches as the engine does: `times` as they are after it.
    pub(crate) async fn touch(&self, key: &SessionKey, times: &Times) -> Result<bool, Trouble> {
        let seen = times.last_seen_at;
        self.ask(
            Call::Touch(*key, seen),
            |store| store.touch(key, seen),
            |was| Answer::Was(*was),
        )
        .await
    }

    pub(crate) async fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> Result<RotateOutcome, Trouble> {
        let call = Call::Rotate(*from, *to);
        self.ask(
            call,
            |store| store.rotate(from, to, times),
            |outcome| Answer::Rotate(*outcome),
        )
        .await
    }

    pub(crate) async fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<Payload>,
    ) -> Result<SetOutcome, Trouble> {
        let call = Call::Replace(*from, *to, describe(&record.data));
        self.ask(
            call,
            |store| store.replace(from, to, record),
            |outcome| Answer::Set(*outcome),
        )
        .await
    }

    pub(crate) async fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> Result<AdmitOutcome, Trouble> {
        let mut call = format!("admit {} {}", name(key), describe(&record.data));
        if let Some(ending) = ending {
            call.push_str(" ending ");
            call.push_str(&name(ending));
        }
        let OwnerLimit { max, when_reached } = limit;
        call.push_str(&format!(", at most {max}, {when_reached:?}"));
        self.ask(
            Call::Other(call),
            |store| {
                let limits = store.owner_limits();
                let limits = limits.expect("asked before: the store limits owners");
                limits.admit(ending, key, record, limit)
            },
            |outcome| Answer::Other(admitted(outcome)),
        )
        .await
    }

    pub(crate) async fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> Result<RotateOutcome, Trouble> {
        let call = format!(
            "renew {} to {}, trail until {trail_ends_at:?}",
            name(from),
            name(to)
        );
        self.ask(
            Call::Other(call),
            |store| renewal(store).renew(from, to, times, trail_ends_at),
            |outcome| Answer::Rotate(*outcome),
        )
        .await
    }

    pub(crate) async fn follow(&self, key: &SessionKey) -> Result<Option<Trail>, Trouble> {
        self.ask(
            Call::Other(format!("follow {}", name(key))),
            |store| renewal(store).follow(key),
            |trail| {
                Answer::Other(trail.map_or("None".to_owned(), |trail| {
                    format!("{} at {:?}", name(&trail.to), trail.moved_at)
                }))
            },
        )
        .await
    }

    pub(crate) async fn visit(&self) -> Result<Vec<Entry<Payload>>, Trouble> {
        let mut entries = Vec::new();
        let mut visitor = |entry| entries.push(entry);
        let ticket = self.log.called(self.number, Call::Other("visit".into()));
        let answer = listing(&*self.store).visit(&mut visitor).await;
        self.answered(&ticket, answer, |()| Answer::Other("end".into()))?;
        Ok(entries)
    }

    pub(crate) async fn all(&self) -> Result<Vec<Entry<Payload>>, Trouble> {
        let call = Call::Other("all".into());
        self.ask(call, |store| listing(store).all(), |list| listed(list))
            .await
    }

    pub(crate) async fn clear(&self) -> Result<u64, Trouble> {
        self.counting("clear", |store| listing(store).clear()).await
    }

    pub(crate) async fn count(&self) -> Result<u64, Trouble> {
        self.counting("count", |store| listing(store).count()).await
    }

    pub(crate) async fn purge_expired(&self) -> Result<u64, Trouble> {
        let purge = |store| listing::<S>(store).purge_expired();
        self.counting("purge_expired", purge).await
    }

    pub(crate) async fn list_by_owner(
        &self,
        owner: &Owner,
    ) -> Result<Vec<Entry<Payload>>, Trouble> {
        let call = Call::Other(format!("list_by_owner {:?}", owner.as_str()));
        self.ask(
            call,
            |store| listing(store).list_by_owner(owner),
            |list| listed(list),
        )
        .await
    }

    pub(crate) async fn destroy_by_owner(
        &self,
        owner: &Owner,
        except: &[SessionKey],
    ) -> Result<u64, Trouble> {
        let mut call = format!("destroy_by_owner {:?}", owner.as_str());
        for key in except {
            call.push_str(" except ");
            call.push_str(&name(key));
        }
        let destroy = |store| listing::<S>(store).destroy_by_owner(owner, except);
        self.counting(&call, destroy).await
    }

    async fn counting<'s>(
        &'s self,
        call: &str,
        operation: impl FnOnce(&'s S) -> StoreFuture<'s, u64>,
    ) -> Result<u64, Trouble> {
        let call = Call::Other(call.to_owned());
        self.ask(call, operation, |count| Answer::Other(count.to_string()))
            .await
    }

    /// The store is called after that is written down: one in memory acts at the call, not when it is awaited.
    async fn ask<'s, R>(
        &'s self,
        call: Call,
        operation: impl FnOnce(&'s S) -> StoreFuture<'s, R>,
        show: impl FnOnce(&R) -> Answer,
    ) -> Result<R, Trouble> {
        let ticket = self.log.called(self.number, call);
        let answer = operation(&self.store).await;
        self.answered(&ticket, answer, show)
    }

    fn answered<R>(
        &self,
        ticket: &Ticket,
        answer: Result<R, StoreError>,
        show: impl FnOnce(&R) -> Answer,
    ) -> Result<R, Trouble> {
        match answer {
            Ok(answer) => {
                self.log.returned(ticket, show(&answer));
                Ok(answer)
            }
            Err(error) => {
                let (kind, text) = (error.kind(), tell(&error));
                let failed = Answer::Failed(kind, text.clone());
                self.log.returned(ticket, failed);
                let log = self.log.clone();
                Err(Trouble { kind, text, log })
            }
        }
    }
}

fn listing<S: Store<Payload>>(store: &S) -> &dyn Enumerate<Payload> {
    store
        .enumerate()
        .expect("asked before: the store enumerates")
}

fn renewal<S: Store<Payload>>(store: &S) -> &dyn Renewal {
    store.renewal().expect("asked before: the store renews")
}

fn admitted(outcome: &AdmitOutcome) -> String {
    match outcome {
        AdmitOutcome::Stored { version, ended } => {
            let ended: Vec<String> = ended.iter().map(name).collect();
            format!("Stored({version}), ended [{}]", ended.join(", "))
        }
        outcome => format!("{outcome:?}"),
    }
}

fn shown(record: &Record<Payload>) -> (u64, Option<u64>, String) {
    let data = &record.data;
    (record.version, number(data), describe(data))
}

fn listed(entries: &[Entry<Payload>]) -> Answer {
    let names: Vec<String> = entries.iter().map(|entry| name(&entry.key)).collect();
    Answer::Other(format!("[{}]", names.join(", ")))
}
