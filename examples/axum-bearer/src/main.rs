//! `cargo run -p axum-bearer`: see the library's documentation.

use axum_bearer::{Both, app};
use cloakroom::{MemoryStore, Secret};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Both::over(MemoryStore::new(), Secret::generate()?)?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(sessions)).await?)
}
