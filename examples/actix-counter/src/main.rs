//! `cargo run -p actix-counter`, then `curl -c jar -b jar http://127.0.0.1:3000/` a few times.

use actix_counter::app;
use actix_web::{App, HttpServer};
use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A new secret with each start will do: the memory store forgets as well.
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
        .cookie(CookieOptions::insecure_for_local_http())
        .build()?;
    let server = HttpServer::new(move || App::new().configure(app(sessions.clone())));
    Ok(server.bind("127.0.0.1:3000")?.run().await?)
}
