//! Connections that nobody uses.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use cloakroom_store::Announcements;
use cloakroom_testservers::{Redis, or_skip};
use common::{Bench, key, until};

/// The timers of the established connections to that port, as the kernel tells them: 2 is that of keep-alive.
fn timers(port: u16) -> Vec<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    // The number, the two addresses, the state, the queues, the timer and when it is due.
    let rows = rows.filter(|row| row[2].ends_with(&format!(":{port:04X}")) && row[3] == "01");
    rows.map(|row| row[5].split(':').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn idle_connections_are_kept_alive() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::with(&server.url(), |builder| builder.announce_endings()).await;
    bench.add(&key(1), bench.record("a")).await;
    let _listening = bench.store.listen(Box::new(|_| {}));
    until("two connections with a timer", || async {
        timers(server.port()) == ["02", "02"]
    })
    .await;
}
