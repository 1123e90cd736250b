//! The one place where requests are sent.

use std::collections::HashMap;
use std::sync::Arc;

use redis::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::error::{Failure, RedisStoreError};
use crate::link::Link;
use crate::script::Request;

/// One server, or a cluster of them.
#[derive(Clone, Debug)]
pub(crate) enum Server {
    Single(Arc<Link>),
    Cluster(Arc<Cluster>),
}

impl Server {
    /// Connects, to learn early that a URL is wrong or nobody is there.
    pub(crate) async fn connect(&self, deadline: Instant) -> Result<(), RedisStoreError> {
        let connected = match self {
            Self::Single(link) => link.connect(deadline).await,
            Self::Cluster(cluster) => cluster.connect(deadline).await,
        };
        connected.map_err(Failure::into_error)
    }

    // A future has room for whatever it may have to wait for. What is rarely waited for is boxed, here and elsewhere:
    // with it an operation takes twice as many bytes while it is under way.

    /// One request, one round trip; a second one if the server has forgotten the script, or the connection of a
    /// request that only reads has just broken. In two steps where a slot of a cluster is being moved.
    pub(crate) async fn run(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<Value, RedisStoreError> {
        let failure = match self.attempt(request, deadline).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        if failure.code() == Some("TRYAGAIN")
            && let Some([first, then]) = request.apart()
        {
            let steps = Box::pin(async {
                self.attempt(&first, deadline).await?;
                self.attempt(&then, deadline).await
            });
            return steps.await.map_err(Failure::into_error);
        }
        Err(failure.into_error())
    }

    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Value, Failure> {
        let failure = match self.send(request, false, deadline).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let whole = match &failure {
            // The whole script: the server learns it by that.
            Failure::Refused(_) if failure.code() == Some("NOSCRIPT") => true,
            Failure::Unknown(_) if request.only_reads() && Instant::now() < deadline => false,
            _ => return Err(failure),
        };
        Box::pin(self.send(request, whole, deadline)).await
    }

    /// Many requests, one round trip for each server that they concern, all at once.
    pub(crate) async fn run_all(
        &self,
        requests: Vec<Request>,
        deadline: Instant,
    ) -> Result<Vec<Value>, RedisStoreError> {
        let mut groups: HashMap<usize, (Arc<Link>, Vec<usize>)> = HashMap::new();
        for (at, request) in requests.iter().enumerate() {
            let link = match self {
                Self::Single(link) => Arc::clone(link),
                Self::Cluster(cluster) => cluster
                    .link_for(request.first_key(), deadline)
                    .await
                    .map_err(Failure::into_error)?,
            };
            let group = groups.entry(Arc::as_ptr(&link).addr());
            group.or_insert((link, Vec::new())).1.push(at);
        }
        let mut tasks = JoinSet::new();
        for (link, members) in groups.into_values() {
            let commands: Vec<_> = members
                .iter()
                .map(|&at| requests[at].command(false).into_owned())
                .collect();
            tasks.spawn(async move { (members, link.send_all(commands, deadline).await) });
        }
        let mut answers: Vec<Option<Value>> = requests.iter().map(|_| None).collect();
        let mut left = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (members, results) = done.map_err(|_| RedisStoreError::cut_off())?;
            let results = match results {
                Ok(results) => results,
                Err(failure) => {
                    // Each of them for itself: it looks for the server anew, if it may be sent at all.
                    let may = matches!(failure, Failure::NotSent(_))
                        || members.iter().all(|&at| requests[at].only_reads());
                    if !may || Instant::now() >= deadline {
                        self.suspect();
                        return Err(failure.into_error());
                    }
                    left.extend(members);
                    continue;
                }
            };
            for (at, result) in members.into_iter().zip(results) {
                match result {
                    Ok(answer) => answers[at] = Some(answer),
                    // Refused: not done. Redirections and forgotten scripts are dealt with one by one.
                    Err(Failure::Refused(_)) => left.push(at),
                    Err(failure) => {
                        self.suspect();
                        return Err(failure.into_error());
                    }
                }
            }
        }
        for at in left {
            answers[at] = Some(match self.run(&requests[at], deadline).await {
                Ok(answer) => answer,
                // One malformed session harms no other.
                Err(error) if error.kind() == crate::RedisStoreErrorKind::MalformedSession => {
                    Value::Nil
                }
                Err(error) => return Err(error),
            });
        }
        Ok(answers.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Every server that has keys.
    pub(crate) async fn links(&self, deadline: Instant) -> Result<Vec<Arc<Link>>, RedisStoreError> {
        match self {
            Self::Single(link) => Ok(vec![Arc::clone(link)]),
            Self::Cluster(cluster) => cluster
                .primaries(deadline)
                .await
                .map_err(Failure::into_error),
        }
    }

    /// A server that hears what is published, another one each time if there are several.
    pub(crate) async fn any(
        &self,
        turn: usize,
        deadline: Instant,
    ) -> Result<Arc<Link>, RedisStoreError> {
        let links = self.links(deadline).await?;
        let count = links.len().max(1);
        let mut links = links.into_iter();
        links
            .nth(turn % count)
            .ok_or_else(RedisStoreError::unexpected)
    }

    /// A server did not answer. In a cluster another one may have its place.
    fn suspect(&self) {
        if let Self::Cluster(cluster) = self {
            cluster.look_soon();
        }
    }

    async fn send(
        &self,
        request: &Request,
        whole: bool,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        match self {
            Self::Single(link) => link.send(&request.command(whole), false, deadline).await,
            Self::Cluster(cluster) => Box::pin(cluster.send(request, whole, deadline)).await,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use redis::IntoConnectionInfo;
    use tokio::runtime::Builder;

    use super::*;
    use crate::RedisStoreErrorKind;
    use crate::link::Patience;

    /// What it began elsewhere may have been done.
    #[test]
    fn many_requests_are_cut_off_by_the_end_of_their_runtime() {
        let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
        let patience = Patience {
            operation: Duration::from_secs(5),
            connect: Duration::from_secs(5),
        };
        let info = "redis://127.0.0.1:1".into_connection_info().unwrap();
        let server = Server::Single(Arc::new(Link::new(info, patience, None).unwrap()));
        let requests = vec![Request::session("a".to_owned())];
        let mut answers = pin!(server.run_all(requests, patience.deadline()));
        let theirs = runtime();
        theirs.block_on(async {
            let polled = poll_fn(|context| Poll::Ready(answers.as_mut().poll(context))).await;
            assert!(polled.is_pending());
        });
        theirs.shutdown_background();
        let error = runtime().block_on(answers).unwrap_err();
        assert_eq!(error.kind(), RedisStoreErrorKind::CutOff);
    }
}
