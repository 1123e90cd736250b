//! A proxy between a client and a database server that counts what goes over the wire: statements, and round
//! trips, each of which is something said by the client after the server answered.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::Failure;

#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    Postgres,
    MySql,
    Redis,
}

#[derive(Debug, Default)]
struct Counters {
    statements: AtomicU64,
    round_trips: AtomicU64,
}

#[derive(Clone, Debug)]
pub struct Wire {
    counters: Arc<Counters>,
    pub port: u16,
}

impl Wire {
    /// In front of the server at that port of this machine, until the process ends.
    pub fn to(port: u16, protocol: Protocol) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let wire = Self { counters: Arc::default(), port: listener.local_addr()?.port() };
        let counters = Arc::clone(&wire.counters);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A refused connection is seen by the client.
                let _ = connect(client, port, protocol, &counters);
            }
        });
        Ok(wire)
    }

    /// Statements and round trips so far.
    pub fn counts(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        (read(&self.counters.statements), read(&self.counters.round_trips))
    }
}

fn connect(
    client: TcpStream,
    port: u16,
    protocol: Protocol,
    counters: &Arc<Counters>,
) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let answered = Arc::new(AtomicBool::new(true));
    let (mut to_server, mut from_client) = (server.try_clone()?, client.try_clone()?);
    let (counters, heard) = (Arc::clone(counters), Arc::clone(&answered));
    std::thread::spawn(move || {
        let mut reader = Reader { protocol, begun: false, buffer: Vec::new() };
        pump(&mut from_client, &mut to_server, |bytes| {
            if heard.swap(false, Ordering::SeqCst) {
                counters.round_trips.fetch_add(1, Ordering::SeqCst);
            }
            counters.statements.fetch_add(reader.statements(bytes), Ordering::SeqCst);
        });
    });
    let (mut from_server, mut to_client) = (server, client);
    std::thread::spawn(move || {
        pump(&mut from_server, &mut to_client, |_| answered.store(true, Ordering::SeqCst));
    });
    Ok(())
}

fn pump(from: &mut TcpStream, to: &mut TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Finds the statements in what a client says.
struct Reader {
    protocol: Protocol,
    /// PostgreSQL's first messages are of another form.
    begun: bool,
    buffer: Vec<u8>,
}

impl Reader {
    fn statements(&mut self, bytes: &[u8]) -> u64 {
        self.buffer.extend_from_slice(bytes);
        let mut count = 0;
        while let Some((length, is_statement)) = self.message() {
            count += u64::from(is_statement);
            self.buffer.drain(..length);
        }
        count
    }

    /// The length of the first message, if it is complete, and whether it has a statement run.
    fn message(&mut self) -> Option<(usize, bool)> {
        let buffer = &self.buffer;
        let (length, is_statement) = match self.protocol {
            Protocol::Postgres if !self.begun => {
                let length = u32::from_be_bytes(*buffer.first_chunk()?) as usize;
                // A request for TLS comes before the start itself.
                self.begun = buffer.get(4..8)? != 80_877_103u32.to_be_bytes();
                (length, false)
            }
            Protocol::Postgres => {
                let length = u32::from_be_bytes(*buffer.get(1..)?.first_chunk()?) as usize;
                // Execute, Query.
                (1 + length, matches!(buffer[0], b'E' | b'Q'))
            }
            Protocol::MySql => {
                let &[a, b, c, number, command] = buffer.first_chunk()?;
                let length = u32::from_le_bytes([a, b, c, 0]) as usize;
                // COM_QUERY, COM_STMT_EXECUTE.
                (4 + length, number == 0 && matches!(command, 3 | 23))
            }
            Protocol::Redis => (resp_length(buffer)?, true),
        };
        (buffer.len() >= length).then_some((length, is_statement))
    }
}

/// Of a command: `*2\r\n$3\r\nGET\r\n$1\r\nx\r\n`.
fn resp_length(buffer: &[u8]) -> Option<usize> {
    let number = |at: usize| {
        let line = buffer.get(at + 1..)?;
        let end = line.iter().position(|&byte| byte == b'\r')?;
        let number: usize = std::str::from_utf8(&line[..end]).ok()?.parse().ok()?;
        Some((number, at + 1 + end + 2))
    };
    let (words, mut at) = number(0)?;
    for _ in 0..words {
        let (length, begin) = number(at)?;
        at = begin + length + 2;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(protocol: Protocol, begun: bool, bytes: &[u8]) -> u64 {
        let mut reader = Reader { protocol, begun, buffer: Vec::new() };
        // Byte by byte: messages need not arrive whole.
        bytes.chunks(1).map(|bytes| reader.statements(bytes)).sum()
    }

    #[test]
    fn commands_of_redis() {
        let two = b"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPI";
        assert_eq!(count(Protocol::Redis, false, two), 2);
    }

    #[test]
    fn bind_execute_sync_is_one_statement() {
        let bytes = b"B\0\0\0\x05xE\0\0\0\x05xS\0\0\0\x04";
        assert_eq!(count(Protocol::Postgres, true, bytes), 1);
        let start = b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\0\x03\0\0Q\0\0\0\x05;";
        assert_eq!(count(Protocol::Postgres, false, start), 1);
    }

    #[test]
    fn only_commands_that_run_something_count_for_mysql() {
        // An answer to the greeting (number 1), a ping, an execution.
        let bytes = b"\x02\0\0\x01\x03x\x01\0\0\0\x0e\x02\0\0\0\x17x";
        assert_eq!(count(Protocol::MySql, false, bytes), 1);
    }
}
