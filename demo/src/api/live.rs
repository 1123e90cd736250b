use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Sse};
use futures_util::stream::{self, Stream, StreamExt};

use super::Session;
use super::account::signed_in;
use crate::error::ApiError;
use crate::settings::Settings;

/// An event stream that lasts as long as the session: `live` at once, `ended` when the session has, and no more.
/// When the program stops, the stream ends without a word; browsers come back by themselves.
pub(super) async fn follow(
    session: Session,
    State(settings): State<Settings>,
) -> Result<impl IntoResponse, ApiError> {
    let session = session?;
    signed_in(&session)?;
    let (ended, stop) = (session.ended(), settings.stopping());
    let live = Event::default()
        .event("live")
        .data("signed in")
        .retry(Duration::from_secs(1));
    // Nothing is spawned: when the client is gone, the stream is dropped, and with it the waiting.
    let last = async move {
        tokio::select! {
            () = ended => Some(Event::default().event("ended").data("signed out")),
            () = stop.wait() => None,
        }
    };
    // Proxies shall pass events on at once.
    let headers = [("x-accel-buffering", "no")];
    let events = Sse::new(events(live, last)).keep_alive(KeepAlive::new());
    Ok((headers, events))
}

fn events(
    first: Event,
    last: impl Future<Output = Option<Event>>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let last = stream::once(last).filter_map(ready);
    stream::once(ready(first)).chain(last).map(Ok)
}
