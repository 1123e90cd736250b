use std::sync::Arc;

use super::history::{Answer, Call, Log, name, tell};
use super::payload::{describe, number};
use super::{Payload, Violation};
use crate::{
    Entry, Enumerate, Expect, Owner, Record, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreErrorKind, StoreFuture, Times,
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
        self.ask(Call::Get(*key), self.store().get(key), found)
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
        let answer = self.store().set(key, record, expect);
        self.ask(call, answer, |outcome| Answer::Set(*outcome))
            .await
    }

    pub(crate) async fn destroy(&self, key: &SessionKey) -> Result<bool, Trouble> {
        let answer = self.store().destroy(key);
        self.ask(Call::Destroy(*key), answer, |was| Answer::Was(*was))
            .await
    }

    /// Touches as the engine does: `times` as they are after it.
    pub(crate) async fn touch(&self, key: &SessionKey, times: &Times) -> Result<bool, Trouble> {
        let seen = times.last_seen_at;
        let answer = self.store().touch(key, seen, times.expires_at());
        self.ask(Call::Touch(*key, seen), answer, |was| Answer::Was(*was))
            .await
    }

    pub(crate) async fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> Result<RotateOutcome, Trouble> {
        let answer = self.store().rotate(from, to, times);
        self.ask(Call::Rotate(*from, *to), answer, |outcome| {
            Answer::Rotate(*outcome)
        })
        .await
    }

    pub(crate) async fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<Payload>,
    ) -> Result<SetOutcome, Trouble> {
        let call = Call::Replace(*from, *to, describe(&record.data));
        let answer = self.store().replace(from, to, record);
        self.ask(call, answer, |outcome| Answer::Set(*outcome))
            .await
    }

    pub(crate) async fn visit(&self) -> Result<Vec<Entry<Payload>>, Trouble> {
        let mut entries = Vec::new();
        let mut visitor = |entry| entries.push(entry);
        let answer = self.listing().visit(&mut visitor);
        self.ask(Call::Other("visit".into()), answer, |()| {
            Answer::Other("end".into())
        })
        .await?;
        Ok(entries)
    }

    pub(crate) async fn all(&self) -> Result<Vec<Entry<Payload>>, Trouble> {
        let answer = self.listing().all();
        self.ask(Call::Other("all".into()), answer, listed).await
    }

    pub(crate) async fn clear(&self) -> Result<u64, Trouble> {
        self.number("clear", self.listing().clear()).await
    }

    pub(crate) async fn count(&self) -> Result<u64, Trouble> {
        self.number("count", self.listing().count()).await
    }

    pub(crate) async fn purge_expired(&self) -> Result<u64, Trouble> {
        self.number("purge_expired", self.listing().purge_expired())
            .await
    }

    pub(crate) async fn list_by_owner(
        &self,
        owner: &Owner,
    ) -> Result<Vec<Entry<Payload>>, Trouble> {
        let call = Call::Other(format!("list_by_owner {:?}", owner.as_str()));
        let answer = self.listing().list_by_owner(owner);
        self.ask(call, answer, listed).await
    }

    pub(crate) async fn destroy_by_owner(
        &self,
        owner: &Owner,
        except: Option<&SessionKey>,
    ) -> Result<u64, Trouble> {
        let mut call = format!("destroy_by_owner {:?}", owner.as_str());
        if let Some(key) = except {
            call.push_str(" except ");
            call.push_str(&name(key));
        }
        let answer = self.listing().destroy_by_owner(owner, except);
        self.number(&call, answer).await
    }

    /// The store itself, not the implementation for `Arc`.
    fn store(&self) -> &S {
        &self.store
    }

    fn listing(&self) -> &dyn Enumerate<Payload> {
        self.store()
            .enumerate()
            .expect("asked before: the store enumerates")
    }

    async fn number(&self, call: &str, answer: StoreFuture<'_, u64>) -> Result<u64, Trouble> {
        self.ask(Call::Other(call.to_owned()), answer, |count| {
            Answer::Other(count.to_string())
        })
        .await
    }

    async fn ask<R>(
        &self,
        call: Call,
        answer: StoreFuture<'_, R>,
        show: impl FnOnce(&R) -> Answer,
    ) -> Result<R, Trouble> {
        let ticket = self.log.called(self.number, call);
        match answer.await {
            Ok(answer) => {
                self.log.returned(&ticket, show(&answer));
                Ok(answer)
            }
            Err(error) => {
                let (kind, text) = (error.kind(), tell(&error));
                let failed = Answer::Failed(kind, text.clone());
                self.log.returned(&ticket, failed);
                let log = self.log.clone();
                Err(Trouble { kind, text, log })
            }
        }
    }
}

fn shown(record: &Record<Payload>) -> (u64, Option<u64>, String) {
    let data = &record.data;
    (record.version, number(data), describe(data))
}

fn listed(entries: &Vec<Entry<Payload>>) -> Answer {
    let names: Vec<String> = entries.iter().map(|entry| name(&entry.key)).collect();
    Answer::Other(format!("[{}]", names.join(", ")))
}
