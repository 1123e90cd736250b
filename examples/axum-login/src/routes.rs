use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cloakroom::Sessions;
use cloakroom_tower::{CurrentSession, LazySession, SessionData, SessionError, SessionLayer};
use serde::Deserialize;

use crate::{Accounts, User};

/// The application. The sessions have to know [whose they are](cloakroom::SessionsBuilder::owned_by).
pub fn app(accounts: Accounts, sessions: Sessions<User>) -> Router {
    let members = Router::new()
        .route("/account", get(account))
        .route("/account/password", post(change_password))
        // Runs before the routes above: without a session they are not reached at all.
        .layer(from_fn(members_only));
    Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .merge(members)
        .with_state(accounts)
        .layer(SessionLayer::new(sessions))
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    remember: bool,
}

async fn sign_in(
    State(accounts): State<Accounts>,
    session: LazySession<User>,
    Json(given): Json<Credentials>,
) -> Result<Response, SessionError> {
    let remember = given.remember;
    let check = move |all: &Accounts| all.check(&given.name, &given.password);
    let user = match accounts.hashing(check).await {
        Some(Some(user)) => user,
        Some(None) => {
            return Ok((StatusCode::UNAUTHORIZED, "wrong name or password").into_response());
        }
        None => return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response()),
    };
    let greeting = format!("welcome, {}", user.name);
    // A fresh id: one that was planted in this browser before is worth nothing now.
    let fresh = session.resave(user);
    if remember {
        fresh
            .max_age(Duration::from_secs(90 * 24 * 60 * 60))
            .await?;
    } else {
        fresh
            .browser_session()
            .idle_timeout(Duration::from_secs(30 * 60))
            .await?;
    }
    Ok(greeting.into_response())
}

async fn sign_out(session: LazySession<User>) -> Result<StatusCode, SessionError> {
    session.logout().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn home(user: Option<SessionData<User>>) -> String {
    match user {
        Some(user) => format!("hello, {}", user.name),
        None => "hello, whoever you are".to_owned(),
    }
}

async fn account(user: SessionData<User>) -> String {
    format!("the account of {}", user.name)
}

#[derive(Deserialize)]
struct Passwords {
    current: String,
    new: String,
}

async fn change_password(
    State(accounts): State<Accounts>,
    user: SessionData<User>,
    session: CurrentSession<User>,
    Json(given): Json<Passwords>,
) -> Result<StatusCode, SessionError> {
    let name = user.name.clone();
    // Whoever sits down at a browser that was left open does not know the current one.
    let change = move |all: &Accounts| all.change(&name, &given.current, &given.new);
    match accounts.hashing(change).await {
        Some(Ok(true)) => {}
        Some(Ok(false)) => return Ok(StatusCode::FORBIDDEN),
        Some(Err(_)) => return Ok(StatusCode::INTERNAL_SERVER_ERROR),
        None => return Ok(StatusCode::SERVICE_UNAVAILABLE),
    }
    // The password was proof: a fresh id, and all limits begin anew. Whoever has a copy of the old cookie is out,
    session.reauthenticate().await?;
    // and whoever signed in with the old password. It finds them by `owned_by`.
    session.destroy_others().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The guard. The routes behind it share the session that it loads.
async fn members_only(
    _: SessionData<User>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    next.run(request).await
}
