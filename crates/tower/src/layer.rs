use std::fmt;
use std::net::IpAddr;

use cloakroom::Sessions;
use http::Extensions;
use tower_layer::Layer;

use crate::SessionService;
use crate::head::{PeerOf, socket_address};

/// Gives each request its session of type `T`. One layer for each type; each needs a cookie name, or a
/// [header](cloakroom::IdHeader), of its own.
///
/// It reads nothing, and speaks to no store, unless something asks for the session. Where the same sessions are put
/// around a route twice, the inner layer steps back. Of different sessions of one type, the innermost serve the
/// handler: an application with a cookie for browsers and a [header](cloakroom::SessionsBuilder::id_in_header) for
/// others has a layer around the routes of each, and a cookie does not open the routes of the header.
///
/// An error of the service behind it carries no cookie, and the session that such a request began is lost: what makes
/// responses of errors belongs inside of this layer. From then on, and where a request is given up, no verb mints an id:
/// [`abandon`](cloakroom::LazySession::abandon).
pub struct SessionLayer<T> {
    sessions: Sessions<T>,
    peer: PeerOf,
}

impl<T> SessionLayer<T> {
    /// A layer for these sessions.
    #[must_use]
    pub fn new(sessions: Sessions<T>) -> Self {
        Self {
            sessions,
            peer: socket_address,
        }
    }

    /// How the address at the other end of the connection is found among a request's extensions, where clients are
    /// [recorded](cloakroom::SessionsBuilder::record_clients). Default: a [`SocketAddr`](std::net::SocketAddr).
    ///
    /// With axum, which has a type of its own for it:
    ///
    /// ```
    /// use axum::Router;
    /// use axum::extract::ConnectInfo;
    /// use cloakroom::{ClientAddress, MemoryStore, Secret, Sessions};
    /// use cloakroom_tower::SessionLayer;
    /// use std::net::SocketAddr;
    ///
    /// let sessions: Sessions<String> = Sessions::builder(MemoryStore::new(), Secret::generate()?)
    ///     .record_clients(ClientAddress::connection())
    ///     .build()?;
    /// let layer = SessionLayer::new(sessions)
    ///     .peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    /// let app: Router = Router::new().layer(layer);
    /// let service = app.into_make_service_with_connect_info::<SocketAddr>();
    /// # drop(service);
    /// # Ok::<(), cloakroom::Error>(())
    /// ```
    #[must_use]
    pub fn peer_address(mut self, peer: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.peer = peer;
        self
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
        Self {
            sessions: self.sessions.clone(),
            peer: self.peer,
        }
    }
}

impl<S, T> Layer<S> for SessionLayer<T> {
    type Service = SessionService<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::with_peer(inner, self.sessions.clone(), self.peer)
    }
}
