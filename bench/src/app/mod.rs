//! The same small application with each library, set up as its own documentation recommends.
//!
//! Four routes: `/ignore` does not touch the session, `/read` reads a small struct from it, `/write` reads, changes
//! and saves it, `/sign-in` puts a new one under a fresh id. All answer `ok`.

mod actix;
mod axum_session;
mod bare;
mod cloakroom;
mod jar;
mod optimum;
mod ruts;
mod subject;
mod tower;
mod tower_sessions;
mod tower_sessions_14;

pub use actix::serve as serve_actix;
pub use jar::Jar;
pub use subject::{Settings, Subject};
pub use tower::{Service, TowerApp};

pub use self::cloakroom::{memory_store, service as cloakroom_service};
pub use self::tower_sessions_14::service as tower_sessions_14_service;

use http::HeaderValue;

/// An application in this process, without sockets. One request is `prepare`, `serve`, `finish`; only the one in
/// the middle is measured.
pub trait App {
    /// Makes a request, or as many as are needed.
    fn prepare(&mut self, path: &'static str, cookie: Option<&HeaderValue>);
    /// Runs the application on it, until it has answered.
    fn serve(&mut self);
    /// Looks at the answer, adds its cookies to the jar, drops it. Panics if it is not a good one.
    fn finish(&mut self, jar: &mut Jar);
}

/// The application of that library.
pub async fn build(subject: Subject, settings: &Settings) -> Box<dyn App> {
    match subject {
        Subject::Optimum => Box::new(optimum::OptimumApp::new(settings)),
        Subject::Nothing => Box::new(optimum::NothingApp),
        Subject::BareActix | Subject::CloakroomActix | Subject::ActixSession => {
            actix::app(subject, settings).await
        }
        _ => Box::new(TowerApp::new(service(subject, settings).await)),
    }
}

/// The application as a tower service, for those on axum.
pub async fn service(subject: Subject, settings: &Settings) -> Service {
    match subject {
        Subject::Bare => bare::service(),
        Subject::Cloakroom => {
            cloakroom::service(cloakroom::memory_store(settings), settings)
        }
        Subject::TowerSessions => tower_sessions::service(settings),
        Subject::TowerSessionsMoka => {
            let store = tower_sessions_moka_store::MokaStore::new(None);
            tower_sessions_14::service(store, settings)
        }
        Subject::Ruts => ruts::service(settings),
        Subject::AxumSession => axum_session::service(settings).await,
        other => unreachable!("{other:?} is not on axum"),
    }
}

/// One request. Its name is what callgrind looks for.
#[inline(never)]
pub fn measured_exchange(app: &mut dyn App) {
    app.serve();
}
