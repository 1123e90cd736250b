//! `cargo run -p axum-counter`, then `curl -c jar -b jar http://127.0.0.1:3000/` a few times.

use axum_counter::app;
use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A new secret with each start will do: the memory store forgets as well.
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
        .cookie(CookieOptions::insecure_for_local_http())
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(sessions)).await?)
}
