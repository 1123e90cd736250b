//! What grows when the work does: more sessions, more sessions of one owner, more data in a session.

use std::time::Instant;

use cloakroom::{Enumerate, Expect, MemoryStore, Owner, SetOutcome, Store};
use cloakroom_redis::RedisStore;
use cloakroom_sqlx::{Durability, SqliteFile, SqliteStore};

use super::databases::{REDIS, SQLITE, redis, runtime, scratch};
use super::{in_process, their_stores as theirs};
use crate::Failure;
use crate::app::Subject;
use crate::figure::Figure;
use crate::keep::{Keep, Ours, TowerSessions, TowerSessions14, key};
use crate::part::Part;
use crate::run::Run;

const MEMORY: &str = "memory";

/// What ten million sessions need, with room for the measurement.
const ENOUGH_KILOBYTES: u64 = 9_000_000;

pub fn run(run: &Run) -> Result<Part, Failure> {
    let mut part = Part::new(
        "e",
        "As work grows",
        "Nanoseconds above the bare router with ever more sessions in memory; microseconds of store operations \
         with ever more sessions of one owner, and with ever more data in a session.",
    );
    part.setting("sessions", "requests as in the first part; the size is the number of sessions");
    part.setting("owner", "the size is the number of live sessions of that owner; no other library here knows owners");
    part.setting("data", "one string; the size is its length in bytes; SQLite and Redis as in the part on databases");
    let many = if in_process::available_kilobytes() > ENOUGH_KILOBYTES {
        run.pick(&["1000000", "3000000", "10000000"][..], &["100000", "300000"][..])
    } else {
        part.note("10 million sessions: too little free memory");
        run.pick(&["1000000", "3000000"][..], &["100000", "300000"][..])
    };
    for sessions in many {
        run.say(&format!("e: {sessions} sessions"));
        part.figures.extend(run.measure(&["requests", Subject::Cloakroom.id(), sessions, "5"])?);
    }
    part.figures.retain(|figure| !(figure.metric == "nanoseconds" && figure.subject == Subject::Bare.name()));
    let rounds = run.pick("7", "3");
    for store in [MEMORY, SQLITE, REDIS] {
        run.say(&format!("e: {store}"));
        part.figures.extend(run.measure(&["owners", store, rounds])?);
        part.figures.extend(run.measure(&["payload", store, rounds])?);
    }
    Ok(part)
}

/// Sign-in and sign-out, and the list of the sessions, of an owner who has many.
pub fn owners(store: &str, rounds: &str) -> Result<(), Failure> {
    let rounds = rounds.parse()?;
    runtime()?.block_on(async {
        match store {
            MEMORY => owner(store, MemoryStore::<String>::new(), rounds).await,
            SQLITE => {
                let directory = scratch()?;
                let file = SqliteFile::new(directory.join("ours.db"));
                let pool = file.durability(Durability::ProcessCrash).open().await?;
                owner(store, SqliteStore::<String>::create(pool).await?, rounds).await?;
                Ok(std::fs::remove_dir_all(&directory)?)
            }
            _ => {
                let server = redis()?;
                owner(store, RedisStore::<String>::connect(&server.url()).await?, rounds).await
            }
        }
    })
}

async fn owner(name: &str, store: impl Store<String>, rounds: usize) -> Result<(), Failure> {
    let mut keep = Ours::new(store, "x".repeat(100));
    let mut sessions = 0;
    for size in [1u64, 10, 100, 1_000] {
        let who = Owner::new("ada")?;
        keep.owned_by(&who);
        while sessions < size {
            keep.add().await?;
            sessions += 1;
        }
        let (mut signs, mut lists) = (Vec::new(), Vec::new());
        for _ in 0..=rounds {
            const TIMES: u32 = 50;
            let extra = key(u64::MAX);
            let start = Instant::now();
            for _ in 0..TIMES {
                let outcome = keep.store.set(&extra, keep.record(), Expect::Absent).await?;
                if outcome != SetOutcome::Stored(1) {
                    return Err(format!("{outcome:?}").into());
                }
                keep.store.destroy(&extra).await?;
            }
            signs.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
            let start = Instant::now();
            for _ in 0..TIMES / 5 {
                let all = enumerate(&keep.store)?.list_by_owner(&who).await?;
                if all.len() as u64 != size {
                    return Err(format!("{} sessions of {size}", all.len()).into());
                }
            }
            lists.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES / 5));
        }
        let case = |what: &str| format!("{name}: {what}");
        let metric = "microseconds, by sessions of the owner";
        Figure::of("Cloakroom", &case("one more, and its end"), size, metric, signs.split_off(1)).print();
        Figure::of("Cloakroom", &case("list them all"), size, metric, lists.split_off(1)).print();
    }
    Ok(())
}

fn enumerate<S: Store<String>>(store: &S) -> Result<&dyn Enumerate<String>, Failure> {
    store.enumerate().ok_or_else(|| "it cannot list".into())
}

/// Reads and writes of sessions of that many bytes.
pub fn payload(store: &str, rounds: &str) -> Result<(), Failure> {
    let rounds = rounds.parse()?;
    runtime()?.block_on(async {
        for size in [100usize, 1_000, 4_096, 16_384, 65_000] {
            let data = "x".repeat(size);
            let json = serde_json::Value::String(data.clone());
            match store {
                MEMORY => {
                    let ours = Ours::new(MemoryStore::<String>::new(), data);
                    clock("Cloakroom", store, size, ours, rounds).await?;
                    let other = TowerSessions::new(tower_sessions::MemoryStore::default(), json);
                    clock("tower-sessions", store, size, other, rounds).await?;
                }
                SQLITE => {
                    let directory = scratch()?;
                    let file = SqliteFile::new(directory.join("ours.db"));
                    let pool = file.durability(Durability::ProcessCrash).open().await?;
                    let ours = Ours::new(SqliteStore::<String>::create(pool).await?, data);
                    clock("Cloakroom", store, size, ours, rounds).await?;
                    let other = theirs::sqlite(&directory.join("theirs.db")).await?;
                    let other = TowerSessions14::new(other, json);
                    clock("tower-sessions", store, size, other, rounds).await?;
                    std::fs::remove_dir_all(&directory)?;
                }
                _ => {
                    let server = redis()?;
                    let ours = Ours::new(RedisStore::<String>::connect(&server.url()).await?, data);
                    clock("Cloakroom", store, size, ours, rounds).await?;
                    let other = theirs::redis(&server.url()).await?;
                    let other = TowerSessions14::new(other, json);
                    clock("tower-sessions", store, size, other, rounds).await?;
                }
            }
        }
        Ok(())
    })
}

async fn clock(
    subject: &str,
    store: &str,
    size: usize,
    mut keep: impl Keep,
    rounds: usize,
) -> Result<(), Failure> {
    const SESSIONS: usize = 50;
    const TIMES: usize = 200;
    for _ in 0..SESSIONS {
        keep.add().await?;
    }
    for (name, write) in [("get", false), ("set", true)] {
        let mut figures = Vec::new();
        for _ in 0..=rounds {
            let start = Instant::now();
            for time in 0..TIMES {
                if write {
                    keep.set(time % SESSIONS).await?;
                } else {
                    keep.get(time % SESSIONS).await?;
                }
            }
            figures.push(start.elapsed().as_secs_f64() * 1e6 / TIMES as f64);
        }
        let case = format!("{store}: {name}");
        let metric = "microseconds, by bytes of data";
        Figure::of(subject, &case, size as u64, metric, figures.split_off(1)).print();
    }
    Ok(())
}
