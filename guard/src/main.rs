//! One of five requests, many times, to a small application with or without sessions. `cargo xtask guard` runs this
//! under callgrind, which counts what happens inside [`counted_exchange`], and compares it with
//! `instructions.toml`.
//!
//! ```text
//! cloakroom-guard <case> bare|sessions|extension <requests>
//! ```

mod app;
mod case;

use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use app::App;
use axum::body::Body;
use case::Case;
use http::{HeaderValue, Request, Response};

/// So that what grows with the first requests has grown, and most sessions are others'.
const RESIDENT: usize = 300;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [case, kind, requests] = words[..] else {
        return ExitCode::FAILURE;
    };
    match (Case::parse(case), requests.parse()) {
        (Some(case), Ok(requests)) => run(case, kind, requests),
        _ => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

fn run(case: Case, kind: &str, requests: u64) {
    let mut with = app::with_sessions();
    let mut cookies: Vec<HeaderValue> = (0..RESIDENT)
        .map(|_| answer(&mut with, request(Case::SignIn, None)))
        .map(|response| cookie_of(&response).expect("signed in"))
        .collect();
    match kind {
        "sessions" => exchanges(&mut with, case, &mut cookies, requests),
        // The very same requests.
        "extension" => exchanges(&mut app::with_extension(), case, &mut cookies, requests),
        _ => exchanges(&mut app::bare(), case, &mut cookies, requests),
    }
}

fn exchanges<S: App>(app: &mut S, case: Case, cookies: &mut [HeaderValue], requests: u64) {
    for round in 0..cookies.len() + usize::try_from(requests).expect("64 bits") {
        let at = round % cookies.len();
        let cookie = case.has_cookie().then(|| cookies[at].clone());
        let request = request(case, cookie);
        let response = if round < cookies.len() {
            answer(app, request)
        } else {
            counted_exchange(app, request)
        };
        assert!(response.status().is_success(), "{}", response.status());
        if let Some(cookie) = cookie_of(&response) {
            cookies[at] = cookie;
        }
    }
}

/// Callgrind counts what runs in here.
#[inline(never)]
fn counted_exchange<S: App>(app: &mut S, request: Request<Body>) -> Response<Body> {
    answer(app, request)
}

fn answer<S: App>(app: &mut S, request: Request<Body>) -> Response<Body> {
    let mut context = Context::from_waker(Waker::noop());
    let mut answer = pin!(app.call(request));
    match answer.as_mut().poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("everything is in memory"),
    }
}

fn request(case: Case, cookie: Option<HeaderValue>) -> Request<Body> {
    let mut request = Request::builder()
        .uri(case.path())
        .header("host", "localhost");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    request.body(Body::empty()).expect("a good request")
}

fn cookie_of(response: &Response<Body>) -> Option<HeaderValue> {
    let field = response.headers().get("set-cookie")?.to_str().ok()?;
    HeaderValue::from_str(field.split(';').next()?).ok()
}
