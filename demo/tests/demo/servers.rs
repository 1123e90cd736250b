//! The program with its sessions on a database server that is killed and comes back.

use std::fs;
use std::time::Duration;

use cloakroom_testservers::{MariaDb, Postgres, Redis, RedisCluster, or_skip};
use tokio::task::JoinSet;

use crate::client::Visitor;
use crate::live::Live;
use crate::process::Program;

/// Signs in, adds from many requests at once, loses the server, gets it back.
async fn shop(url: &str, kill: impl FnOnce(), restart: impl FnOnce()) {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start_with(&directory, "error", &["--store", url]).await;
    let mut ada = program.visitor();
    ada.sign_in("ada").await;
    let mut adds = JoinSet::new();
    for item in 0..64 {
        let mut ada = ada.clone();
        adds.spawn(async move {
            let body = format!(r#"{{"item":"{item}","work_ms":5}}"#);
            ada.post("/api/cart", &body).await.status
        });
    }
    assert_eq!(adds.join_all().await, [200; 64]);
    assert_eq!(ada.cart().await.unwrap().len(), 64);

    revoke(&mut ada, program.visitor()).await;

    kill();
    let reply = ada.get("/api/me").await;
    reply.assert_error(503);
    assert!(reply.header("retry-after").is_some() && reply.set_cookie().is_none());
    let reply = ada.post("/api/logout", "").await;
    reply.assert_error(503);
    assert_eq!(reply.set_cookie(), None);

    restart();
    // The first requests may still get connections of the old server's.
    let mut answers = Vec::new();
    while answers.last() != Some(&200) {
        answers.push(ada.get("/api/me").await.status);
        assert!(answers.len() < 500, "it does not come back: {answers:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        answers.iter().all(|status| [200, 503].contains(status)),
        "{answers:?}"
    );
    assert_eq!(ada.cart().await.unwrap().len(), 64);

    let reply = ada.post("/api/logout", "").await;
    assert_eq!(reply.status, 204);
    assert_eq!(ada.get("/api/me").await.status, 401);
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(
        log.contains("session store"),
        "the outage was logged: {log}"
    );
}

/// The phone follows its session, and the laptop ends it from the list of devices.
async fn revoke(laptop: &mut Visitor, mut phone: Visitor) {
    phone.sign_in("ada").await;
    let live = Live::of(&phone).await;
    let devices = laptop.get("/api/sessions").await.json();
    let devices = devices.as_array().unwrap();
    assert_eq!(devices.len(), 2);
    let other = devices.iter().find(|device| device["current"] == false);
    let handle = other.unwrap()["handle"].as_str().unwrap();
    let reply = laptop.delete(&format!("/api/sessions/{handle}")).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    assert!(live.ended().await.contains("event: ended"));
    phone.get("/api/me").await.assert_error(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let url = server.url();
    let server = std::sync::Mutex::new(server);
    let kill = || server.lock().unwrap().kill_9();
    shop(&url, kill, || server.lock().unwrap().restart().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_mariadb() {
    let Some(server) = or_skip(MariaDb::start()) else {
        return;
    };
    let url = server.url();
    let server = std::sync::Mutex::new(server);
    let kill = || server.lock().unwrap().kill_9();
    shop(&url, kill, || server.lock().unwrap().restart().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis() {
    let durable = ["appendonly yes", "appendfsync always"];
    let Some(server) = or_skip(Redis::start_with(&durable)) else {
        return;
    };
    let url = server.url();
    let server = std::sync::Mutex::new(server);
    let kill = || server.lock().unwrap().kill_9();
    shop(&url, kill, || server.lock().unwrap().restart().unwrap()).await;
}

/// All servers at once: losing one of them is a failover, which the store's own tests go through.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_redis_cluster() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let url = cluster.url();
    let pause = || cluster.nodes().iter().for_each(|node| node.stop());
    let resume = || {
        cluster.nodes().iter().for_each(|node| node.cont());
        cluster.settle().unwrap();
    };
    shop(&url, pause, resume).await;
}
