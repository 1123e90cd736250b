use std::sync::Arc;

use cloakroom_store::{AdmitOutcome, OwnerLimit, OwnerLimits, Record, SessionKey, StoreFuture};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::server::Server;
use crate::store::RedisStore;
use crate::{single, spread};

impl<T> OwnerLimits<T> for RedisStore<T>
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
        let (ending, key, inner) = (ending.copied(), *key, &self.inner);
        StoreFuture::new(async move {
            let draft = inner.draft(&record)?;
            let work = |deadline| async move {
                match inner.server {
                    Server::Single(_) => {
                        let ending = ending.as_ref();
                        single::admit(inner, ending, &key, &draft, Some(limit), deadline).await
                    }
                    Server::Cluster(_) => {
                        let inner = Arc::clone(inner);
                        spread::uncut(async move {
                            let ending = ending.as_ref();
                            spread::admit(&inner, ending, &key, &draft, limit, deadline).await
                        })
                        .await
                    }
                }
            };
            inner.timed(work).await
        })
    }
}
