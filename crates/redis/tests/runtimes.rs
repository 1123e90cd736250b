//! Applications of several runtimes, as those of actix are.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::mpsc::channel;

use cloakroom_store::Store;
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::{Bench, key, until};
use tokio::runtime::{Builder, Runtime};

fn worker() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The worker that needed a new connection is blocked by what it does next.
fn assert_not_held_up(url: &str, end_connections: impl Fn()) {
    let main = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let bench = main.block_on(Bench::on(url));
    end_connections();
    let bench = &bench;
    let (connects, connected) = channel();
    let (go_on, blocks) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            worker().block_on(async {
                // The first one may have been sent on the connection that ended.
                until("a connection", || async {
                    bench.store.get(&key(1)).await.is_ok()
                })
                .await;
                connects.send(()).unwrap();
                let _ = blocks.recv();
            });
        });
        connected.recv().unwrap();
        let answer = worker().block_on(bench.store.get(&key(1)));
        drop(go_on);
        assert!(answer.unwrap().is_none());
    });
}

fn end_connections(server: &Redis) {
    let ended = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert!(ended.unwrap().starts_with(':'));
}

#[test]
fn a_worker_that_blocks_holds_up_no_other() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    assert_not_held_up(&server.url(), || end_connections(&server));
}

#[test]
fn a_worker_that_blocks_holds_up_no_other_in_a_cluster() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    assert_not_held_up(&cluster.url(), || {
        cluster.nodes().iter().for_each(end_connections)
    });
}
