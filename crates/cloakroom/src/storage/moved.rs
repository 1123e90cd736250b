//! Sessions whose ids were renewed, found by their old keys.

use std::time::Duration;

use cloakroom_store::{Record, Renewal, RotateOutcome, SessionKey, Times, Timestamp, Trail};

use super::{Loaded, Storage};
use crate::renew_ids::is_unconfirmed;
use crate::successors::{Chain, SuccessorKeys};
use crate::{Error, ErrorKind, RenewIds, SessionId};

/// A session that is not where it was.
pub(crate) struct Moved<T> {
    /// Where it is.
    pub(crate) key: SessionKey,
    pub(crate) record: Record<T>,
    /// When it left the key that was asked for.
    pub(crate) left_at: Timestamp,
    /// It moved once only.
    pub(crate) is_next: bool,
}

impl<T> Moved<T> {
    /// Nobody has used the next id, so nobody else has it: the response that carried it was lost.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.is_next && is_unconfirmed(&self.record.times)
    }

    /// Whether the key that was asked for still finds it.
    pub(crate) fn is_good(&self, renewal: RenewIds, now: Timestamp) -> bool {
        self.is_unconfirmed() || renewal.in_grace(self.left_at, now)
    }
}

/// Where a session is looked for that is not there any more.
pub(crate) enum Left<'a> {
    /// The key is all that is known: the trails are followed one by one.
    Key(SessionKey),
    /// From the id follow all that the session had after it.
    Id(SessionId, &'a SuccessorKeys),
}

impl Left<'_> {
    pub(crate) fn key(&self) -> SessionKey {
        match self {
            Self::Key(key) => *key,
            Self::Id(id, _) => id.key(),
        }
    }
}

/// How often the next trail is looked for. Nobody renews an id so often while one request is in flight, and where ids
/// are known one look finds the last of many trails.
const MAX_STEPS: usize = 64;

/// How far ahead one look goes: as many ids are computed at once, which takes two milliseconds.
const FURTHEST: usize = 1 << 12;

impl<T: Send + Sync + 'static> Storage<T> {
    /// A rotation after which [`find_moved`](Storage::find_moved) finds the session by its old key.
    pub(crate) async fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> Result<RotateOutcome, Error> {
        let renewal = self.renewal()?;
        let renewed = || renewal.renew(from, to, times, trail_ends_at);
        let outcome = self.call("renew", renewed).await?;
        self.noted_rotation(from, to, &outcome);
        Ok(outcome)
    }

    /// The live session that was there, if it moved.
    pub(crate) async fn find_moved(&self, mut from: Left<'_>) -> Result<Loaded<Moved<T>>, Error> {
        let Some(first) = self.follow(&from.key()).await? else {
            return Ok(Loaded::Nothing);
        };
        let mut trail = first;
        for step in 0..MAX_STEPS {
            match self.load_arriving(&trail).await? {
                Loaded::Live(record) => {
                    return Ok(Loaded::Live(Moved {
                        key: trail.to,
                        record,
                        left_at: first.moved_at,
                        is_next: step == 0,
                    }));
                }
                Loaded::Undecodable => return Ok(Loaded::Undecodable),
                Loaded::Nothing => {}
            }
            match self.next_trail(&mut from, &trail).await? {
                Some(next) => trail = next,
                None => return Ok(Loaded::Nothing),
            }
        }
        Ok(Loaded::Nothing)
    }

    /// Ends the session that was there, if it moved. Whether there was one.
    pub(crate) async fn destroy_moved(&self, mut from: Left<'_>) -> Result<bool, Error> {
        let Some(mut trail) = self.follow(&from.key()).await? else {
            return Ok(false);
        };
        for _ in 0..MAX_STEPS {
            if self.destroy(&trail.to).await? {
                return Ok(true);
            }
            match self.next_trail(&mut from, &trail).await? {
                Some(next) => trail = next,
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// A trail after that one, which leads away from `from`: the last one, if the ids are known. `from` is then what the
    /// trail leads away from.
    async fn next_trail(&self, from: &mut Left<'_>, trail: &Trail) -> Result<Option<Trail>, Error> {
        if let Left::Id(id, successors) = from
            && let Some(mut chain) = successors.chain(id, &trail.to)
        {
            let Some((last, at)) = self.last_trail(&mut chain).await? else {
                return Ok(None);
            };
            *id = chain.id(at).clone();
            return Ok(Some(last));
        }
        // An id that no secret leads to, as when one was taken out.
        *from = Left::Key(trail.to);
        self.follow(&trail.to).await
    }

    /// The last trail along a chain, and its place. Each key that the session left has one, and the key where it lives, or
    /// ended, has none: so it is looked for ever further ahead and then by halves. After a thousand renewals that takes
    /// twenty looks. Where a chain ends, as at a change of secrets, another one may begin.
    async fn last_trail(&self, chain: &mut Chain<'_>) -> Result<Option<(Trail, usize)>, Error> {
        let mut last = None;
        // All keys before `low` have one, the one at `high` has none.
        let (mut low, mut high) = (0, 0);
        while let Some(trail) = self.follow(chain.key(high)).await? {
            last = Some((trail, high));
            low = high + 1;
            if low >= FURTHEST {
                return Ok(last);
            }
            high = 2 * high + 1;
        }
        while low < high {
            let middle = low.midpoint(high);
            match self.follow(chain.key(middle)).await? {
                Some(trail) => (last, low) = (Some((trail, middle)), middle + 1),
                None => high = middle,
            }
        }
        Ok(last)
    }

    pub(crate) async fn follow(&self, key: &SessionKey) -> Result<Option<Trail>, Error> {
        let renewal = self.renewal()?;
        self.call("follow", || renewal.follow(key)).await
    }

    /// Where the two keys live on different servers, a session that has just left may not have arrived yet.
    async fn load_arriving(&self, trail: &Trail) -> Result<Loaded<Record<T>>, Error> {
        const PATIENCE: Duration = Duration::from_secs(2);
        let mut loaded = self.load(&trail.to).await?;
        for _ in 0..3 {
            let arriving = matches!(loaded, Loaded::Nothing)
                && self.now().since(trail.moved_at) < PATIENCE
                && tokio::runtime::Handle::try_current().is_ok();
            if !arriving || self.follow(&trail.to).await?.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            loaded = self.load(&trail.to).await?;
        }
        Ok(loaded)
    }

    fn renewal(&self) -> Result<&dyn Renewal, Error> {
        let renewal = self.store.renewal();
        renewal.ok_or_else(|| Error::new(ErrorKind::Unsupported))
    }
}
