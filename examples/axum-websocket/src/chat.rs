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

/// Repeats what it is told, until one of the two sides goes or the session ends.
async fn talk(mut socket: WebSocket, name: &str, mut ended: Ended) {
    loop {
        tokio::select! {
            // An end that is known is not outrun by messages that are waiting.
            biased;
            () = &mut ended => {
                let close = CloseFrame {
                    code: SESSION_ENDED,
                    reason: "the session has ended".into(),
                };
                // If the client is gone already, that is just as well.
                let _ = socket.send(Message::Close(Some(close))).await;
                return;
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let answer = format!("{name}: {}", text.as_str());
                    if socket.send(Message::text(answer)).await.is_err() {
                        return;
                    }
                }
                // Pings are answered by axum.
                Some(Ok(_)) => {}
                // Closed, or cut off: dropping `ended` ends the waiting.
                Some(Err(_)) | None => return,
            }
        }
    }
}
