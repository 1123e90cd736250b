use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::place::Place;
use crate::server::Recipe;
use crate::{Server, StartError, binary};

const PACKAGE: &str = "mariadb-server";
const USUAL: &[&str] = &["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

const SET_UP: &str = "\
CREATE DATABASE IF NOT EXISTS cloakroom;
CREATE USER IF NOT EXISTS 'cloakroom'@'127.0.0.1';
GRANT ALL ON *.* TO 'cloakroom'@'127.0.0.1';
";

/// A MariaDB server with a database and a user, both `cloakroom`, who needs no password. Its default collation
/// ignores case, as the usual defaults do.
#[derive(Debug)]
pub struct MariaDb(Server);

impl MariaDb {
    /// Starts one.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&[])
    }

    /// Starts one with options such as `--max-connections=10`.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start_with(options: &[&str]) -> Result<Self, StartError> {
        let install = binary::find("mariadb-install-db", USUAL, PACKAGE)?;
        let recipe = MariaDbRecipe {
            mariadbd: binary::find("mariadbd", USUAL, PACKAGE)?,
            options: options.iter().map(|&option| option.to_owned()).collect(),
        };
        let place = Place::new("mariadb", "mysql")?;
        place.write("set-up.sql", SET_UP)?;
        let mut install = place.command(&install);
        install
            .args([
                "--no-defaults",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ])
            .arg(format!("--datadir={}", place.path("data").display()));
        place.run(&mut install)?;
        Server::start(place, Box::new(recipe)).map(Self)
    }

    /// For a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://cloakroom@127.0.0.1:{}/cloakroom", self.port())
    }
}

impl Deref for MariaDb {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for MariaDb {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}

#[derive(Debug)]
struct MariaDbRecipe {
    mariadbd: PathBuf,
    options: Vec<String>,
}

impl Recipe for MariaDbRecipe {
    fn command(&self, place: &Place, port: u16) -> Command {
        let path = |option: &str, name: &str| format!("--{option}={}", place.path(name).display());
        let mut command = place.command(&self.mariadbd);
        command
            .args([
                "--no-defaults",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
            ])
            .args([
                "--character-set-server=utf8mb4",
                "--collation-server=utf8mb4_general_ci",
            ])
            // The machine does not lose power during a test, and a killed server finds what it wrote.
            .arg("--innodb-flush-log-at-trx-commit=2")
            .arg(format!("--port={port}"))
            .arg(path("datadir", "data"))
            .arg(path("init-file", "set-up.sql"))
            .arg(path("pid-file", "pid"))
            // The socket's path may be too long for the system where the directory's is not.
            .arg("--socket=s")
            .args(&self.options);
        command
    }

    /// It greets with its protocol's version, 10, once it takes connections.
    fn is_ready(&self, port: u16) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
            return false;
        };
        let mut greeting = [0; 5];
        stream
            .set_read_timeout(Some(Duration::from_secs(1)))
            .is_ok()
            && stream.read_exact(&mut greeting).is_ok()
            && greeting[4] == 10
    }
}
