//! Each server starts, can be killed and brought back, and goes away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::{Ipv4Addr, TcpStream};

use cloakroom_testservers::{MariaDb, Postgres, Server, or_skip};

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn comes_back_and_goes_away(server: &mut Server) {
    let port = server.port();
    assert!(listens(port));
    server.kill_9();
    assert!(!listens(port));
    server.restart().unwrap();
    assert!(listens(port));
    server.stop();
    server.cont();
    assert!(server.log_path().exists());
}

#[test]
fn postgres() {
    let Some(mut server) = or_skip(Postgres::start()) else {
        return;
    };
    comes_back_and_goes_away(&mut server);
    let (port, log) = (server.port(), server.log_path());
    drop(server);
    assert!(!listens(port) && !log.exists());
}

#[test]
fn mariadb() {
    let Some(mut server) = or_skip(MariaDb::start()) else {
        return;
    };
    comes_back_and_goes_away(&mut server);
    let (port, log) = (server.port(), server.log_path());
    drop(server);
    assert!(!listens(port) && !log.exists());
}

/// Its processes for connections must be gone too before it can start again.
#[test]
fn postgres_comes_back_however_many_connections_it_had() {
    let Some(mut server) = or_skip(Postgres::start()) else {
        return;
    };
    for _ in 0..8 {
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
        let connections: Vec<_> = (0..40).map(|_| connect()).collect();
        server.restart().unwrap();
        drop(connections);
    }
}
