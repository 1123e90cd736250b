//! `cargo run -p actix-devices`: see the library's documentation.

use actix_devices::{Passwords, app, sessions};
use actix_web::{App, HttpServer};
use cloakroom::{MemoryStore, Secret, SystemClock};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = sessions(MemoryStore::new(), Secret::generate()?, SystemClock)?;
    let passwords = Passwords::default();
    passwords.set("ada", "lovelace");
    let server =
        HttpServer::new(move || App::new().configure(app(sessions.clone(), passwords.clone())));
    Ok(server.bind("127.0.0.1:3000")?.run().await?)
}
