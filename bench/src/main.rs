//! What a session costs a request: `cargo run --release` in this folder.
//!
//! In process, one thread, an axum router with a trivial handler, 10,000 sessions in memory. Nanoseconds and
//! allocations are what comes on top of the same router without sessions, for the same request. The figures of
//! both libraries alternate within one run; each is the median of the rounds. Both sign their cookies.

mod allocations;
mod apps;

use std::time::Instant;

use apps::{App, Case};
use http::Request;
use tower::{Service, ServiceExt};

const ROUNDS: usize = 15;
const REQUESTS: u32 = 20_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run());
}

async fn run() {
    println!("| request | Cloakroom | tower-sessions 0.15 |");
    println!("|---|---|---|");
    let mut bare = apps::bare();
    let mut ours = apps::cloakroom().await;
    let mut theirs = apps::tower_sessions().await;
    for case in Case::ALL {
        let mut figures: [Vec<(f64, f64)>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (app, figures) in [&mut bare, &mut ours, &mut theirs].into_iter().zip(&mut figures) {
                figures.push(measure(app, case).await);
            }
        }
        let [bare, ours, theirs] = figures.map(median);
        let above = |(nanos, allocations): (f64, f64)| {
            format!("{:.0} ns, {:.0} allocations", nanos - bare.0, allocations - bare.1)
        };
        println!("| {} | {} | {} |", case.name(), above(ours), above(theirs));
    }
}

/// Nanoseconds and allocations for each request.
async fn measure(app: &mut App, case: Case) -> (f64, f64) {
    let mut cookie = case.has_cookie().then(|| app.cookie.clone());
    let start = Instant::now();
    let before = allocations::count();
    for _ in 0..REQUESTS {
        let mut request = Request::builder().uri(case.path());
        if let Some(cookie) = &cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let service = app.service.ready().await.expect("infallible");
        let response = service.call(request).await.expect("infallible");
        assert!(response.status().is_success(), "{}", response.status());
        if let Some(sent) = response.headers().get("set-cookie") {
            cookie = Some(apps::name_and_value(sent));
        }
    }
    let allocations = allocations::count() - before;
    let nanos = start.elapsed().as_nanos() as f64;
    if let Some(cookie) = cookie {
        app.cookie = cookie;
    }
    (nanos / f64::from(REQUESTS), allocations as f64 / f64::from(REQUESTS))
}

fn median(mut figures: Vec<(f64, f64)>) -> (f64, f64) {
    figures.sort_by(|a, b| a.0.total_cmp(&b.0));
    figures[figures.len() / 2]
}
