//! Websockets over real sockets, with a real client.

#![allow(clippy::unwrap_used)] // In a test a panic is the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_websocket::{SESSION_ENDED, app};
use cloakroom::{CookieOptions, ManualClock, MemoryStore, Secret, Sessions};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// No test measures time; this only turns one that hangs into one that fails.
const LONG: Duration = Duration::from_secs(60);
const MAX_AGE: Duration = Duration::from_secs(1000);

struct Site {
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn start(store: Arc<MemoryStore<String>>, clock: &ManualClock) -> Self {
        let secret = Secret::from_bytes(b"only for tests, but long enough for that").unwrap();
        let sessions = Sessions::builder(store, secret)
            .cookie(CookieOptions::insecure_for_local_http())
            .owned_by(|name: &String| name.clone())
            .max_age(MAX_AGE)
            .clock(clock.clone())
            .check_ended_every(Duration::from_millis(10));
        let sessions = sessions.build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let app = app(sessions, &format!("http://{address}"));
            axum::serve(listener, app).await.unwrap();
        });
        Self { address, serving }
    }

    /// The status, and the cookie if one came.
    async fn post(&self, path: &str, cookie: &str, body: &str) -> (u16, Option<String>) {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {cookie}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let cookie = answer
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.map(|value| value.split(';').next().unwrap().to_owned());
        (status, cookie)
    }

    async fn sign_in(&self, name: &str) -> String {
        let (status, cookie) = self.post("/sign-in", "", name).await;
        assert_eq!(status, 204);
        cookie.unwrap()
    }

    /// The websocket, or the status that came instead.
    async fn chat(&self, cookie: &str, origin: Option<&str>) -> Result<Chat, u16> {
        let url = format!("ws://{}/chat", self.address);
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("cookie", cookie.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Chat(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Debug)]
struct Chat(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Chat {
    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(LONG, self.0.next()).await;
        next.expect("something comes").unwrap().unwrap()
    }

    async fn says(&mut self, text: &str) -> String {
        self.0.send(Message::text(text)).await.unwrap();
        self.next().await.into_text().unwrap().to_string()
    }

    /// That the server closes it because the session has ended.
    async fn expect_close(mut self) {
        let Message::Close(Some(close)) = self.next().await else {
            panic!("it goes on");
        };
        assert_eq!(u16::from(close.code), SESSION_ENDED);
    }
}

fn store(clock: &ManualClock) -> Arc<MemoryStore<String>> {
    Arc::new(MemoryStore::builder().clock(clock.clone()).build())
}

#[tokio::test]
async fn it_is_for_those_who_are_signed_in_and_for_pages_of_this_site() {
    let clock = ManualClock::starting_now();
    let site = Site::start(store(&clock), &clock).await;
    assert_eq!(site.chat("", None).await.unwrap_err(), 401);
    let cookie = site.sign_in("ada").await;
    let other_scheme = format!("https://{}", site.address);
    for elsewhere in [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "",
        &other_scheme,
    ] {
        let refused = site.chat(&cookie, Some(elsewhere)).await;
        assert_eq!(refused.unwrap_err(), 403, "{elsewhere}");
    }
    let here = format!("http://{}", site.address);
    let mut chat = site.chat(&cookie, Some(&here)).await.unwrap();
    assert_eq!(chat.says("hello").await, "ada: hello");
}

#[tokio::test]
async fn signing_out_closes_it_and_leaves_other_peoples_open() {
    let clock = ManualClock::starting_now();
    let site = Site::start(store(&clock), &clock).await;
    let (ada, bob) = (site.sign_in("ada").await, site.sign_in("bob").await);
    let mut adas = site.chat(&ada, None).await.unwrap();
    let mut bobs = site.chat(&bob, None).await.unwrap();
    assert_eq!(adas.says("1").await, "ada: 1");
    assert_eq!(site.post("/sign-out", &ada, "").await.0, 204);
    adas.expect_close().await;
    assert_eq!(bobs.says("2").await, "bob: 2");
    // It does not open again either.
    assert_eq!(site.chat(&ada, None).await.unwrap_err(), 401);
}

#[tokio::test]
async fn signing_out_the_others_closes_theirs_on_every_instance() {
    let clock = ManualClock::starting_now();
    let store = store(&clock);
    let here = Site::start(Arc::clone(&store), &clock).await;
    let there = Site::start(store, &clock).await;
    let (laptop, phone) = (here.sign_in("ada").await, here.sign_in("ada").await);
    let mut kept = here.chat(&laptop, None).await.unwrap();
    let same_instance = here.chat(&phone, None).await.unwrap();
    let other_instance = there.chat(&phone, None).await.unwrap();
    assert_eq!(here.post("/sign-out-others", &laptop, "").await.0, 200);
    same_instance.expect_close().await;
    other_instance.expect_close().await;
    assert_eq!(kept.says("still here").await, "ada: still here");
}

#[tokio::test]
async fn it_closes_when_the_session_expires() {
    let clock = ManualClock::starting_now();
    let site = Site::start(store(&clock), &clock).await;
    let mut chat = site.chat(&site.sign_in("ada").await, None).await.unwrap();
    assert_eq!(chat.says("1").await, "ada: 1");
    clock.advance(MAX_AGE);
    chat.expect_close().await;
}

#[tokio::test]
async fn when_the_client_is_gone_nobody_waits_any_more() {
    let clock = ManualClock::starting_now();
    let store = store(&clock);
    let weak = Arc::downgrade(&store);
    let site = Site::start(store, &clock).await;
    let mut chat = site.chat(&site.sign_in("ada").await, None).await.unwrap();
    assert_eq!(chat.says("1").await, "ada: 1");
    // From here on only the websocket has use for the store.
    drop(site);
    assert_eq!(chat.says("2").await, "ada: 2");
    drop(chat);
    let nobody_waits = async {
        while weak.upgrade().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(LONG, nobody_waits).await;
    waited.expect("the waiting ends with the websocket");
}
