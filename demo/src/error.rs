use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use cloakroom::ErrorKind;
use cloakroom_tower::SessionError;
use serde_json::json;

use crate::shopper::InvalidText;

/// Why the interface refuses or fails, as a response `{"error":"…"}`.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The session, or the store behind it.
    Session(SessionError),
    /// There may be a session, but nobody signed in to it.
    NotSignedIn,
    /// The request itself.
    Refused(StatusCode, String),
}

impl ApiError {
    /// A 400.
    pub(crate) fn bad_request(why: impl ToString) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, why.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => {
                // A reason is for programs: the words that the adapter itself would say.
                let message = error.reason().unwrap_or(message(error.kind()));
                // The adapter's response logs the cause and brings status and `Retry-After`; what it says as
                // plain text is said as JSON here.
                let (mut parts, _) = error.into_response().into_parts();
                parts.headers.remove(CONTENT_TYPE);
                parts.headers.remove(CONTENT_LENGTH);
                (parts, body(message)).into_response()
            }
            Self::NotSignedIn => (
                StatusCode::UNAUTHORIZED,
                body(message(ErrorKind::NoSession)),
            )
                .into_response(),
            Self::Refused(status, why) => (status, body(&why)).into_response(),
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<cloakroom::Error> for ApiError {
    fn from(error: cloakroom::Error) -> Self {
        Self::Session(error.into())
    }
}

impl From<InvalidText> for ApiError {
    fn from(error: InvalidText) -> Self {
        Self::bad_request(error)
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let status = match &rejection {
            // axum tells JSON that does not parse from JSON of another shape; for a client both are a 400.
            JsonRejection::JsonDataError(_) => StatusCode::BAD_REQUEST,
            other => other.status(),
        };
        Self::Refused(status, rejection.body_text())
    }
}

/// What a client is told: what to do, not what the cause was.
fn message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NoSession => "not signed in",
        ErrorKind::Gone => "the session has ended",
        ErrorKind::Conflict => "another request changed the session; nothing was stored",
        ErrorKind::Unavailable => "the session store does not answer; try again later",
        ErrorKind::Full => "there is no room for another session; try again later",
        ErrorKind::TooLarge => "the session would be too large; nothing was stored",
        _ => "something went wrong; the server's log says what",
    }
}

fn body(message: &str) -> Json<serde_json::Value> {
    Json(json!({ "error": message }))
}
