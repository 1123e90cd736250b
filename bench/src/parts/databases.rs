//! The stores for databases: operations in a second, and what requests send over the wire.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cloakroom_redis::RedisStore;
use cloakroom_sqlx::{Durability, MySqlStore, PostgresStore, SqliteFile, SqliteStore};
use cloakroom_testservers::{MariaDb, Postgres, Redis};
use http::{HeaderValue, Request};
use tower::ServiceExt;

use super::race::{CLIENTS, Data, OPERATIONS, SESSIONS, clock, data};
use super::their_stores as theirs;
use crate::Failure;
use crate::app::{self, Jar, Service, Settings};
use crate::case::{Case, User};
use crate::figure::Figure;
use crate::keep::{Keep, Ours, TowerSessions14};
use crate::part::Part;
use crate::run::Run;
use crate::statements;
use crate::wire::{Protocol, Wire};

/// The subject of figures of the store over rusqlite.
pub const EMBEDDED: &str = "Cloakroom, rusqlite";
pub const SQLITE: &str = "SQLite";
pub const POSTGRES: &str = "PostgreSQL";
pub const MARIADB: &str = "MariaDB";
pub const REDIS: &str = "Redis";

pub fn run(run: &Run) -> Result<Part, Failure> {
    let mut part = Part::new(
        "d",
        "Databases",
        "Stores alone: operations in a second with 1 and with 64 in flight, some 500 bytes a session, 1,000 \
         sessions. Whole requests through the axum layer: statements and round trips, counted on the wire by a \
         proxy. Private servers on the same machine; both libraries take turns.",
    );
    part.setting(SQLITE, "WAL, `synchronous = NORMAL`, all");
    part.setting(
        EMBEDDED,
        "our other store for SQLite, which asks it without a driver's threads. In a process of its own, after the \
         other two: a program links one release of SQLite only",
    );
    part.setting(POSTGRES, "`fsync = off`, 16 connections, `test_before_acquire(false)`, both");
    part.setting(
        MARIADB,
        "as the tests' server is set up, 16 connections, `test_before_acquire(false)`, both",
    );
    part.setting(REDIS, "`appendonly no`; ours one multiplexed connection, theirs a pool of 6, as documented");
    part.setting(
        "what a write is",
        "both: the same data with a later end. Ours: a compare-and-set, with indexes of owner and expiry; theirs: an \
         upsert, without",
    );
    part.setting(
        "statements of SQLite",
        "as the driver's log names them; there is no wire, hence no round trip",
    );
    part.setting(
        "round trips of PostgreSQL and MariaDB",
        "the driver's pool asks each connection that comes back whether it is still alive: with tower-sessions one \
         more for each statement, which the request does not wait for; ours go back every 10 ms",
    );
    for database in [SQLITE, POSTGRES, MARIADB, REDIS] {
        run.say(&format!("d: {database}"));
        let operations = run.pick("4000", "1000");
        let rounds = run.pick("7", "3");
        part.figures.extend(run.measure(&["database", database, operations, rounds])?);
        if database == SQLITE {
            part.figures.extend(embedded(operations, rounds)?);
        }
        part.figures.extend(run.measure(&["traffic", database])?);
    }
    if part.figure("tower-sessions", "get", 1, &format!("{MARIADB}, per second")).is_none() {
        part.note("tower-sessions on MariaDB: its store could not make its table");
    }
    Ok(part)
}

