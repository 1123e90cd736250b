use cloakroom_store::{Renewal, RotateOutcome, SessionKey, StoreFuture, Times, Timestamp, Trail};
use rusqlite::Row;

use crate::SqliteStore;
use crate::error::DbError;
use crate::operations::{bind_new_key, bind_times};
use crate::session::{key_at, moment_at};
use crate::statement::Param;

impl<T> Renewal for SqliteStore<T> {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        let in_place = from == to;
        let mut bindings = self.inner.at(from);
        bind_new_key(&mut bindings, to);
        bind_times(&mut bindings, &times);
        bindings.int(Param::TrailEndsAt, trail_ends_at.as_millis());
        StoreFuture::new(self.inner.write(bindings, move |all, db, bindings| {
            db.all_or_nothing(|| {
                let outcome = all.rotate(db, bindings, in_place)?;
                if let RotateOutcome::Moved { .. } = outcome {
                    db.execute(&all.leave_trail, bindings)?;
                }
                Ok(outcome)
            })
        }))
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        self.inner
            .look(self.inner.at(key), |all| &all.follow, trail)
    }
}

fn trail(row: &Row<'_>) -> Result<Trail, DbError> {
    Ok(Trail::new(key_at(row, 0)?, moment_at(row, 1)?))
}
