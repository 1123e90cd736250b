use std::time::Duration;

use cloakroom_testservers::Port;
use redis::IntoConnectionInfo;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use super::*;

fn cluster(ports: &[u16]) -> Arc<Cluster> {
    let patience = Patience {
        operation: Duration::from_secs(5),
        connect: Duration::from_secs(5),
    };
    let infos = ports.iter().map(|port| {
        let info = format!("redis://127.0.0.1:{port}");
        info.as_str().into_connection_info().unwrap()
    });
    Arc::new(Cluster::new(infos.collect(), patience).unwrap())
}

#[test]
fn a_look_that_ends_with_its_runtime_is_not_the_last_one() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let theirs = runtime();
    // Nobody else's while nobody listens there.
    let port = Port::free().unwrap();
    let address = ("127.0.0.1", port.number());
    let server = theirs.block_on(TcpListener::bind(address)).unwrap();
    let cluster = cluster(&[port.number()]);
    {
        let _entered = theirs.enter();
        cluster.look_soon();
        drop(server);
    }
    theirs.shutdown_background();
    runtime().block_on(async {
        let server = TcpListener::bind(address).await.unwrap();
        cluster.look_soon();
        let looks = tokio::time::timeout(Duration::from_secs(30), server.accept()).await;
        looks.expect("nobody looks any more").unwrap();
    });
}

/// What a server says of the cluster: who has the two halves of its slots.
fn halves(first: u16, second: u16) -> String {
    let half =
        |from, to, port| format!("*3\r\n:{from}\r\n:{to}\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n");
    let halves = [half(0, 8_191, first), half(8_192, 16_383, second)];
    format!("*2\r\n{}", halves.concat())
}

/// A server that says this of the cluster, and that to whatever else it is asked.
async fn serve(listener: TcpListener, slots: String, answer: &'static str) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(converse(client, slots.clone(), answer));
    }
}

async fn converse(client: TcpStream, slots: String, answer: &'static str) {
    let mut client = BufReader::new(client);
    while let Some(command) = command(&mut client).await {
        let answer = match command.as_slice() {
            b"HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n",
            b"CLIENT" => "+OK\r\n",
            b"CLUSTER" => &slots,
            _ => answer,
        };
        client.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// The first word of the next command.
async fn command(client: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut first = None;
    for _ in 0..number(client).await? {
        let length = number(client).await?;
        let mut word = vec![0; length + 2];
        client.read_exact(&mut word).await.ok()?;
        word.truncate(length);
        first.get_or_insert(word);
    }
    first
}

/// That of a line, after the sign that it begins with.
async fn number(client: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok()?;
    line.get(1..)?.trim_end().parse().ok()
}

const DOWN: &str = "-CLUSTERDOWN The cluster is down\r\n";
const NOTHING: &str = "_\r\n";

/// Four servers: whom each takes for the primaries, and what it answers. A session in the first half of the slots is
/// asked for until there is an answer.
async fn assert_found(servers: [([usize; 2], &'static str); 4]) {
    let mut listeners = Vec::new();
    for _ in servers {
        listeners.push(TcpListener::bind(("127.0.0.1", 0)).await.unwrap());
    }
    let ports = listeners.iter().map(|l| l.local_addr().unwrap().port());
    let ports: Vec<_> = ports.collect();
    for (listener, ([first, second], answer)) in listeners.into_iter().zip(servers) {
        let slots = halves(ports[first], ports[second]);
        tokio::spawn(serve(listener, slots, answer));
    }
    let mut keys = (0..).map(|number: u32| number.to_string());
    let key = keys.find(|key| slot(key.as_bytes()) < 8_192).unwrap();
    let request = Request::session(key);
    let cluster = cluster(&ports);
    let deadline = Instant::now() + Duration::from_secs(30);
    cluster.connect(deadline).await.unwrap();
    let mut failures = 0;
    while cluster.send(&request, false, deadline).await.is_err() {
        failures += 1;
        assert!(failures < 8, "it goes on asking who is cut off");
        while cluster.looking.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
    }
    assert!(failures > 0, "nobody was cut off");
}

/// It refuses everything, and still believes that it has its slots. Another one has them by now.
#[tokio::test]
async fn a_primary_that_is_cut_off_from_the_others_is_left() {
    assert_found([
        ([0, 1], DOWN),
        ([2, 1], NOTHING),
        ([2, 1], NOTHING),
        ([2, 1], NOTHING),
    ])
    .await;
}

/// Of the second one nothing is asked but how the cluster looks.
#[tokio::test]
async fn two_primaries_that_are_cut_off_together_are_left() {
    assert_found([
        ([0, 1], DOWN),
        ([0, 1], DOWN),
        ([2, 3], NOTHING),
        ([2, 3], NOTHING),
    ])
    .await;
}
