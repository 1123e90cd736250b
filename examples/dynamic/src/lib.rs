//! Session data without a type of its own: a JSON object whose entries come and go.

use axum::extract::Path;
use axum::routing::{get, put};
use axum::{Json, Router};
use cloakroom::Sessions;
use cloakroom_tower::{CurrentSession, SessionError, SessionLayer};
use serde_json::{Map, Value};

/// What a session holds: anything, by name.
pub type Anything = Map<String, Value>;

/// The application.
pub fn app(sessions: Sessions<Anything>) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/{name}", put(keep).delete(drop_one))
        .layer(SessionLayer::new(sessions))
}

async fn show(session: CurrentSession<Anything>) -> Json<Anything> {
    Json(
        session
            .data()
            .map(|data| (*data).clone())
            .unwrap_or_default(),
    )
}

async fn keep(
    Path(name): Path<String>,
    session: CurrentSession<Anything>,
    Json(value): Json<Value>,
) -> Result<(), SessionError> {
    // Again and again, if other requests change the session at the same time: so nothing is moved out.
    let insert = |data: &mut Anything| drop(data.insert(name.clone(), value.clone()));
    Ok(session.update_or_default(insert).await?)
}

async fn drop_one(
    Path(name): Path<String>,
    session: CurrentSession<Anything>,
) -> Result<(), SessionError> {
    Ok(session.update(|data| drop(data.remove(&name))).await?)
}
