//! What writing a session does to the index of its owner, one server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use cloakroom_store::{Clock, Enumerate, Expect, Owner, SetOutcome, Store, Timestamp};
use cloakroom_testservers::{Redis, or_skip};
use common::{Bench, hex, key, owner};

const DAY: Duration = Duration::from_secs(86_400);

fn answer(server: &Redis, words: &[&str]) -> String {
    let answer = server.ask(words).unwrap();
    answer.trim_start_matches(':').to_owned()
}

async fn overwrite(bench: &Bench, name: &str, ends_at: Option<Timestamp>) {
    let mut record = bench.owned("b", name);
    record.times.ends_at = ends_at;
    let outcome = bench.store.set(&key(1), record, Expect::Present).await;
    assert!(matches!(outcome.unwrap(), SetOutcome::Stored(_)));
}

/// Nobody deletes indexes. But an application's clock that is set back lets a session live longer than was said to
/// Redis, and its index has to last as long.
#[tokio::test]
async fn an_index_that_would_go_too_early_lasts_after_the_next_write() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let index = format!("{}o:ada", bench.store.prefix());
    let left = || -> i64 { answer(&server, &["PTTL", &index]).parse().unwrap() };
    let day = DAY.as_millis() as i64;
    bench.add(&key(1), bench.owned("a", "ada")).await;
    let ends_at = Some(bench.clock.now().plus(DAY));
    answer(&server, &["PEXPIRE", &index, "3600000"]);
    overwrite(&bench, "ada", ends_at).await;
    assert!(left() > day, "{}", left());
    // For ever, and with an end again.
    overwrite(&bench, "ada", None).await;
    assert_eq!(left(), -1);
    overwrite(&bench, "ada", ends_at).await;
    assert_eq!(left(), -1);

    assert_eq!(answer(&server, &["DEL", &index]), "1");
    overwrite(&bench, "ada", ends_at).await;
    assert!(left() > day, "{}", left());
    let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(listed.len(), 1);
}

/// Owners of every length: a script reads as much of a session as it needs for that.
#[tokio::test]
async fn an_index_follows_owner_and_expiry() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let names = ["a", &"b".repeat(40), &"c".repeat(40), &"d".repeat(41)];
    let longest = "e".repeat(Owner::MAX_BYTES);
    let names: Vec<&str> = names.into_iter().chain([longest.as_str(), "a"]).collect();
    bench.add(&key(1), bench.owned("a", "before")).await;
    let mut former = "before";
    for (days, name) in (1..).zip(names) {
        // Twice: from another owner, and from the same one.
        for ends_at in [days * 2, days * 2 + 1].map(|days| bench.clock.now().plus(DAY * days)) {
            overwrite(&bench, name, Some(ends_at)).await;
            let index = format!("{}o:{name}", bench.store.prefix());
            let score = answer(&server, &["ZSCORE", &index, &hex(&key(1))]);
            assert_eq!(score, ends_at.as_millis().to_string(), "{name}");
            let listed = bench.store.list_by_owner(&owner(name)).await.unwrap();
            assert_eq!(listed.len(), 1, "{name}");
        }
        let index = format!("{}o:{former}", bench.store.prefix());
        assert_eq!(answer(&server, &["EXISTS", &index]), "0", "{former}");
        former = name;
    }
    // And from one to none.
    let record = bench.record("c");
    let outcome = bench.store.set(&key(1), record, Expect::Present).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(14));
    let index = format!("{}o:a", bench.store.prefix());
    assert_eq!(answer(&server, &["EXISTS", &index]), "0");
}
