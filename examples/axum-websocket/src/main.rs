//! `cargo run -p axum-websocket`: see the library's documentation.

use axum_websocket::app;
use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
        .cookie(CookieOptions::insecure_for_local_http())
        .owned_by(|name: &String| name.clone())
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(sessions, "http://127.0.0.1:3000")).await?)
}
