//! Forms that no other site can send in a visitor's name, with two protections that add up:
//!
//! - tower-http's [`CsrfLayer`] refuses what browsers say comes from another origin. It needs no state and comes first,
//!   so a forged request costs the session store nothing. It has to let requests pass of which a browser said nothing,
//!   and what comes from any page of this origin.
//! - [`csrf_token`](cloakroom::CurrentSession::csrf_token) in a hidden field: only who was shown the form in this very
//!   session can send it. This holds in old browsers and behind proxies that drop `Origin`, and it ties the form to
//!   who is signed in: a page that was left open when somebody else signed in can do nothing in their name.
//!
//! The form for signing in has a token too: [pre-sessions](cloakroom::SessionsBuilder::save_uninitialized) give visitors
//! one, with nothing stored. Otherwise another site could sign visitors in under a name of its choice.
//!
//! `cargo run -p axum-csrf`, then open <http://127.0.0.1:3000>.

mod checked;
mod page;

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use cloakroom::Sessions;
use cloakroom_tower::{CurrentSession, LazySession, SessionError, SessionLayer};
use serde::Deserialize;
use tower_http::csrf::CsrfLayer;

use crate::checked::{Checked, HasToken};

/// Who is signed in, and what they own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    name: String,
    coins: u32,
}

/// The application. The sessions have to be built with `save_uninitialized(true)`.
pub fn app(sessions: Sessions<Account>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/give", post(give))
        .route("/sign-out", post(sign_out))
        .layer(SessionLayer::new(sessions))
        // What is added last comes first.
        .layer(CsrfLayer::new())
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    csrf_token: String,
}

#[derive(Deserialize)]
struct Give {
    coins: u32,
    csrf_token: String,
}

#[derive(Deserialize)]
struct SignOut {
    csrf_token: String,
}

async fn home(session: CurrentSession<Account>) -> Result<Html<String>, SessionError> {
    let token = session.csrf_token()?;
    let token = token.as_ref().map_or("", |token| token.as_str());
    Ok(match session.data() {
        Some(account) => page::account(&account.name, account.coins, token),
        None => page::sign_in(token),
    })
}

async fn sign_in(
    session: LazySession<Account>,
    Checked(form): Checked<SignIn>,
) -> Result<Redirect, SessionError> {
    let account = Account {
        name: form.name,
        coins: 10,
    };
    // Once the password was right. A fresh id: the token that the visitor had before is worth nothing now.
    session.resave(account).await?;
    Ok(Redirect::to("/"))
}

async fn give(
    session: CurrentSession<Account>,
    Checked(form): Checked<Give>,
) -> Result<Redirect, SessionError> {
    let pay = |account: &mut Account| account.coins = account.coins.saturating_sub(form.coins);
    session.update(pay).await?;
    Ok(Redirect::to("/"))
}

async fn sign_out(
    session: LazySession<Account>,
    _: Checked<SignOut>,
) -> Result<Redirect, SessionError> {
    session.logout().await?;
    Ok(Redirect::to("/"))
}

impl HasToken for SignIn {
    fn csrf_token(&self) -> &str {
        &self.csrf_token
    }
}

impl HasToken for Give {
    fn csrf_token(&self) -> &str {
        &self.csrf_token
    }
}

impl HasToken for SignOut {
    fn csrf_token(&self) -> &str {
        &self.csrf_token
    }
}
