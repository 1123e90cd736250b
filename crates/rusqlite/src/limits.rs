use cloakroom_store::{
    AdmitOutcome, Expect, OwnerLimit, OwnerLimits, Record, SessionKey, SetOutcome, Store,
    StoreError, StoreErrorKind, StoreFuture, WhenReached,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::SqliteStore;
use crate::engine::Db;
use crate::error::Failure;
use crate::operations::bind_new_key;
use crate::session::key_at;
use crate::statement::{Bindings, Param, Value};
use crate::statements::Statements;

impl<T> OwnerLimits<T> for SqliteStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
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
            if record.owner.is_none() {
                let outcome = match ending {
                    Some(from) => self.replace(&from, &key, record).await?,
                    None => self.set(&key, record, Expect::Absent).await?,
                };
                return unlimited(outcome);
            }
            let mut bindings = inner.now();
            bindings.bind(Param::Key, ending.map_or(Value::NoKey, Value::Key));
            bind_new_key(&mut bindings, &key);
            inner.bind_record(&mut bindings, &record)?;
            drop(record);
            inner
                .write(bindings, move |all, db, bindings| {
                    db.all_or_nothing(|| all.admit(db, bindings, limit))
                })
                .await
        })
    }
}

impl Statements {
    /// Stores the record under `to` and ends what is under `key`. There is one writer at a time, so nobody else
    /// decides about that owner meanwhile.
    fn admit(
        &self,
        db: &Db,
        bindings: &Bindings,
        limit: OwnerLimit,
    ) -> Result<AdmitOutcome, Failure> {
        let mut others = Vec::new();
        db.rows(&self.others, bindings, |row| {
            others.push(key_at(row, 0)?);
            Ok(())
        })?;
        let room = usize::try_from(limit.max.get() - 1).unwrap_or(usize::MAX);
        let excess = others.len().saturating_sub(room);
        if excess > 0 && limit.when_reached != WhenReached::EndOldest {
            return Ok(AdmitOutcome::Refused);
        }
        if self.insert(db, bindings)? != SetOutcome::Stored(1) {
            return Ok(AdmitOutcome::Exists);
        }
        others.truncate(excess);
        for key in &others {
            let mut oldest = Bindings::new();
            db.execute(&self.end, oldest.key(Param::Key, key))?;
        }
        db.execute(&self.end, bindings)?;
        Ok(AdmitOutcome::Stored {
            version: 1,
            ended: others,
        })
    }
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
