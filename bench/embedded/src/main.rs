//! The store over rusqlite, measured like the other stores for SQLite: see `bench/src/parts/databases.rs`.
//! `cloakroom-bench-embedded <file> <operations> <rounds>` prints a figure a line.

#[path = "../../src/figure.rs"]
#[allow(dead_code, reason = "shared with the whole benchmark")]
mod figure;
#[allow(dead_code, reason = "shared with the whole benchmark")]
mod keep;
#[path = "../../src/parts/race.rs"]
mod race;

use std::sync::Arc;

use cloakroom_rusqlite::{Durability, SqliteStore};

use figure::Figure;
use keep::{Keep, Ours};
use race::{CLIENTS, Data, OPERATIONS, SESSIONS, clock, data};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, operations, rounds] = &arguments[..] else {
        return Err("cloakroom-bench-embedded <file> <operations> <rounds>".into());
    };
    let (operations, rounds) = (operations.parse()?, rounds.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(file, operations, rounds))
}

async fn measure(file: &str, operations: usize, rounds: usize) -> Result<(), Failure> {
    let builder = SqliteStore::<Data>::builder(file).durability(Durability::ProcessCrash);
    let mut store = Ours::new(builder.open().await?, data());
    for _ in 0..SESSIONS {
        store.add().await?;
    }
    let store = Arc::new(store);
    for clients in CLIENTS {
        for (case, write) in OPERATIONS {
            let mut figures = Vec::new();
            // The first round prepares statements.
            for round in 0..=rounds {
                let speed = clock(&store, operations, clients, write).await?;
                if round > 0 {
                    figures.push(speed);
                }
            }
            Figure::of("Cloakroom, rusqlite", case, clients as u64, "SQLite, per second", figures).print();
        }
    }
    Ok(())
}
