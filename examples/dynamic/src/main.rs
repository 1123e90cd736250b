//! `SESSION_SECRET=$(openssl rand -hex 32) cargo run -p dynamic`, then
//! `curl -c jar -b jar -X PUT -H 'Content-Type: application/json' -d '"green"' http://127.0.0.1:3000/colour`.

use cloakroom::{CookieOptions, Secret, Sessions};
use cloakroom_sqlx::SqliteStore;
use dynamic::{Anything, app};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = SqliteStore::<Anything>::open("dynamic.db").await?;
    let sessions = Sessions::builder(store, Secret::from_env("SESSION_SECRET")?)
        .cookie(CookieOptions::insecure_for_local_http())
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(sessions)).await?)
}
