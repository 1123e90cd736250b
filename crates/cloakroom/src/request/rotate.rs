//! A fresh id for the same session.

use cloakroom_store::{RotateOutcome, Times, Timestamp};

use crate::request::Exchange;
use crate::request::mint::refuse_after_response;
use crate::request::state::Live;
use crate::{Error, ErrorKind, SessionId};

impl<T: Send + Sync + 'static> Exchange<T> {
    /// A fresh id; `change` says what else happens to the times.
    pub(super) async fn rotate(
        &self,
        change: impl FnOnce(&mut Times, Timestamp),
    ) -> Result<(), Error> {
        let _turn = self.turn().await;
        let live = self.live()?;
        refuse_after_response(&self.state())?;
        let now = self.inner().storage.now();
        let mut times = live.record.times;
        times.last_seen_at = now;
        times.renewed_at = now;
        change(&mut times, now);
        self.move_to(live, SessionId::random()?, times).await
    }

    /// Somebody proved anew who they are: a fresh id, and both limits begin anew.
    pub(super) async fn reauthenticate(&self) -> Result<(), Error> {
        self.rotate(|times, now| {
            times.ends_at = renewed_end(times, now);
            times.authenticated_at = Some(now);
        })
        .await
    }

    async fn move_to(
        &self,
        mut live: Box<Live<T>>,
        id: SessionId,
        times: Times,
    ) -> Result<(), Error> {
        let storage = &self.inner().storage;
        let to = id.key();
        let (found, version) = loop {
            match storage.rotate(&live.key, &to, times).await? {
                RotateOutcome::Moved { found, version } => break (found, version),
                RotateOutcome::Gone => match self.moved(&live.key).await? {
                    Some(key) => live.key = key,
                    None => return Err(self.found_gone(&live)),
                },
                // Two equal random ids, or a store that breaks its laws.
                _ => return Err(Error::new(ErrorKind::Internal)),
            }
        };

        let current = found == live.record.version;
        live.id = id;
        live.key = to;
        // The data of an older version must not pass for that of the newer one, should reading it fail or be
        // given up below: no version is 0, so a write conflicts.
        live.record.version = if current { version } else { 0 };
        live.record.times = times;
        live.is_new = true;
        live.by_old_id = false;
        if !self.created(Live::clone(&live)) {
            return Err(self.taken_back(&live.key).await);
        }
        if !current {
            // Somebody wrote since this request read it: the data as it is now.
            self.reload_live(live).await?;
        }
        Ok(())
    }
}

/// As far from now as the end was from the last sign-in.
fn renewed_end(times: &Times, now: Timestamp) -> Option<Timestamp> {
    let began = times.authenticated_at.unwrap_or(times.created_at);
    times.ends_at.map(|end| now.plus(end.since(began)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_absolute_limit_begins_anew_as_long_as_it_was() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let mut times = Times::starting(at(0));
        assert_eq!(renewed_end(&times, at(50)), None);
        times.ends_at = Some(at(100));
        assert_eq!(renewed_end(&times, at(50)), Some(at(150)));
        // A second time: the limit is what it was at the first.
        (times.authenticated_at, times.ends_at) = (Some(at(50)), Some(at(150)));
        assert_eq!(renewed_end(&times, at(60)), Some(at(160)));
    }
}
