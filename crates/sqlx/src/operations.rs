//! What the store's methods are made of: values on their way to a statement, and the writes that may take more
//! than one.

use std::sync::Arc;

use cloakroom_store::{
    AtRest, Clock, Expect, Record, RotateOutcome, SessionKey, SetOutcome, StoreError, Times,
    Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::TableName;
use crate::codec::Codec;
use crate::dialect::{Answer, Engine, first_int};
use crate::error::{DbError, DbErrorKind};
use crate::io::{Io, Together, within};
use crate::purge::Purger;
use crate::statement::{Bindings, Param, Statement, Value};
use crate::statements::Statements;

/// How often a write is tried again whose way was barred by an expired row that has since gone.
const ATTEMPTS: u32 = 4;

/// What clones share.
#[derive(Debug)]
pub(crate) struct Inner<DB: Engine> {
    pub(crate) table: TableName,
    pub(crate) io: Io<DB>,
    /// If endings are announced.
    pub(crate) announcer: Option<DB::Announcer>,
    pub(crate) statements: Statements,
    /// Who waits for an owner's lock holds a connection: half of them, so that a crowd of sign-ins leaves some to the
    /// others.
    pub(crate) admissions: Arc<Semaphore>,
    pub(crate) codec: Codec,
    pub(crate) at_rest: AtRest,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) payload_limit: usize,
    /// Ends with the last clone.
    pub(crate) purger: Purger,
}

impl<DB: Engine> Inner<DB> {
    pub(crate) fn within<R>(
        &self,
        work: impl Future<Output = Result<R, DbError>>,
    ) -> impl Future<Output = Result<R, StoreError>> {
        within(self.io.timeout, work)
    }

    /// What every statement about one key needs.
    pub(crate) fn at(&self, key: &SessionKey) -> Bindings {
        self.now().bytes(Param::Key, key.as_bytes())
    }

    pub(crate) fn now(&self) -> Bindings {
        Bindings::new().clock(&self.clock)
    }

    /// A whole record, encoded.
    pub(crate) fn record<T: Serialize + DeserializeOwned>(
        &self,
        bindings: Bindings,
        record: &Record<T>,
    ) -> Result<Bindings, StoreError> {
        let written =
            self.codec
                .encode_readable(&*record.data, self.payload_limit, &self.at_rest)?;
        let client = record.client.as_deref();
        let address = client
            .and_then(|client| client.address())
            .map(|address| address.to_string());
        let owner = record.owner.as_ref().map(|owner| owner.as_str());
        Ok(with_times(bindings, &record.times)
            .int(Param::BrowserSession, i64::from(record.browser_session))
            .text(Param::Owner, owner)
            .text(
                Param::UserAgent,
                client.and_then(|client| client.user_agent()),
            )
            .text(Param::Address, address.as_deref())
            .text(Param::Codec, Some(&*written.tag))
            .bind(Param::Data, Value::Payload(written.data)))
    }

    pub(crate) async fn insert(&self, bindings: &Bindings) -> Result<SetOutcome, DbError> {
        let answer = self.io.run(&self.statements.insert, bindings).await?;
        Ok(match DB::inserted(&answer) {
            true => SetOutcome::Stored(1),
            false => SetOutcome::Exists,
        })
    }

    /// `bindings` have the expected version.
    pub(crate) async fn update(
        &self,
        bindings: &Bindings,
        expected: Option<u64>,
    ) -> Result<SetOutcome, DbError> {
        let Some(expected) = expected else {
            let answer = self.io.run(&self.statements.update_any, bindings).await?;
            return Ok(match DB::written_version(&answer) {
                Some(version) => SetOutcome::Stored(to_version(version)?),
                None => SetOutcome::Gone,
            });
        };
        let statement = &self.statements.update_version;
        loop {
            if self.io.run(statement, bindings).await?.affected > 0 {
                return Ok(SetOutcome::Stored(expected + 1));
            }
            // Nothing was written, that is decided. This asks why.
            match self.version_of(bindings).await? {
                // The expected version came into being between the two: a session that lives is not gone, and a
                // conflict with what was expected is none. Each round takes another writer, and all of them the
                // operation's time.
                Some(found) if found == expected => {}
                Some(found) => return Ok(SetOutcome::Conflict(found)),
                None => return Ok(SetOutcome::Gone),
            }
        }
    }

