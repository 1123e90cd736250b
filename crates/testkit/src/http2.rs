use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::http1::in_time;
use crate::{Notebook, Response};

/// A GET over HTTP/2 with prior knowledge, each of the cookies in a `cookie` field of its own, as browsers
/// send them (RFC 9113, section 8.2.3).
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    crumbs: &[&str],
    notebook: &Notebook,
) -> Response {
    let stream = TcpStream::connect(address).await;
    let io = TokioIo::new(stream.expect("the server listens"));
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await;
    let (mut client, connection) = handshake.expect("the server speaks HTTP/2");
    let connection = tokio::spawn(connection);

    let mut request = http::Request::get(format!("http://localhost{path}"));
    for crumb in crumbs {
        request = request.header("cookie", *crumb);
    }
    let request = request.body(Empty::<Bytes>::new()).expect("a good request");
    let response = in_time(client.send_request(request)).await;
    let (head, body) = response.expect("the server answers").into_parts();
    assert_eq!(head.version, http::Version::HTTP_2);
    let body = in_time(body.collect()).await.expect("the body comes");
    connection.abort();

    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let response = Response {
        status: head.status.as_u16(),
        fields: fields.collect(),
        body: body.to_bytes().to_vec(),
    };
    notebook.saw(&response);
    response
}
