//! Promise 5 by the databases' own count: what each kind of request costs, from the logs of PostgreSQL and MariaDB.
//! What it costs Redis, `cloakroom-redis` counts with `MONITOR`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use cloakroom::{ManualClock, Secret, Sessions, Store};
use cloakroom_sqlx::{DbStore, Dialect};
use cloakroom_testservers::{MariaDb, Postgres, or_skip};
use sqlx::Pool;

type Cart = Vec<String>;

/// The rows of the table, with their statements.
const TABLE: [(&str, usize); 11] = [
    ("no cookie", 0),
    ("ignores the session", 0),
    ("forged cookie", 0),
    ("reads", 1),
    ("reads and saves", 2),
    ("updates", 2),
    ("first save", 1),
    ("signs in over a live session", 2),
    ("signs in without loading", 1),
    ("signs out", 1),
    ("reads after a minute", 2),
];

struct Shop {
    sessions: Sessions<Cart>,
    clock: ManualClock,
}

impl Shop {
    fn new(store: impl Store<Cart>, clock: ManualClock) -> Self {
        let sessions = Sessions::builder(store, Secret::generate().unwrap())
            .clock(clock.clone())
            .idle_timeout(Duration::from_secs(1_800));
        Self {
            sessions: sessions.build().unwrap(),
            clock,
        }
    }

    /// `seen` is how many statements the server has had so far.
    async fn check(&self, seen: impl Fn() -> usize) {
        // The first time around statements are prepared, which some logs show as well.
        for counted in [false, true] {
            for (kind, expected) in TABLE {
                let cookie = self.signed_in().await;
                let before = seen();
                self.request(kind, cookie).await;
                assert!(
                    !counted || seen() - before == expected,
                    "{kind}: {}",
                    seen() - before
                );
            }
        }
    }

    async fn signed_in(&self) -> String {
        let request = self.sessions.for_request([""]);
        request.resave(Cart::new()).await.unwrap();
        let response = request.finish().await;
        let cookie = response.set_cookie().unwrap().split(';').next();
        cookie.unwrap().to_owned()
    }

    async fn request(&self, kind: &str, cookie: String) {
        let cookie = match kind {
            "no cookie" | "first save" => String::new(),
            "forged cookie" => cookie.replace('.', ","),
            _ => cookie,
        };
        let request = self.sessions.for_request([cookie]);
        if kind == "reads after a minute" {
            self.clock.advance(Duration::from_secs(61));
        }
        match kind {
            "ignores the session" => {}
            "signs in without loading" => request.resave(Cart::new()).await.unwrap(),
            "signs out" => request.logout().await.unwrap(),
            _ => {
                let session = request.load().await.unwrap();
                let absent = ["no cookie", "forged cookie", "first save"].contains(&kind);
                assert_eq!(session.data().is_none(), absent, "{kind}");
                match kind {
                    "reads and saves" | "first save" => session.save(Cart::new()).await.unwrap(),
                    "updates" => session
                        .update(|cart| cart.push("tea".into()))
                        .await
                        .unwrap(),
                    "signs in over a live session" => session.resave(Cart::new()).await.unwrap(),
                    _ => {}
                }
            }
        }
        let _ = request.finish().await;
    }
}

async fn shop<DB: Dialect>(pool: Pool<DB>) -> Shop {
    let clock = ManualClock::starting_now();
    let builder = DbStore::builder(pool).clock(clock.clone());
    let store = builder.without_purge_task().create().await.unwrap();
    Shop::new(store, clock)
}

/// The lines of a log with one of these words in them.
fn lines(path: PathBuf, words: &'static [&'static str]) -> impl Fn() -> usize {
    move || {
        let log = fs::read(&path).unwrap();
        let log = String::from_utf8_lossy(&log);
        let named = |line: &&str| words.iter().any(|word| line.contains(word));
        log.lines().filter(named).count()
    }
}

#[tokio::test]
async fn by_the_log_of_postgres() {
    let Some(server) = or_skip(Postgres::start_with(&["log_statement=all"])) else {
        return;
    };
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let url = server.url();
    let pool = options.test_before_acquire(false).connect(&url);
    let seen = lines(server.log_path(), &["LOG:  execute", "LOG:  statement"]);
    shop(pool.await.unwrap()).await.check(seen).await;
}

#[tokio::test]
async fn by_the_general_log_of_mariadb() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("general.log");
    // The server may run as another user.
    fs::write(&path, "").unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let to = format!("--general-log-file={}", path.display());
    let Some(server) = or_skip(MariaDb::start_with(&["--general-log=1", &to])) else {
        return;
    };
    let options = sqlx::mysql::MySqlPoolOptions::new().max_connections(1);
    let url = server.url();
    let pool = options.test_before_acquire(false).connect(&url);
    let seen = lines(path, &["Execute\t", "Query\t"]);
    shop(pool.await.unwrap()).await.check(seen).await;
}
