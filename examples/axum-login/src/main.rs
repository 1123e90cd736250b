//! `cargo run -p axum-login`, then
//! `curl -c jar -b jar -H 'Content-Type: application/json' -d '{"name":"ada","password":"lovelace"}' http://127.0.0.1:3000/sign-in`.

use axum_login::{Accounts, app};
use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let accounts = Accounts::new()?;
    accounts.add("ada", "lovelace")?;
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
        .cookie(CookieOptions::insecure_for_local_http())
        .owned_by(|user: &axum_login::User| user.name.clone())
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(accounts, sessions)).await?)
}
