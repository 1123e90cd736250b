//! How many operations per second, and how long each takes, with 1 and with 64 in flight.
//!
//! `cargo run --release -p cloakroom-redis --example throughput` starts private servers on this machine and
//! measures them; with URLs as arguments it measures those servers instead.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom_redis::{KeyPrefix, RedisStore};
use cloakroom_store::{
    Clock, Enumerate, Expect, Owner, Record, SessionKey, Store, SystemClock, Times,
};
use cloakroom_testservers::{Redis, RedisCluster};

type Data = Vec<String>;

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    if urls.is_empty() {
        let server = Redis::start_with(&["appendfsync everysec"])?;
        measure("one server, appendfsync everysec", &server.url()).await?;
        let server = Redis::start()?;
        measure("one server, appendfsync always", &server.url()).await?;
        let cluster = RedisCluster::start()?;
        measure("cluster of 3 + 3, appendfsync always", &cluster.url()).await?;
    }
    for url in urls {
        // Not the URL: it may hold a password.
        measure("the given server", &url).await?;
    }
    Ok(())
}

async fn measure(what: &str, url: &str) -> Result<(), Box<dyn Error>> {
    let store = RedisStore::<Data>::builder(url)
        .prefix(KeyPrefix::new("throughput:")?)
        .connect()
        .await?;
    println!("\n| {what} | in flight | ops/s | p50 | p99 |\n|---|---|---|---|---|");
    for verb in ["create", "get", "set", "touch", "rotate"] {
        for crowd in [1, 64] {
            let (count, mut times) = run(&store, verb, crowd).await?;
            times.sort_unstable();
            let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
            println!(
                "| {verb} | {crowd} | {:.0} | {:.2?} | {:.2?} |",
                count as f64 / MEASURED.as_secs_f64(),
                at(50),
                at(99)
            );
        }
    }
    store.clear().await?;
    Ok(())
}

/// Each of the crowd has sessions of its own, one after the other where an operation uses them up.
async fn run(
    store: &RedisStore<Data>,
    verb: &'static str,
    crowd: u64,
) -> Result<(usize, Vec<Duration>), Box<dyn Error>> {
    let mut tasks = Vec::new();
    for number in 0..crowd {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            let owner = Owner::new(format!("user-{number}")).expect("a valid owner");
            let mut record = Record::new(Arc::new(vec!["x".repeat(20); 10]), times());
            record.owner = Some(owner);
            let mut key = fresh();
            if verb != "create" {
                let _ = store.set(&key, record.clone(), Expect::Absent).await?;
            }
            let start = Instant::now();
            while start.elapsed() < MEASURED {
                let asked = Instant::now();
                match verb {
                    "create" => {
                        let _ = store.set(&fresh(), record.clone(), Expect::Absent).await?;
                    }
                    "get" => drop(store.get(&key).await?),
                    "set" => {
                        let _ = store.set(&key, record.clone(), Expect::Present).await?;
                    }
                    "touch" => {
                        let now = SystemClock.now();
                        store.touch(&key, now).await?;
                    }
                    _ => {
                        let to = fresh();
                        let _ = store.rotate(&key, &to, record.times).await?;
                        key = to;
                    }
                }
                took.push(asked.elapsed());
            }
            Ok::<_, cloakroom_store::StoreError>(took)
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    Ok((all.len(), all))
}

fn times() -> Times {
    let mut times = Times::starting(SystemClock.now());
    times.ends_at = Some(SystemClock.now().plus(Duration::from_secs(30 * 86_400)));
    times.idle_timeout = Some(Duration::from_secs(3_600));
    times
}

/// A key that nobody had before, evenly distributed.
fn fresh() -> SessionKey {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&RandomState::new().hash_one(0).to_be_bytes());
    }
    SessionKey::from_bytes(bytes)
}
