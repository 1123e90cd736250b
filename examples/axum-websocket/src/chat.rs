use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cloakroom::Ended;
use cloakroom_tower::{CurrentSession, SessionData};

use crate::SESSION_ENDED;
use crate::origin::SameOrigin;

/// Opens the websocket: for those who are signed in, and for pages of this site only.
pub(crate) async fn open(
    _: SameOrigin,
    SessionData(name): SessionData<String>,
    session: CurrentSession<String>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // Watched from here on, so that no end is missed. The request's session itself stays behind: what may be
    // written to it is over with the response.
    let ended = session.ended();
    match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(async move |socket| talk(socket, &name, ended).await),
        Err(_) => (StatusCode::UPGRADE_REQUIRED, "this is a websocket").into_response(),
    }
}

/// Until one of the two sides goes or the session ends.
async fn talk(mut socket: WebSocket, name: &str, ended: Ended) {
    tokio::select! {
        // An end that is known is not outrun by messages that are waiting, nor put off by a client that reads nothing.
        biased;
        () = ended => {}
        // Dropping `ended` ends the waiting.
        () = repeat(&mut socket, name) => return,
    }
    let close = CloseFrame {
        code: SESSION_ENDED,
        reason: "the session has ended".into(),
    };
    // If the client is gone already, or does not read it, that is just as well.
    let close = socket.send(Message::Close(Some(close)));
    let _ = tokio::time::timeout(Duration::from_secs(5), close).await;
}

/// Repeats what it is told, until the socket is closed or cut off.
async fn repeat(socket: &mut WebSocket, name: &str) {
    while let Some(Ok(message)) = socket.recv().await {
        // Pings are answered by axum.
        if let Message::Text(text) = message {
            let answer = format!("{name}: {}", text.as_str());
            if socket.send(Message::text(answer)).await.is_err() {
                return;
            }
        }
    }
}