    pub(crate) async fn version_of(&self, bindings: &Bindings) -> Result<Option<u64>, DbError> {
        let answer = self.io.run(&self.statements.version_of, bindings).await?;
        first_int(&answer).map(to_version).transpose()
    }

    /// Runs a statement that moves a row to another key. Where an expired row is in the way it is removed.
    /// `None`: a live one is there.
    pub(crate) async fn over_dead(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<Option<Answer<DB>>, DbError> {
        for _ in 0..ATTEMPTS {
            if let Some(answer) = self.io.try_run(statement, bindings).await? {
                return Ok(Some(answer));
            }
            if !self.free(bindings).await? {
                break;
            }
        }
        Ok(None)
    }

    /// The same with statements that belong together.
    pub(crate) async fn together_over_dead<W: Together<DB>>(
        &self,
        work: &W,
        bindings: &Bindings,
    ) -> Result<Option<W::Answer>, DbError> {
        for _ in 0..ATTEMPTS {
            if let Some(answer) = self.io.try_together(work).await? {
                return Ok(Some(answer));
            }
            if !self.free(bindings).await? {
                break;
            }
        }
        Ok(None)
    }

    /// Removes an expired row. Whether there was one.
    async fn free(&self, bindings: &Bindings) -> Result<bool, DbError> {
        let freed = self.io.run(&self.statements.free, bindings).await?;
        Ok(freed.affected > 0)
    }

    /// A rotation to the key that the session has.
    pub(crate) async fn rotate_in_place(
        &self,
        bindings: &Bindings,
    ) -> Result<RotateOutcome, DbError> {
        Ok(match self.version_of(bindings).await? {
            Some(_) => RotateOutcome::Exists,
            None => RotateOutcome::Gone,
        })
    }

    /// What a rotation comes to that answered this version, or found no live row, or (`None`) its key taken.
    pub(crate) fn rotated(moved: Option<Option<i64>>) -> Result<RotateOutcome, DbError> {
        Ok(match moved {
            Some(Some(version)) => {
                let version = to_version(version)?;
                RotateOutcome::Moved {
                    found: version,
                    version,
                }
            }
            Some(None) => RotateOutcome::Gone,
            None => RotateOutcome::Exists,
        })
    }
}

pub(crate) fn with_key(bindings: Bindings, to: &SessionKey) -> Bindings {
    bindings
        .bytes(Param::To, to.as_bytes())
        .text(Param::Handle, Some(&to.handle().to_string()))
}

pub(crate) fn with_expected(bindings: Bindings, expect: Expect) -> Bindings {
    match expect {
        // No stored version is beyond 63 bits. One that is asked for is null here, which equals none.
        Expect::Version(version) => bindings.int(Param::Version, i64::try_from(version).ok()),
        _ => bindings,
    }
}

pub(crate) fn with_times(bindings: Bindings, times: &Times) -> Bindings {
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
        )
}

pub(crate) fn to_version(version: i64) -> Result<u64, DbError> {
    u64::try_from(version)
        .map_err(|_| DbError::new(DbErrorKind::MalformedRow, "a version is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A future is copied from each caller to the next. What is seldom needed is in a box, so that it is not copied.
    fn a_write_is_small<DB: Engine>() {
        fn size<'a, DB: Engine, F>(_: impl FnOnce(&'a Inner<DB>, &'a Bindings) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(|inner: &Inner<DB>, bindings| inner.update(bindings, None));
        assert!(size < 1_024, "{size} bytes on {}", DB::NAME);
    }

    #[test]
    fn writes_are_small() {
        #[cfg(feature = "sqlite")]
        a_write_is_small::<sqlx::Sqlite>();
        #[cfg(feature = "postgres")]
        a_write_is_small::<sqlx::Postgres>();
        #[cfg(feature = "mysql")]
        a_write_is_small::<sqlx::MySql>();
    }
}
