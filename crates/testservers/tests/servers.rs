//! Each server starts, can be killed and brought back, and goes away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use cloakroom_testservers::{MariaDb, Port, Postgres, Server, or_skip};

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

/// A cluster's test once failed as another test's connection had taken a server's port before the server did.
#[test]
fn a_port_is_its_owners_before_and_while_nobody_listens() {
    let find = || (0..100).map(|_| Port::free().unwrap()).collect::<Vec<_>>();
    let finders: Vec<_> = (0..4).map(|_| std::thread::spawn(find)).collect();
    let ports: Vec<_> = finders
        .into_iter()
        .flat_map(|finder| finder.join().unwrap())
        .collect();
    let numbers: HashSet<_> = ports.iter().map(Port::number).collect();
    assert_eq!(numbers.len(), ports.len());
    for _ in 0..2 {
        for port in &ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap();
        }
        // None of as many as go at once gets one of them; where the system may take any port for them, it might.
        if !outgoing_ports_are_apart() {
            continue;
        }
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = server.local_addr().unwrap();
        for _ in 0..5_000 {
            let outgoing = TcpStream::connect(address).unwrap();
            let taken = outgoing.local_addr().unwrap().port();
            assert!(!numbers.contains(&taken));
            drop(server.accept().unwrap());
        }
    }
}

fn outgoing_ports_are_apart() -> bool {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.unwrap_or_default();
    let first = first.split_whitespace().next();
    first.is_some_and(|first| first.parse::<u16>().is_ok_and(|first| first > 20_000))
}
