//! Writing the session. Which store operation fits which state is decided here.

use std::mem::swap;
use std::sync::Arc;

use cloakroom_store::{Expect, Owner, Record, SessionKey, SetOutcome, Timestamp};

use crate::event::Event;
use crate::request::Exchange;
use crate::request::state::{Live, Phase};
use crate::storage::{Asked, Loaded};
use crate::{Error, ErrorKind};

/// A live session that is being written over.
pub(super) struct Writing<'a, T> {
    /// `None` if there is none.
    answer: Option<Asked<'a, SetOutcome>>,
    data: Arc<T>,
    owner: Option<Owner>,
    seen_at: Timestamp,
    expect: Expect,
}

impl<T> Writing<'_, T> {
    pub(super) fn has_begun(&self) -> bool {
        self.answer.is_some()
    }

    fn change(&mut self, live: &mut Live<T>) {
        swap(&mut live.record.data, &mut self.data);
        live.record.owner = self.owner.take();
        live.record.times.last_seen_at = self.seen_at;
    }
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// `save` and `overwrite`, which differ in what they expect of a live session.
    pub(super) async fn write(
        &self,
        data: T,
        expect: impl FnOnce(u64) -> Expect,
    ) -> Result<(), Error> {
        let _turn = self.turn().await;
        self.read_times_by_old_id().await?;
        let mut writing = self.write_live(Arc::new(data), expect)?;
        if writing.has_begun() {
            return self.written(&mut writing).await;
        }
        let origin = self.unauthenticated();
        // What does not decode is left alone: a release that is rolled back may read it again.
        // Boxed: a save over a live session, which is more common, needs none of this.
        Box::pin(self.mint(writing.data, origin)).await
    }

    /// Begins a session, unless another verb of this request has begun one by the time that it is this one's
    /// turn: then nothing is done.
    pub(super) async fn begin<R>(&self, make: impl FnOnce() -> (T, R)) -> Result<Option<R>, Error> {
        let _turn = self.turn().await;
        if self.read_live_or_none(|_| ())?.is_some() {
            return Ok(None);
        }
        let (data, answer) = make();
        let origin = self.unauthenticated();
        self.mint(Arc::new(data), origin).await?;
        Ok(Some(answer))
    }

    /// Under an old id: reads again when the session was last seen. Its user may have used the new id since, and a write
    /// must not undo that, or the old one would be good for longer. What was read of the data stays, and its version.
    pub(super) async fn read_times_by_old_id(&self) -> Result<(), Error> {
        if self.inner().renew_ids.is_none() {
            return Ok(());
        }
        let old = |live: &Live<T>| live.by_old_id.then_some(live.key);
        let key = self.state().live().and_then(old);
        if let Some(key) = key {
            // Boxed, as this is rare: the future of a usual write stays small.
            let loaded = Box::pin(self.inner().storage.load(&key)).await?;
            if let (Loaded::Live(there), Phase::Live(live)) = (loaded, &mut self.state().phase) {
                live.record.times = there.times;
            }
        }
        Ok(())
    }

    /// Begins to write over the live session, if there was one when this request came, and it did not end it itself.
    /// The caller has the turn, so nobody else changes what is known of the session meanwhile.
    ///
    /// The record is made where the store takes it, and kept is only what changes: a record that is handed on is copied
    /// each time, and each future in which it lies has room for it.
    pub(super) fn write_live(
        &self,
        data: Arc<T>,
        expect: impl FnOnce(u64) -> Expect,
    ) -> Result<Writing<'_, T>, Error> {
        let mut writing = Writing {
            answer: None,
            data,
            owner: None,
            seen_at: Timestamp::MIN,
            expect: Expect::Present,
        };
        let inner = self.inner();
        // Without the lock: it is the application that is asked.
        let owner = match &inner.owner_of {
            Some(_) if self.state().live().is_some() => Some(self.owner_of(&writing.data)?),
            _ => None,
        };
        let state = self.state();
        let live = match &state.phase {
            Phase::Live(live) => live,
            Phase::Gone(_) => return Err(Error::new(ErrorKind::Gone)),
            _ => return Ok(writing),
        };
        let before = &live.record;
        let mut record = Record::new(Arc::clone(&writing.data), before.times);
        record.browser_session = before.browser_session;
        record.client.clone_from(&before.client);
        record.owner = owner.unwrap_or_else(|| before.owner.clone());
        if !live.by_old_id {
            // By an old id it would say that somebody uses the new one.
            record.times.last_seen_at = self.seen(&before.times);
        }
        let key = live.key;
        writing.expect = expect(before.version);
        drop(state);
        writing.owner.clone_from(&record.owner);
        writing.seen_at = record.times.last_seen_at;
        writing.answer = Some(inner.storage.set(&key, record, writing.expect));
        Ok(writing)
    }

    /// What came of it.
    pub(super) async fn written(&self, writing: &mut Writing<'_, T>) -> Result<(), Error> {
        let asked = writing.answer.take();
        let asked = asked.expect("asked only where something is written");
        let outcome = self.inner().storage.was_set(asked).await?;
        if let SetOutcome::Stored(version) = outcome {
            self.state().wrote(version, |live| writing.change(live));
            return Ok(());
        }
        let mut live = self.live()?;
        writing.change(&mut live);
        // Boxed, as this is rare: the future of a usual write stays small.
        Box::pin(self.not_written(outcome, live, writing.expect)).await
    }

    /// The store answered something else than that it stored; if the session moved, it is asked again.
    async fn not_written(
        &self,
        mut outcome: SetOutcome,
        mut live: Box<Live<T>>,
        expect: Expect,
    ) -> Result<(), Error> {
        loop {
            match outcome {
                SetOutcome::Stored(version) => {
                    self.state().wrote(version, |there| *there = *live);
                    return Ok(());
                }
                SetOutcome::Gone => match self.moved(&live.key).await? {
                    Some(key) => self.follow_to(&mut live, key).await?,
                    None => return Err(self.found_gone(&live)),
                },
                SetOutcome::Conflict(_) => {
                    self.sessions().emit(|| Event::Conflict {
                        handle: live.key.handle(),
                    });
                    return Err(Error::new(ErrorKind::Conflict));
                }
                _ => return Err(Error::new(ErrorKind::Internal)),
            }
            let storage = &self.inner().storage;
            let asked = storage.set(&live.key, live.record.clone(), expect);
            outcome = storage.was_set(asked).await?;
        }
    }

    /// The session moved while this request was at work: what it writes goes there, with the times that it has there.
    async fn follow_to(&self, live: &mut Live<T>, key: SessionKey) -> Result<(), Error> {
        live.key = key;
        live.by_old_id = true;
        if let Loaded::Live(there) = self.inner().storage.load(&key).await? {
            live.record.times = there.times;
        }
        Ok(())
    }
}
