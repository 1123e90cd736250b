//! What the stores do in a second: `cargo run --release --bin stores` in this folder.
//!
//! Beside tower-sessions' store for the same database, where there is one, set up as its documentation recommends.
//! Both speak to one private server on this machine, take turns within one run, and keep some 500 bytes a session.
//! Each figure is the median of the rounds.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use cloakroom::{Clock, Expect, Record, SessionKey, SetOutcome, Store, SystemClock, Times};
use cloakroom_redis::RedisStore;
use cloakroom_sqlx::{Durability, MySqlStore, PostgresStore, SqliteFile, SqliteStore};
use cloakroom_testservers::{MariaDb, Postgres, Redis};
use tower_sessions_core::{SessionStore, session};

const ROUNDS: usize = 5;
const OPERATIONS: usize = 2_000;
const CLIENTS: [usize; 2] = [1, 16];

type Data = HashMap<String, String>;
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// A store with sessions in it, each of which can be read and written.
trait Bench: Send + Sync {
    fn read(&self, session: usize) -> Answer<'_>;
    fn write(&self, session: usize) -> Answer<'_>;
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    println!("| database | clients | `get` | theirs | `set` | theirs |");
    println!("|---|---|---|---|---|---|");

    let directory = std::env::temp_dir().join(format!("cloakroom-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let file = SqliteFile::new(directory.join("ours.db")).durability(Durability::ProcessCrash);
    let ours = SqliteStore::<Data>::create(file.open().await?).await?;
    let theirs = {
        use tower_sessions_sqlx_store::sqlx::sqlite::*;
        let options = SqliteConnectOptions::new()
            .filename(directory.join("theirs.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let store = tower_sessions_sqlx_store::SqliteStore::new(pool);
        store.migrate().await?;
        store
    };
    compare("SQLite, WAL, `synchronous = NORMAL`", ours, theirs).await?;
    std::fs::remove_dir_all(&directory)?;

    let server = Postgres::start()?;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(10).test_before_acquire(false);
    let ours = PostgresStore::<Data>::create(pool.connect(&server.url()).await?).await?;
    let theirs = {
        use tower_sessions_sqlx_store::sqlx::postgres::PgPoolOptions;
        let pool = PgPoolOptions::new().max_connections(10).test_before_acquire(false);
        let store = tower_sessions_sqlx_store::PostgresStore::new(pool.connect(&server.url()).await?);
        store.migrate().await?;
        store
    };
    compare("PostgreSQL, `fsync = off`", ours, theirs).await?;
    drop(server);

    let server = MariaDb::start()?;
    let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(10).test_before_acquire(false);
    let ours = MySqlStore::<Data>::create(pool.connect(&server.url()).await?).await?;
    let theirs = {
        use tower_sessions_sqlx_store::sqlx::mysql::MySqlPoolOptions;
        let pool = MySqlPoolOptions::new().max_connections(10).test_before_acquire(false);
        let store = tower_sessions_sqlx_store::MySqlStore::new(pool.connect(&server.url()).await?);
        // It keeps its table in a schema of its own, which this user may not make: skipped if so.
        store.migrate().await.map(|()| store)
    };
    match theirs {
        Ok(theirs) => compare("MariaDB, `flush_log_at_trx_commit = 2`", ours, theirs).await?,
        Err(error) => println!("| MariaDB | theirs cannot make its table: {error} | | | | |"),
    }
    drop(server);

    let server = Redis::start()?;
    let ours = RedisStore::<Data>::connect(&server.url()).await?;
    let theirs = {
        use tower_sessions_redis_store::fred::prelude::*;
        let pool = Pool::new(Config::from_url(&server.url())?, None, None, None, 6)?;
        pool.connect();
        pool.wait_for_connect().await?;
        tower_sessions_redis_store::RedisStore::new(pool)
    };
    compare("Redis, no append-only file", ours, theirs).await
}

async fn compare(
    name: &str,
    ours: impl Store<Data>,
    theirs: impl SessionStore,
) -> Result<(), Failure> {
    let sessions = CLIENTS[1];
    let both: [Arc<dyn Bench>; 2] =
        [Ours::fill(ours, sessions).await?, Theirs::fill(theirs, sessions).await?];
    for clients in CLIENTS {
        // Reads of ours, of theirs, writes of ours, of theirs.
        let mut figures: [Vec<f64>; 4] = Default::default();
        for _ in 0..ROUNDS {
            for (at, figures) in figures.iter_mut().enumerate() {
                figures.push(measure(&both[at % 2], clients, at >= 2).await?);
            }
        }
        let [a, b, c, d] = figures.map(median);
        println!("| {name} | {clients} | {a:.0} | {b:.0} | {c:.0} | {d:.0} |");
    }
    Ok(())
}

/// Operations in a second.
async fn measure(bench: &Arc<dyn Bench>, clients: usize, write: bool) -> Result<f64, Failure> {
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let bench = Arc::clone(bench);
        tasks.spawn(async move {
            for _ in 0..OPERATIONS / clients {
                if write {
                    bench.write(client).await?;
                } else {
                    bench.read(client).await?;
                }
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok((OPERATIONS / clients * clients) as f64 / start.elapsed().as_secs_f64())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn data() -> Data {
    (0..10).map(|at| (format!("field {at}"), "x".repeat(40))).collect()
}

struct Ours<S> {
    store: S,
    data: Arc<Data>,
}

impl<S: Store<Data>> Ours<S> {
    async fn fill(store: S, sessions: usize) -> Result<Arc<dyn Bench>, Failure> {
        let data = Arc::new(data());
        let ours = Self { store, data };
        for session in 0..sessions {
            let record = ours.record();
            let outcome = ours.store.set(&key(session), record, Expect::Absent).await?;
            assert_eq!(outcome, SetOutcome::Stored(1));
        }
        Ok(Arc::new(ours))
    }

    fn record(&self) -> Record<Data> {
        let now = SystemClock.now();
        let mut times = Times::starting(now);
        times.ends_at = Some(now.plus(std::time::Duration::from_secs(86_400)));
        Record::new(Arc::clone(&self.data), times)
    }
}

impl<S: Store<Data>> Bench for Ours<S> {
    fn read(&self, session: usize) -> Answer<'_> {
        Box::pin(async move {
            let record = self.store.get(&key(session)).await?;
            Ok(assert_eq!(record.expect("it is there").data.len(), 10))
        })
    }

    fn write(&self, session: usize) -> Answer<'_> {
        Box::pin(async move {
            let write = self.store.set(&key(session), self.record(), Expect::Present);
            Ok(assert!(matches!(write.await?, SetOutcome::Stored(_))))
        })
    }
}

fn key(session: usize) -> SessionKey {
    SessionKey::from_bytes([session as u8; 32])
}

struct Theirs<S> {
    store: S,
    records: Vec<session::Record>,
}

impl<S: SessionStore> Theirs<S> {
    async fn fill(store: S, sessions: usize) -> Result<Arc<dyn Bench>, Failure> {
        let mut records = Vec::new();
        for _ in 0..sessions {
            let data = data().into_iter().map(|(name, value)| (name, value.into())).collect();
            let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::days(1);
            let mut record = session::Record { id: session::Id::default(), data, expiry_date };
            store.create(&mut record).await?;
            records.push(record);
        }
        Ok(Arc::new(Self { store, records }))
    }
}

impl<S: SessionStore> Bench for Theirs<S> {
    fn read(&self, session: usize) -> Answer<'_> {
        Box::pin(async move {
            let record = self.store.load(&self.records[session].id).await?;
            Ok(assert_eq!(record.expect("it is there").data.len(), 10))
        })
    }

    fn write(&self, session: usize) -> Answer<'_> {
        Box::pin(async move { Ok(self.store.save(&self.records[session]).await?) })
    }
}
