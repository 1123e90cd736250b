//! Index entries that a failover lost, in a cluster: the index and its sessions are in different slots, and
//! replication is asynchronous.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::num::NonZeroU32;
use std::time::Duration;

use cloakroom_store::{
    AdmitOutcome, Clock, Enumerate, Expect, OwnerLimit, Record, SetOutcome, Store, WhenReached,
};
use cloakroom_testservers::{RedisCluster, or_skip};
use common::slow::Slow;
use common::{Bench, Data, ask_cluster, key, owner, session_name, until};

/// Longer than until a session's entry is looked for again.
const LATER: Duration = Duration::from_secs(100);

struct Loss {
    cluster: RedisCluster,
    bench: Bench,
}

impl Loss {
    async fn prepare() -> Option<Self> {
        let cluster = or_skip(RedisCluster::start())?;
        let bench = Bench::on(&cluster.url()).await;
        Some(Self { cluster, bench })
    }

    fn ask(&self, command: &str) -> String {
        let index = format!("{}o:ada", self.bench.store.prefix());
        ask_cluster(&self.cluster, &[command, &index])
    }

    /// A session of hers that has no entry any more.
    async fn happen(&self, record: Record<Data>) {
        self.bench.add(&key(1), record).await;
        assert_eq!(self.ask("DEL"), ":1");
        assert_eq!(self.listed().await, 0);
        self.bench.clock.advance(LATER);
    }

    async fn listed(&self) -> usize {
        let listed = self.bench.store.list_by_owner(&owner("ada")).await;
        listed.unwrap().len()
    }

    async fn is_mended(&self, by: &str) {
        assert_eq!(self.listed().await, 1, "{by}");
        let ended = self.bench.store.destroy_by_owner(&owner("ada"), &[]).await;
        assert_eq!(ended.unwrap(), 1, "{by}");
        assert_eq!(self.bench.word(&key(1)).await, None, "{by}");
        assert_eq!(self.ask("EXISTS"), ":0", "{by}");
    }

