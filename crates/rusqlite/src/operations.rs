//! What the store's methods are made of: values on their way to a statement, and the writes that may take more
//! than one.

use std::sync::Arc;

use cloakroom_store::{
    AtRest, Clock, Expect, Record, RotateOutcome, SessionKey, SetOutcome, StoreError, Times,
    Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::engine::{Db, Engine};
use crate::error::{DbError, Failure};
use crate::purge::Purged;
use crate::session::int_at;
use crate::statement::{Bindings, Param, Value};
use crate::statements::Statements;

/// What clones share.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Ends with the last clone.
    pub(crate) engine: Engine,
    pub(crate) statements: Arc<Statements>,
    pub(crate) codec: Codec,
    pub(crate) at_rest: AtRest,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) payload_limit: usize,
    pub(crate) purge_batch: u32,
}

impl Inner {
    /// What every statement about one key needs.
    pub(crate) fn at(&self, key: &SessionKey) -> Bindings {
        let mut bindings = self.now();
        bindings.key(Param::Key, key);
        bindings
    }

    pub(crate) fn now(&self) -> Bindings {
        let mut bindings = Bindings::new();
        bindings.int(Param::Now, self.clock.now().as_millis());
        bindings
    }

    /// A whole record, encoded.
    pub(crate) fn bind_record<T: Serialize + DeserializeOwned>(
        &self,
        bindings: &mut Bindings,
        record: &Record<T>,
    ) -> Result<(), StoreError> {
        let written =
            self.codec
                .encode_readable(&*record.data, self.payload_limit, &self.at_rest)?;
        let client = record.client.as_deref();
        let address = client
            .and_then(|client| client.address())
            .map(|address| address.to_string());
        let owner = record.owner.as_ref().map(|owner| owner.as_str());
        bind_times(bindings, &record.times);
        bindings
            .int(Param::BrowserSession, i64::from(record.browser_session))
            .text(Param::Owner, owner)
            .text(
                Param::UserAgent,
                client.and_then(|client| client.user_agent()),
            )
            .text(Param::Address, address.as_deref())
            .bind(Param::Codec, Value::Word(written.tag))
            .bind(Param::Data, Value::Payload(written.data));
        Ok(())
    }
}

/// The key that a row gets.
pub(crate) fn bind_new_key(bindings: &mut Bindings, to: &SessionKey) {
    bindings
        .key(Param::To, to)
        .text(Param::Handle, Some(&to.handle().to_string()));
}

pub(crate) fn bind_times(bindings: &mut Bindings, times: &Times) {
    let idle = times
        .idle_timeout
        .map(|idle| i64::try_from(idle.as_millis()).unwrap_or(i64::MAX));
    bindings
        .int(Param::CreatedAt, times.created_at.as_millis())
        .int(
            Param::AuthenticatedAt,
            times.authenticated_at.map(Timestamp::as_millis),
        )
        .int(Param::RenewedAt, times.renewed_at.as_millis())
        .int(Param::LastSeenAt, times.last_seen_at.as_millis())
        .int(Param::EndsAt, times.ends_at.map(Timestamp::as_millis))
        .int(Param::IdleTimeoutMs, idle)
        .int(
            Param::ExpiresAt,
            times.expires_at().map(Timestamp::as_millis),
        );
}

/// Each runs within one transaction, so nothing comes between two statements of one of them.
impl Statements {
    pub(crate) fn insert(&self, db: &Db, bindings: &Bindings) -> Result<SetOutcome, Failure> {
        Ok(match db.execute(&self.insert, bindings)? {
            0 => SetOutcome::Exists,
            _ => SetOutcome::Stored(1),
        })
    }

    /// Looks first: nobody else writes between the two statements, and what stays the same need not be indexed
    /// again.
    pub(crate) fn update(
        &self,
        db: &Db,
        bindings: &Bindings,
        expect: Expect,
    ) -> Result<SetOutcome, Failure> {
        let standing = db.first(&self.standing, bindings, |row| {
            let version = to_version(int_at(row, 0)?)?;
            Ok((version, int_at(row, 1)? == 1, int_at(row, 2)? == 1))
        })?;
        let outcome = expect.judge(standing.map(|(version, ..)| version));
        if let (SetOutcome::Stored(_), Some((_, same_owner, same_end))) = (outcome, standing) {
            let update = match (same_owner, same_end) {
                (true, true) => &self.update_same_owner_and_end,
                (true, false) => &self.update_same_owner,
                (false, _) => &self.update,
            };
            db.execute(update, bindings)?;
        }
        Ok(outcome)
    }

    pub(crate) fn rotate(
        &self,
        db: &Db,
        bindings: &Bindings,
        in_place: bool,
    ) -> Result<RotateOutcome, Failure> {
        if in_place {
            return Ok(match self.live_version(db, bindings)? {
                Some(_) => RotateOutcome::Exists,
                None => RotateOutcome::Gone,
            });
        }
        let moved = self.over_dead(db, bindings, || db.int(&self.rotate, bindings))?;
        Ok(match moved {
            None => RotateOutcome::Exists,
            Some(None) => RotateOutcome::Gone,
            Some(Some(version)) => {
                let version = to_version(version)?;
                RotateOutcome::Moved {
                    found: version,
                    version,
                }
            }
        })
    }

    pub(crate) fn replace(&self, db: &Db, bindings: &Bindings) -> Result<SetOutcome, Failure> {
        let moved = self.over_dead(db, bindings, || db.execute(&self.replace, bindings))?;
        match moved {
            None => Ok(SetOutcome::Exists),
            Some(0) => self.insert(db, bindings),
            Some(_) => Ok(SetOutcome::Stored(1)),
        }
    }

    /// Whether there was a live one.
    pub(crate) fn destroy(&self, db: &Db, bindings: &Bindings) -> Result<bool, Failure> {
        let was_live = db.execute(&self.destroy, bindings)? > 0;
        if !was_live {
            db.execute(&self.end, bindings)?;
        }
        Ok(was_live)
    }

    /// One batch.
    pub(crate) fn purge(&self, db: &Db, bindings: &Bindings) -> Result<Purged, Failure> {
        Ok(Purged {
            sessions: db.execute(&self.purge, bindings)?,
            trails: db.execute(&self.purge_trails, bindings)?,
        })
    }

    fn live_version(&self, db: &Db, bindings: &Bindings) -> Result<Option<u64>, Failure> {
        let version = db.int(&self.version_of, bindings)?;
        Ok(version.map(to_version).transpose()?)
    }

    /// Moves a row to another key. Where an expired row is in the way it is removed. `None`: a live one is there.
    fn over_dead<R>(
        &self,
        db: &Db,
        bindings: &Bindings,
        move_row: impl Fn() -> Result<R, Failure>,
    ) -> Result<Option<R>, Failure> {
        match move_row() {
            Err(Failure::Taken) if db.execute(&self.free, bindings)? > 0 => move_row().map(Some),
            Err(Failure::Taken) => Ok(None),
            moved => moved.map(Some),
        }
    }
}

fn to_version(version: i64) -> Result<u64, DbError> {
    u64::try_from(version).map_err(|_| DbError::malformed())
}
