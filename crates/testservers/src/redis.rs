use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::place::Place;
use crate::server::Recipe;
use crate::{Server, StartError, binary};

const PACKAGE: &str = "redis-server";
const USUAL: &[&str] = &["/usr/bin", "/usr/local/bin"];

/// A Redis or Valkey server without password that keeps every acknowledged write: `appendonly yes`,
/// `appendfsync always`.
#[derive(Debug)]
pub struct Redis(Server);

impl Redis {
    /// Starts one.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&[])
    }

    /// Starts one with settings such as `maxclients 10`. Later ones override earlier ones, and those above.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start_with(settings: &[&str]) -> Result<Self, StartError> {
        let program = ["redis-server", "valkey-server"]
            .into_iter()
            .find_map(|name| binary::find(name, USUAL, PACKAGE).ok())
            .ok_or_else(|| StartError::not_installed("redis-server", PACKAGE))?;
        let recipe = RedisRecipe {
            program,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
        };
        let place = Place::new("redis", "redis")?;
        Server::start(place, Box::new(recipe)).map(Self)
    }

    /// For a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Sends one command and answers the first line of what the server says; of a longer answer, what follows the
    /// length.
    ///
    /// # Errors
    /// If the server cannot be reached or breaks off.
    pub fn ask(&self, words: &[&str]) -> std::io::Result<String> {
        ask(self.port(), words)
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}

/// See [`Redis::ask`].
pub(crate) fn ask(port: u16, words: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(command.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end();
    let Some(length) = line.strip_prefix('$').and_then(|rest| rest.parse().ok()) else {
        return Ok(line.to_owned());
    };
    let mut body = vec![0; length];
    std::io::Read::read_exact(&mut reader, &mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[derive(Debug)]
struct RedisRecipe {
    program: PathBuf,
    settings: Vec<String>,
}

impl Recipe for RedisRecipe {
    fn command(&self, place: &Place, port: u16) -> Command {
        let mut command = place.command(&self.program);
        let port = format!("port {port}");
        let fixed = [
            "bind 127.0.0.1",
            &port,
            "save ''",
            "appendonly yes",
            "appendfsync always",
        ];
        let settings = self.settings.iter().map(String::as_str);
        for setting in fixed.into_iter().chain(settings) {
            let mut words = setting.split(' ');
            let name = words.next().unwrap_or_default();
            command.arg(format!("--{name}"));
            command.args(words.map(|word| if word == "''" { "" } else { word }));
        }
        command
    }

    fn is_ready(&self, port: u16) -> bool {
        ask(port, &["PING"]).is_ok_and(|answer| answer == "+PONG")
    }
}
