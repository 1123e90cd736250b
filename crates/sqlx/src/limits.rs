use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    AdmitOutcome, Expect, OwnerLimit, OwnerLimits, Record, SessionKey, SetOutcome, Store,
    StoreError, StoreErrorKind, StoreFuture, Timestamp, WhenReached,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::DbStore;
use crate::connections::Turn;
use crate::dialect::{Dialect, Engine, int_at};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::io::{End, Together, send};
use crate::operations::{Inner, with_key};
use crate::session::{key_at, moment_at};
use crate::statement::{Bindings, Param};

impl<T, DB> OwnerLimits<T> for DbStore<T, DB>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    DB: Dialect,
{
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<T>,
        limit: OwnerLimit,
    ) -> StoreFuture<'_, AdmitOutcome> {
        let (ending, key) = (ending.copied(), *key);
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let Some(owner) = &record.owner else {
                let outcome = match ending {
                    Some(from) => self.replace(&from, &key, record).await?,
                    None => self.set(&key, record, Expect::Absent).await?,
                };
                return unlimited(outcome);
            };
            // If none ends: the new one, which is not among the others anyhow.
            let from = ending.unwrap_or(key);
            let bindings = inner
                .now()
                .bytes(Param::Key, from.as_bytes())
                .int(Param::Lock, inner.lock_of(owner.as_str()))
                .text(Param::LockTimeout, Some(&lock_timeout(inner.io.timeout)));
            let bindings = inner.record(with_key(bindings, &key), &record)?;
            inner
                .within(async {
                    let turn = Arc::clone(&inner.admissions).acquire_owned().await;
                    let admission = Admission {
                        inner,
                        bindings,
                        ends: ending.is_some(),
                        limit,
                        turn: Arc::new(turn.expect("this semaphore is never closed")),
                    };
                    let outcome = inner.io.try_together(&admission).await?;
                    Ok(outcome.unwrap_or(AdmitOutcome::Exists))
                })
                .await
        })
    }
}

/// One more session of an owner, while nobody else decides about that owner.
struct Admission<'a, DB: Engine> {
    inner: &'a Inner<DB>,
    /// The record, under `to`; `key` is what ends with it.
    bindings: Bindings,
    ends: bool,
    limit: OwnerLimit,
    turn: Turn,
}

impl<DB: Engine> Together<DB> for Admission<'_, DB> {
    type Answer = AdmitOutcome;

    async fn steps(&self, connection: &mut DB::Connection) -> Result<End<AdmitOutcome>, Failure> {
        let statements = &self.inner.statements;
        if let Some(lock) = &statements.lock_owner {
            let answer = send::<DB>(connection, lock, &self.bindings).await?;
            if answer.rows.is_empty() {
                return Err(Failure::Failed(no_lock()));
            }
            if int_at(&answer, 1) == Some(1) {
                return Err(Failure::Failed(no_writes()));
            }
        }
        let excess = self.excess(connection).await?;
        if !excess.is_empty() && self.limit.when_reached != WhenReached::EndOldest {
            return Ok(End::Undo(AdmitOutcome::Refused));
        }
        let answer = send::<DB>(connection, &statements.insert, &self.bindings).await?;
        if !DB::inserted(&answer) {
            return Ok(End::Undo(AdmitOutcome::Exists));
        }
        let ended = self.evict(connection, excess).await?;
        if self.ends {
            send::<DB>(connection, &statements.end, &self.bindings).await?;
        }
        Ok(End::Keep(AdmitOutcome::Stored { version: 1, ended }))
    }

    fn turn(&self) -> Option<Turn> {
        Some(Arc::clone(&self.turn))
    }
}

impl<DB: Engine> Admission<'_, DB> {
    /// The owner's oldest sessions, as many as there are too many.
    async fn excess(
        &self,
        connection: &mut DB::Connection,
    ) -> Result<Vec<(SessionKey, Timestamp)>, Failure> {
        let others = &self.inner.statements.others;
        let answer = send::<DB>(connection, others, &self.bindings).await?;
        let room = usize::try_from(self.limit.max.get() - 1).unwrap_or(usize::MAX);
        let excess = answer.rows.len().saturating_sub(room);
        let rows = answer.rows.iter().take(excess);
        rows.map(|row| Ok((key_at::<DB>(row, 0)?, moment_at::<DB>(row, 1)?)))
            .collect::<Result<_, _>>()
            .map_err(Failure::Failed)
    }

    /// Ends them: all that are not younger than the youngest of them.
    async fn evict(
        &self,
        connection: &mut DB::Connection,
        excess: Vec<(SessionKey, Timestamp)>,
    ) -> Result<Vec<SessionKey>, Failure> {
        let Some((key, created_at)) = excess.last() else {
            return Ok(Vec::new());
        };
        let bindings = self.bindings.clone();
        let bindings = bindings
            .int(Param::CreatedAt, created_at.as_millis())
            .bytes(Param::After, key.as_bytes());
        let answer = send::<DB>(connection, &self.inner.statements.evict, &bindings).await?;
        // One ended or moved to another key since they were counted: counted again, that is seen.
        if usize::try_from(answer.affected) != Ok(excess.len()) {
            return Err(Failure::Undone(DbError::new(
                DbErrorKind::Busy,
                "the owner's sessions changed while they were counted",
            )));
        }
        if answer.rows.is_empty() {
            return Ok(excess.into_iter().map(|(key, _)| key).collect());
        }
        let keys = answer.rows.iter().map(|row| key_at::<DB>(row, 0));
        let mut keys: Vec<_> = keys.collect::<Result<_, _>>().map_err(Failure::Failed)?;
        // The oldest first. One that moved meanwhile is not among those that were counted.
        let places = excess.into_iter().map(|(key, _)| key).zip(0..);
        let places: HashMap<SessionKey, usize> = places.collect();
        keys.sort_by_key(|key| places.get(key).copied());
        Ok(keys)
    }
}

impl<DB: Engine> Inner<DB> {
    /// The number of the lock of that owner in this table: FNV-1a, the same in every process. Owners that share a
    /// number wait for each other, no more.
    fn lock_of(&self, owner: &str) -> i64 {
        let bytes = self.table.as_str().bytes().chain([0]).chain(owner.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mask = DB::DIALECTAL
            .lock_owner
            .as_ref()
            .map_or(0, |lock| lock.mask);
        hash.cast_signed() & mask
    }
}

/// For as long as somebody waits for the answer, as PostgreSQL writes it. It has 31 bits, and takes 0 for no limit.
fn lock_timeout(timeout: Duration) -> String {
    let millis = timeout.as_millis().clamp(1, i32::MAX as u128);
    format!("{millis}ms")
}

fn unlimited(outcome: SetOutcome) -> Result<AdmitOutcome, StoreError> {
    match outcome {
        SetOutcome::Stored(version) => Ok(AdmitOutcome::Stored {
            version,
            ended: Vec::new(),
        }),
        SetOutcome::Exists => Ok(AdmitOutcome::Exists),
        _ => Err(StoreError::new(
            StoreErrorKind::Internal,
            "a new session was neither stored nor refused",
        )),
    }
}

fn no_lock() -> DbError {
    DbError::new(DbErrorKind::Other, "a row is missing in the table of locks")
}

fn no_writes() -> DbError {
    DbError::new(DbErrorKind::ReadOnly, "the server takes no writes")
}
