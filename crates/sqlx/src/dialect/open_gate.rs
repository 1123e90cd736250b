use std::sync::Arc;

use futures_core::future::BoxFuture;
use sqlx::Pool;

use super::{Engine, Gate, Pass};
use crate::error::DbError;
use crate::schema::Schema;

/// The gate of a database server, which looks after itself: always open.
#[derive(Clone, Copy, Debug)]
pub struct OpenGate;

impl<DB: Engine> Gate<DB> for OpenGate {
    type Pass<'a> = Self;

    fn open<'a>(_: &'a Pool<DB>, _: &'a Arc<Schema>) -> BoxFuture<'a, Result<Self, DbError>> {
        Box::pin(async { Ok(Self) })
    }

    async fn enter(&self, _: bool) -> Result<Self, DbError> {
        Ok(Self)
    }

    fn suspect(&self) {}
}

impl Pass for OpenGate {
    fn check(&self) -> Result<(), DbError> {
        Ok(())
    }

    fn give_back(self) -> bool {
        false
    }
}
