use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;

/// The first that may be used. Below it well-known services live.
const FIRST: u16 = 10_000;
/// Where the system begins to take ports for outgoing connections, if it does not say.
const USUAL_OUTGOING: u16 = 32_768;

/// A TCP port of 127.0.0.1 that is free, and kept free for its owner as long as this value lives, whether a server
/// listens there or not.
///
/// The system's own answer to "any free port" is one of those that it also gives to outgoing connections. Between
/// looking and using, and while a killed server is down, a connection of anybody may get it; even that of a client
/// that tries to reach the killed server, which is then connected to itself. These ports are not among those.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Other tests, also those of other processes, see by this that the port is taken. The system lets go of it
    /// when the process ends, however it ends.
    _claim: UdpSocket,
}

impl Port {
    /// Finds one.
    ///
    /// # Errors
    /// If all are taken.
    pub fn free() -> io::Result<Self> {
        let range = never_outgoing();
        // Anywhere, so that tests that start at the same time do not all try the same ports.
        let start = RandomState::new().hash_one(()) % u64::from(range.end - range.start);
        let start = range.start + u16::try_from(start).expect("it is less than a port's number");
        (start..range.end)
            .chain(range.start..start)
            .find_map(Self::claim)
            .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no port is free"))
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    fn claim(number: u16) -> Option<Self> {
        let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        // Not a test's, but perhaps another program's.
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self {
            number,
            _claim: claim,
        })
    }
}

/// The ports that the system gives to no outgoing connection.
fn never_outgoing() -> Range<u16> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let outgoing = range.split_whitespace().next();
    let outgoing = outgoing.and_then(|first| first.parse().ok());
    match outgoing {
        Some(outgoing) if outgoing > FIRST => FIRST..outgoing,
        // Where all ports may be taken, there is nothing better than to look.
        _ => FIRST..USUAL_OUTGOING,
    }
}
