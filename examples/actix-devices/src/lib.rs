//! What a user expects around a sign-in, with actix-web: a list of their devices, signing one of them out from afar, or
//! all others, or all; and a change of password for which one must have proved a moment ago who one is.
//!
//! | request | does |
//! |---|---|
//! | `POST /sign-in` `{"name":"ada","password":"…","remember":true}` | a fresh session; remembered for 90 days, or for as long as the browser is open |
//! | `GET /devices` | the user's sessions, the oldest first |
//! | `DELETE /devices/{handle}` | ends one of them |
//! | `POST /sign-out-others`, `POST /sign-out-everywhere` | ends the others, or all |
//! | `POST /confirm` `{"password":"…"}` | proves anew who one is |
//! | `POST /password` `{"password":"…"}` | for those who proved that in the last five minutes; ends all other sessions |
//!
//! The password of everybody is kept in memory and in clear, to keep the example about sessions: the example
//! `axum-login` shows how that is done properly.
//!
//! `cargo run -p actix-devices`, then
//! `curl -c jar -b jar --json '{"name":"ada","password":"lovelace"}' http://127.0.0.1:3000/sign-in`.

mod devices;
mod passwords;
mod sign_in;

use std::fmt;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig, delete, get, post, resource};
use cloakroom::{ClientAddress, Clock, CookieOptions, Error, Secret, Sessions, Store};
use cloakroom_actix::SessionMiddleware;

pub use passwords::Passwords;

/// Who is signed in: what the session holds.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    name: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("User(…)")
    }
}

/// The sessions as this application needs them.
///
/// # Errors
/// If the configuration cannot work.
pub fn sessions(
    store: impl Store<User>,
    secret: Secret,
    clock: impl Clock,
) -> Result<Sessions<User>, Error> {
    Sessions::builder(store, secret)
        .cookie(CookieOptions::insecure_for_local_http())
        .max_age(Duration::from_secs(24 * 60 * 60))
        // For the list: whose it is, from where it came, and when it was last used.
        .owned_by(|user: &User| user.name.clone())
        .record_clients(ClientAddress::connection())
        .track_last_seen(true)
        .clock(clock)
        .build()
}

/// The application.
pub fn app(sessions: Sessions<User>, passwords: Passwords) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let routes = [
            resource("/sign-in").route(post().to(sign_in::sign_in)),
            resource("/confirm").route(post().to(sign_in::confirm)),
            resource("/password").route(post().to(sign_in::change_password)),
            resource("/devices").route(get().to(devices::list)),
            resource("/devices/{handle}").route(delete().to(devices::end)),
            resource("/sign-out-others").route(post().to(devices::end_others)),
            resource("/sign-out-everywhere").route(post().to(devices::end_all)),
        ];
        config.app_data(Data::new(passwords));
        for route in routes {
            config.service(route.wrap(SessionMiddleware::new(sessions.clone())));
        }
    }
}
