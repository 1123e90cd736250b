//! `cargo run -p axum-csrf`: see the library's documentation.

use axum_csrf::app;
use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
        .cookie(CookieOptions::insecure_for_local_http())
        .save_uninitialized(true)
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(sessions)).await?)
}
