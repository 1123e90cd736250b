//! What clients send to a server, as the server itself tells it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use cloakroom_testservers::Redis;

/// Reads what `MONITOR` says.
pub(crate) struct Monitor {
    lines: BufReader<TcpStream>,
}

impl Monitor {
    pub(crate) fn on(server: &Redis) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut ok = String::new();
        lines.read_line(&mut ok).unwrap();
        assert_eq!(ok.trim_end(), "+OK");
        Self { lines }
    }

    /// The names of the commands since the last call, in order: those that clients sent, not those that scripts
    /// called.
    pub(crate) fn since(&mut self, server: &Redis) -> Vec<String> {
        server.ask(&["ECHO", "that was all"]).unwrap();
        let mut names = Vec::new();
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            if line.contains("that was all") {
                return names;
            }
            // `+1690000000.000000 [0 127.0.0.1:1234] "GET" "key"`
            let Some((head, command)) = line.split_once("] \"") else {
                continue;
            };
            let name = command.split('"').next().unwrap().to_lowercase();
            // What servers of a cluster and tests say does not count.
            let chatter = ["ping", "publish", "replconf", "cluster", "info"];
            if !head.ends_with("lua") && !chatter.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
}