    /// With an idle time-out alone each use moves the latest time that it can expire.
    fn idle(&self) -> Record<Data> {
        let mut record = self.bench.owned("a", "ada");
        record.times.ends_at = None;
        record.times.idle_timeout = Some(LATER * 6);
        record
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_write_of_a_session_makes_it_again() {
    let Some(loss) = Loss::prepare().await else {
        return;
    };
    let (bench, store) = (&loss.bench, &loss.bench.store);
    for expect in [Expect::Version(1), Expect::Present] {
        // Written anew, it ends when it did before: its entry would do.
        let record = bench.owned("a", "ada");
        let mut written = record.clone();
        loss.happen(record).await;
        written.times.last_seen_at = bench.clock.now();
        let outcome = store.set(&key(1), written, expect).await;
        assert_eq!(outcome.unwrap(), SetOutcome::Stored(2));
        loss.is_mended("a write").await;
    }
    for record in [bench.owned("a", "ada"), loss.idle()] {
        loss.happen(record).await;
        assert!(store.touch(&key(1), bench.clock.now()).await.unwrap());
        loss.is_mended("a use").await;
    }
    // That it is looked for now and then has to be enough.
    loss.happen(bench.owned("a", "ada")).await;
    for _ in 0..20 {
        bench.clock.advance(LATER / 10);
        assert!(store.touch(&key(1), bench.clock.now()).await.unwrap());
    }
    loss.is_mended("many uses").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purging_makes_it_again() {
    let Some(loss) = Loss::prepare().await else {
        return;
    };
    let (bench, store) = (&loss.bench, &loss.bench.store);
    let mut endless = bench.owned("a", "ada");
    endless.times.ends_at = None;
    for record in [bench.owned("a", "ada"), loss.idle(), endless] {
        bench.add(&key(2), bench.record("b")).await;
        loss.happen(record).await;
        assert_eq!(store.purge_expired().await.unwrap(), 0);
        assert!(store.destroy(&key(2)).await.unwrap());
        loss.is_mended("a purge").await;
    }
    // What has expired stays out.
    loss.happen(loss.idle()).await;
    bench.clock.advance(LATER * 6);
    assert_eq!(store.purge_expired().await.unwrap(), 1);
    assert_eq!(loss.ask("EXISTS"), ":0");
}

/// How it comes about: the replica that takes over has not heard of the entry.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_it_until_the_session_is_used() {
    let Some(mut loss) = Loss::prepare().await else {
        return;
    };
    let store = loss.bench.store.clone();
    // The first three servers are the primaries, and have the slots in their order; then come their replicas.
    let part = |name: &str| {
        let answer = loss.cluster.nodes()[0].ask(&["CLUSTER", "KEYSLOT", name]);
        let slot: usize = answer.unwrap().trim_start_matches(':').parse().unwrap();
        slot * 3 / 16_384
    };
    let index = part(&format!("{}o:ada", store.prefix()));
    let elsewhere = |key: &_| part(&session_name(&store, key)) != index;
    let session = (0..).map(key).find(elsewhere).unwrap();
    let [primary, replica] = [index, index + 3];
    loss.cluster.nodes()[replica].stop();
    let cut = loss.cluster.nodes()[primary].ask(&["CLIENT", "KILL", "TYPE", "replica"]);
    assert_eq!(cut.unwrap(), ":1");
    let record = loss.bench.owned("a", "ada");
    loss.bench.add(&session, record).await;
    loss.cluster.nodes_mut()[primary].kill_9();
    loss.cluster.nodes()[replica].cont();
    let listed = async || store.list_by_owner(&owner("ada")).await;
    until("a new primary that knows of none", || async {
        listed().await.is_ok_and(|listed| listed.is_empty())
    })
    .await;
    until("the session in the index", || async {
        loss.bench.clock.advance(LATER);
        let used = store.touch(&session, loss.bench.clock.now()).await;
        used.is_ok() && listed().await.is_ok_and(|listed| listed.len() == 1)
    })
    .await;
    let ended = store.destroy_by_owner(&owner("ada"), &[]).await;
    assert_eq!(ended.unwrap(), 1);
    assert_eq!(loss.bench.word(&session).await, None);
}

/// Since it counts entries, a limit holds again as soon as they are there.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_again() {
    let Some(loss) = Loss::prepare().await else {
        return;
    };
    let store = &loss.bench.store;
    loss.happen(loss.bench.owned("a", "ada")).await;
    assert_eq!(store.purge_expired().await.unwrap(), 0);
    let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::Refuse);
    let record = loss.bench.owned("b", "ada");
    let limits = store.owner_limits().unwrap();
    let outcome = limits.admit(None, &key(2), record, limit).await.unwrap();
    assert_eq!(outcome, AdmitOutcome::Refused);
}

/// However far a use has come when the session ends: nothing of it stays in the index, whether its entry was lost or
/// not.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_again_for_a_session_that_ended() {
    let Some(loss) = Loss::prepare().await else {
        return;
    };
    let (bench, store) = (&loss.bench, &loss.bench.store);
    let slow = Slow::beside(bench, &loss.cluster.url());
    for steps in 0..10 {
        for lost in [false, true] {
            for record in [bench.owned("a", "ada"), loss.idle()] {
                match lost {
                    true => loss.happen(record).await,
                    false => bench.add(&key(1), record).await,
                }
                bench.clock.advance(LATER);
                let (theirs, now) = (slow.store.clone(), bench.clock.now());
                let using = slow.begin(async move { theirs.touch(&key(1), now).await });
                for _ in 0..steps {
                    slow.step();
                }
                // Nobody ends all sessions of an owner as long as the index does not name them.
                match lost {
                    true => assert!(store.destroy(&key(1)).await.unwrap()),
                    false => {
                        let ended = store.destroy_by_owner(&owner("ada"), &[]).await;
                        assert_eq!(ended.unwrap(), 1);
                    }
                }
                slow.finish(using).unwrap();
                assert_eq!(bench.word(&key(1)).await, None, "{steps} {lost}");
                assert_eq!(loss.ask("EXISTS"), ":0", "{steps} {lost}");
            }
        }
    }
}