/// The store over rusqlite, in a program of its own: see its `Cargo.toml`.
fn embedded(operations: &str, rounds: &str) -> Result<Vec<Figure>, Failure> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("embedded");
    let directory = scratch()?;
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "--quiet", "--"]).arg(directory.join("embedded.db"));
    let output = cargo.args([operations, rounds]).current_dir(package).output()?;
    std::fs::remove_dir_all(&directory)?;
    if !output.status.success() {
        return Err(format!("embedded: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Operations in a second.
pub fn operations(database: &str, operations: &str, rounds: &str) -> Result<(), Failure> {
    let (operations, rounds) = (operations.parse()?, rounds.parse()?);
    let race = Race { database, operations, rounds };
    runtime()?.block_on(async {
        let data = data();
        let json = serde_json::to_value(&data)?;
        match database {
            SQLITE => {
                let directory = scratch()?;
                let file = SqliteFile::new(directory.join("ours.db"));
                let pool = file.durability(Durability::ProcessCrash).open().await?;
                let ours = Ours::new(SqliteStore::<Data>::create(pool).await?, data);
                let other = theirs::sqlite(&directory.join("theirs.db")).await?;
                race.run(ours, Some(TowerSessions14::new(other, json))).await?;
                Ok(std::fs::remove_dir_all(&directory)?)
            }
            POSTGRES => {
                let server = Postgres::start()?;
                let ours = Ours::new(PostgresStore::<Data>::create(pg(&server.url()).await?).await?, data);
                let other = theirs::postgres(&server.url()).await?;
                race.run(ours, Some(TowerSessions14::new(other, json))).await
            }
            MARIADB => {
                let server = MariaDb::start()?;
                let ours = Ours::new(MySqlStore::<Data>::create(my(&server.url()).await?).await?, data);
                let other = theirs::mysql(&server.url()).await.ok();
                race.run(ours, other.map(|store| TowerSessions14::new(store, json))).await
            }
            REDIS => {
                let server = redis()?;
                let ours = Ours::new(RedisStore::<Data>::connect(&server.url()).await?, data);
                let other = theirs::redis(&server.url()).await?;
                race.run(ours, Some(TowerSessions14::new(other, json))).await
            }
            other => Err(format!("no database {other}").into()),
        }
    })
}

struct Race<'a> {
    database: &'a str,
    operations: usize,
    rounds: usize,
}

impl Race<'_> {
    async fn run(&self, mut ours: impl Keep, theirs: Option<impl Keep>) -> Result<(), Failure> {
        for _ in 0..SESSIONS {
            ours.add().await?;
        }
        let ours = Arc::new(ours);
        let mut theirs = theirs;
        if let Some(theirs) = &mut theirs {
            for _ in 0..SESSIONS {
                theirs.add().await?;
            }
        }
        let theirs = theirs.map(Arc::new);
        for clients in CLIENTS {
            for (case, write) in OPERATIONS {
                let mut figures = [Vec::new(), Vec::new()];
                // The first round prepares statements and opens connections.
                for round in 0..=self.rounds {
                    // Neither is always the first.
                    for turn in [round % 2, 1 - round % 2] {
                        let speed = match (turn, &theirs) {
                            (0, _) => clock(&ours, self.operations, clients, write).await?,
                            (_, Some(theirs)) => clock(theirs, self.operations, clients, write).await?,
                            (_, None) => continue,
                        };
                        if round > 0 {
                            figures[turn].push(speed);
                        }
                    }
                }
                let metric = format!("{}, per second", self.database);
                for (subject, figures) in ["Cloakroom", "tower-sessions"].into_iter().zip(figures) {
                    if !figures.is_empty() {
                        Figure::of(subject, case, clients as u64, &metric, figures).print();
                    }
                }
            }
        }
        Ok(())
    }
}

/// Statements and round trips of whole requests.
pub fn traffic(database: &str) -> Result<(), Failure> {
    statements::listen();
    let settings = Settings::resident(1_000);
    runtime()?.block_on(async {
        match database {
            SQLITE => {
                let directory = scratch()?;
                let ours = SqliteStore::<User>::open(&directory.join("ours.db")).await?;
                let ours = app::cloakroom_service(ours, &settings);
                requests(database, "Cloakroom", ours, None).await?;
                let other = theirs::sqlite(&directory.join("theirs.db")).await?;
                let other = app::tower_sessions_14_service(other, &settings);
                requests(database, "tower-sessions", other, None).await?;
                Ok(std::fs::remove_dir_all(&directory)?)
            }
            POSTGRES => {
                let server = Postgres::start()?;
                let (wire, url) = tapped(&server.url(), server.port(), Protocol::Postgres)?;
                let ours = PostgresStore::<User>::create(pg(&url).await?).await?;
                let ours = app::cloakroom_service(ours, &settings);
                requests(database, "Cloakroom", ours, Some(&wire)).await?;
                let other = theirs::postgres(&url).await?;
                let other = app::tower_sessions_14_service(other, &settings);
                requests(database, "tower-sessions", other, Some(&wire)).await
            }
            MARIADB => {
                let server = MariaDb::start()?;
                let (wire, url) = tapped(&server.url(), server.port(), Protocol::MySql)?;
                let ours = MySqlStore::<User>::create(my(&url).await?).await?;
                let ours = app::cloakroom_service(ours, &settings);
                requests(database, "Cloakroom", ours, Some(&wire)).await?;
                let Ok(other) = theirs::mysql(&url).await else { return Ok(()) };
                let other = app::tower_sessions_14_service(other, &settings);
                requests(database, "tower-sessions", other, Some(&wire)).await
            }
            REDIS => {
                let server = redis()?;
                let (wire, url) = tapped(&server.url(), server.port(), Protocol::Redis)?;
                let ours = RedisStore::<User>::connect(&url).await?;
                let ours = app::cloakroom_service(ours, &settings);
                requests(database, "Cloakroom", ours, Some(&wire)).await?;
                let other = theirs::redis(&url).await?;
                let other = app::tower_sessions_14_service(other, &settings);
                requests(database, "tower-sessions", other, Some(&wire)).await
            }
            other => Err(format!("no database {other}").into()),
        }
    })
}

fn tapped(url: &str, port: u16, protocol: Protocol) -> Result<(Wire, String), Failure> {
    let wire = Wire::to(port, protocol)?;
    let url = url.replace(&format!(":{port}"), &format!(":{}", wire.port));
    Ok((wire, url))
}

async fn requests(
    database: &str,
    subject: &str,
    service: Service,
    wire: Option<&Wire>,
) -> Result<(), Failure> {
    const COUNTED: u64 = 20;
    let mut jar = Jar::default();
    request(&service, Case::SignIn, &mut jar).await?;
    for case in Case::ALL {
        // Connections and prepared statements of the first requests are not what a request costs.
        for _ in 0..COUNTED {
            request(&service, case, &mut jar).await?;
        }
        let before = counts(wire);
        for _ in 0..COUNTED {
            request(&service, case, &mut jar).await?;
        }
        let after = counts(wire);
        let figure = |kind: &str, count: u64| {
            let each = vec![count as f64 / COUNTED as f64];
            Figure::of(subject, case.name(), 1, &format!("{database}, {kind}"), each).print();
        };
        figure("statements", after.0 - before.0);
        if wire.is_some() {
            figure("round trips", after.1 - before.1);
        }
    }
    Ok(())
}

fn counts(wire: Option<&Wire>) -> (u64, u64) {
    wire.map_or_else(|| (statements::count(), 0), Wire::counts)
}

async fn request(service: &Service, case: Case, jar: &mut Jar) -> Result<(), Failure> {
    let mut request = Request::builder().uri(case.path());
    if case.has_cookie() && !jar.is_empty() {
        let cookie: HeaderValue = jar.header();
        request = request.header("cookie", cookie);
    }
    let response = service.clone().oneshot(request.body(axum::body::Body::empty())?).await?;
    if !response.status().is_success() {
        return Err(format!("{}: {}", case.name(), response.status()).into());
    }
    for field in response.headers().get_all("set-cookie") {
        jar.add(field.to_str()?);
    }
    Ok(())
}

async fn pg(url: &str) -> Result<sqlx::PgPool, Failure> {
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(16).test_before_acquire(false);
    Ok(pool.connect(url).await?)
}

async fn my(url: &str) -> Result<sqlx::MySqlPool, Failure> {
    let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(16).test_before_acquire(false);
    Ok(pool.connect(url).await?)
}

/// Not the tests' settings: both libraries are to be seen, not the disk.
pub fn redis() -> Result<Redis, Failure> {
    Ok(Redis::start_with(&["appendonly no"])?)
}

pub fn scratch() -> Result<std::path::PathBuf, Failure> {
    let directory = std::env::temp_dir().join(format!("cloakroom-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}

pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
