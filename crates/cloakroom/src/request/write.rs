//! Writing the session. Which store operation fits which state is decided here.

use std::sync::Arc;

use cloakroom_store::{Expect, SessionKey, SetOutcome};

use crate::event::Event;
use crate::request::Exchange;
use crate::request::mint::Origin;
use crate::request::state::Live;
use crate::storage::Loaded;
use crate::{Error, ErrorKind};

impl<T: Send + Sync + 'static> Exchange<T> {
    /// `save` and `overwrite`, which differ in what they expect of a live session.
    pub(super) async fn write(
        &self,
        data: T,
        expect: impl FnOnce(u64) -> Expect,
    ) -> Result<(), Error> {
        let _turn = self.turn().await;
        let data = Arc::new(data);
        match self.live_or_none()? {
            Some(live) => {
                let expect = expect(live.record.version);
                self.write_live(live, data, expect).await
            }
            None => {
                let origin = self.unauthenticated();
                // What does not decode is left alone: a release that is rolled back may read it again.
                // Boxed: a save over a live session, which is more common, needs none of this.
                Box::pin(self.mint(data, origin, None)).await
            }
        }
    }

    /// Begins a session, unless another verb of this request has begun one by the time that it is this one's
    /// turn: then nothing is done.
    pub(super) async fn begin<R>(&self, make: impl FnOnce() -> (T, R)) -> Result<Option<R>, Error> {
        let _turn = self.turn().await;
        if self.live_or_none()?.is_some() {
            return Ok(None);
        }
        let (data, answer) = make();
        let origin = self.unauthenticated();
        self.mint(Arc::new(data), origin, None).await?;
        Ok(Some(answer))
    }

    pub(super) async fn resave(&self, data: T, origin: Origin) -> Result<(), Error> {
        drop(self.consult());
        let _turn = self.turn().await;
        // Before anything ends: `ResponseStarted` says that nothing was done.
        self.refuse_after_response()?;
        self.end_ambiguous().await?;
        let ending = self.state().key_to_end();
        self.mint(Arc::new(data), origin, ending).await
    }

    /// Writes over a live session. The caller has the turn.
    pub(super) async fn write_live(
        &self,
        mut live: Box<Live<T>>,
        data: Arc<T>,
        expect: Expect,
    ) -> Result<(), Error> {
        let inner = self.inner();
        if inner.owner_of.is_some() {
            live.record.owner = self.owner_of(&data)?;
        }
        live.record.data = data;
        if !live.by_old_id {
            // By an old id it would say that somebody uses the new one.
            live.record.times.last_seen_at = self.seen(&live.record.times);
        }
        loop {
            let written = inner.storage.set(&live.key, live.record.clone(), expect);
            match written.await? {
                SetOutcome::Stored(version) => {
                    live.record.version = version;
                    self.state().wrote(*live);
                    return Ok(());
                }
                // Boxed, as this is rare: the future of a usual write stays small.
                SetOutcome::Gone => match Box::pin(self.moved(&live.key)).await? {
                    Some(key) => Box::pin(self.follow_to(&mut live, key)).await?,
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
