use std::fmt;

use cloakroom::Sessions;
use tower_layer::Layer;

use crate::SessionService;

/// Gives each request its session of type `T`. One layer for each type; each needs a cookie name of its own.
///
/// It reads nothing, and speaks to no store, unless something asks for the session. Where it is put twice, the
/// inner one steps back.
pub struct SessionLayer<T> {
    sessions: Sessions<T>,
}

impl<T> SessionLayer<T> {
    /// A layer for these sessions.
    #[must_use]
    pub fn new(sessions: Sessions<T>) -> Self {
        Self { sessions }
    }
}

// By hand: deriving would ask for `T: Debug` and `T: Clone`.
impl<T> fmt::Debug for SessionLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionLayer").field(&self.sessions).finish()
    }
}

impl<T> Clone for SessionLayer<T> {
    fn clone(&self) -> Self {
        Self::new(self.sessions.clone())
    }
}

impl<S, T> Layer<S> for SessionLayer<T> {
    type Service = SessionService<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, self.sessions.clone())
    }
}
