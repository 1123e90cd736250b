use std::time::Duration;

use cloakroom_testservers::Port;
use redis::IntoConnectionInfo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use super::*;

fn cluster(port: u16) -> Arc<Cluster> {
    let info = format!("redis://127.0.0.1:{port}");
    let patience = Patience {
        operation: Duration::from_secs(5),
        connect: Duration::from_secs(5),
    };
    let info = info.as_str().into_connection_info().unwrap();
    Arc::new(Cluster::new(vec![info], patience).unwrap())
}

#[test]
fn a_look_that_ends_with_its_runtime_is_not_the_last_one() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let theirs = runtime();
    // Nobody else's while nobody listens there.
    let port = Port::free().unwrap();
    let address = ("127.0.0.1", port.number());
    let server = theirs.block_on(TcpListener::bind(address)).unwrap();
    let cluster = cluster(port.number());
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
