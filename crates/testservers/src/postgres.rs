use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::place::Place;
use crate::server::Recipe;
use crate::{Server, StartError, binary};

const PACKAGE: &str = "postgresql";
const USUAL: &[&str] = &["/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin"];

/// A PostgreSQL server with one database, `postgres`, and the user `cloakroom`, who needs no password.
#[derive(Debug)]
pub struct Postgres(Server);

impl Postgres {
    /// Starts one.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&[])
    }

    /// Starts one with settings such as `max_connections=10`.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start_with(settings: &[&str]) -> Result<Self, StartError> {
        let initdb = binary::find("initdb", USUAL, PACKAGE)?;
        let recipe = PostgresRecipe {
            postgres: binary::find("postgres", USUAL, PACKAGE)?,
            pg_isready: binary::find("pg_isready", USUAL, PACKAGE)?,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
        };
        let place = Place::new("postgres", "postgres")?;
        let mut initdb = place.command(&initdb);
        initdb
            .args(["--username=cloakroom", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--pgdata"])
            .arg(place.path("data"));
        place.run(&mut initdb)?;
        Server::start(place, Box::new(recipe)).map(Self)
    }

    /// For a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://cloakroom@127.0.0.1:{}/postgres", self.port())
    }
}

impl Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for Postgres {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}

#[derive(Debug)]
struct PostgresRecipe {
    postgres: PathBuf,
    pg_isready: PathBuf,
    settings: Vec<String>,
}

impl Recipe for PostgresRecipe {
    fn command(&self, place: &Place, port: u16) -> Command {
        let mut command = place.command(&self.postgres);
        command.arg("-D").arg(place.path("data"));
        command.args(["-p", &port.to_string()]);
        // The machine does not lose power during a test, and a killed server finds what it wrote.
        let fixed = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
        ];
        let settings = self.settings.iter().map(String::as_str);
        for setting in fixed.into_iter().chain(settings) {
            command.args(["-c", setting]);
        }
        command
    }

    fn is_ready(&self, port: u16) -> bool {
        Command::new(&self.pg_isready)
            .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
