use std::sync::Arc;

use cloakroom_store::{Renewal, RotateOutcome, SessionKey, StoreFuture, Times, Timestamp, Trail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RedisStoreError;
use crate::layout::{from_member, member};
use crate::reply;
use crate::script::Request;
use crate::server::Server;
use crate::store::RedisStore;
use crate::{single, spread};

impl<T> Renewal for RedisStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        let route = Route::new(from, to, times).with_trail(trail_ends_at);
        let inner = &self.inner;
        StoreFuture::new(inner.timed(move |deadline| async move {
            match inner.server {
                Server::Single(_) => single::rotate(inner, &route, deadline).await,
                Server::Cluster(_) => {
                    let inner = Arc::clone(inner);
                    let steps = async move { spread::rotate(&inner, &route, deadline).await };
                    spread::uncut(steps).await
                }
            }
        }))
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        let (key, inner) = (*key, &*self.inner);
        StoreFuture::new(inner.timed(move |deadline| async move {
            let request = Request::read("GET", inner.layout.trail(&member(&key)));
            let text = reply::text(inner.run(&request, deadline).await?)?;
            // Redis drops it some time after its end, by a clock of its own.
            read_trail(&text, inner.clock.now())
        }))
    }
}

/// Where a session moves, and what it leaves behind.
pub(crate) struct Route {
    from: String,
    to: String,
    pub(crate) times: Times,
    trail_ends_at: Option<Timestamp>,
}

impl Route {
    /// Without a trail.
    pub(crate) fn new(from: &SessionKey, to: &SessionKey, times: Times) -> Self {
        Self {
            from: member(from),
            to: member(to),
            times,
            trail_ends_at: None,
        }
    }

    fn with_trail(mut self, ends_at: Timestamp) -> Self {
        self.trail_ends_at = Some(ends_at);
        self
    }

    /// The session as keys and indexes name it: before.
    pub(crate) fn from(&self) -> &str {
        &self.from
    }

    /// And after.
    pub(crate) fn to(&self) -> &str {
        &self.to
    }

    pub(crate) fn trail_ends_at(&self) -> Option<Timestamp> {
        self.trail_ends_at
    }

    /// What the trail says, if one is left: the new key, when the session moved there, when the trail ends.
    pub(crate) fn trail(&self) -> Option<String> {
        let (to, moved_at) = (&self.to, self.times.renewed_at.as_millis());
        let ends_at = self.trail_ends_at()?.as_millis();
        Some(format!("{to} {moved_at} {ends_at}"))
    }
}

/// `None` for nothing, and for a trail that is over.
fn read_trail(text: &[u8], now: Timestamp) -> Result<Option<Trail>, RedisStoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    let malformed = || RedisStoreError::malformed("a trail does not say what was written there");
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    let mut parts = text.split(' ');
    let to = parts.next().and_then(|to| from_member(to.as_bytes()));
    let mut moment = || parts.next()?.parse().ok().map(Timestamp::from_millis);
    let (Some(to), Some(moved_at), Some(ends_at)) = (to, moment(), moment()) else {
        return Err(malformed());
    };
    Ok((now < ends_at).then(|| Trail::new(to, moved_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_says_what_was_written_until_it_is_over() {
        let [from, to] = [1, 2].map(|byte| SessionKey::from_bytes([byte; 32]));
        let moment = Timestamp::from_millis;
        let mut times = Times::starting(moment(-7));
        times.renewed_at = moment(-5);
        let route = Route::new(&from, &to, times);
        assert_eq!(route.trail(), None);
        let trail = route.with_trail(moment(10)).trail().unwrap();
        let at = |now| read_trail(trail.as_bytes(), moment(now)).unwrap();
        assert_eq!(at(9), Some(Trail::new(to, moment(-5))));
        assert_eq!(at(10), None);
        assert_eq!(read_trail(b"", moment(0)).unwrap(), None);
        for bad in ["x", "x 1 2", &trail[..64], &trail[..66], "\u{fc}"] {
            assert!(read_trail(bad.as_bytes(), moment(0)).is_err(), "{bad}");
        }
    }
}
