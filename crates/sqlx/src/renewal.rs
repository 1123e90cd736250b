use cloakroom_store::{Renewal, RotateOutcome, SessionKey, StoreFuture, Times, Timestamp, Trail};

use crate::DbStore;
use crate::dialect::{Dialect, Engine};
use crate::error::Failure;
use crate::io::{End, Together, send};
use crate::operations::{Inner, with_key, with_times};
use crate::session::{key_at, moment_at};
use crate::statement::{Bindings, Param};

impl<T, DB: Dialect> Renewal for DbStore<T, DB> {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        let in_place = from == to;
        let inner = &*self.inner;
        let bindings = with_times(with_key(inner.at(from), to), &times)
            .int(Param::TrailEndsAt, trail_ends_at.as_millis());
        StoreFuture::new(inner.within(async move {
            if in_place {
                return inner.rotate_in_place(&bindings).await;
            }
            let moved = match &inner.statements.renew {
                Some(renew) => {
                    let answer = inner.over_dead(renew, &bindings).await?;
                    answer.map(|answer| DB::written_version(&answer))
                }
                None => {
                    let bindings = &bindings;
                    let work = Renewing { inner, bindings };
                    inner.together_over_dead(&work, bindings).await?
                }
            };
            Inner::<DB>::rotated(moved)
        }))
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        let bindings = self.inner.at(key);
        let inner = &*self.inner;
        StoreFuture::new(inner.within(async move {
            let answer = inner.io.run(&inner.statements.follow, &bindings).await?;
            let trail = answer.rows.first();
            trail
                .map(|row| Ok(Trail::new(key_at::<DB>(row, 0)?, moment_at::<DB>(row, 1)?)))
                .transpose()
        }))
    }
}

/// A rotation that leaves a trail, on engines where this takes two statements. Answers the version.
struct Renewing<'a, DB: Engine> {
    inner: &'a Inner<DB>,
    bindings: &'a Bindings,
}

impl<DB: Engine> Together<DB> for Renewing<'_, DB> {
    type Answer = Option<i64>;

    async fn steps(&self, connection: &mut DB::Connection) -> Result<End<Option<i64>>, Failure> {
        let statements = &self.inner.statements;
        let answer = send::<DB>(connection, &statements.rotate, self.bindings).await?;
        let Some(version) = DB::written_version(&answer) else {
            return Ok(End::Undo(None));
        };
        send::<DB>(connection, &statements.leave_trail, self.bindings).await?;
        Ok(End::Keep(Some(version)))
    }
}
