use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cloakroom::{Carrier, CurrentSession, ManualClock};
use tokio::sync::oneshot;

use crate::http1::Connection;
use crate::{Data, FaultyStore, Gate, Notebook, Op, Request, Response, TestApp, Visitor, http2};

/// A running application, and the strings by which a scenario pulls it. Stops when dropped.
#[derive(Clone, Debug)]
pub struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) app: TestApp,
    /// Its store.
    pub store: FaultyStore<Data>,
    /// Its clock, and its store's.
    pub clock: ManualClock,
    pub(crate) events: Arc<Mutex<Vec<String>>>,
    pub(crate) notebook: Notebook,
    // Dropping it tells the server to stop.
    pub(crate) _stop: Arc<oneshot::Sender<()>>,
}

impl Site {
    /// Somebody who has not been here yet.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.clone(), None)
    }

    /// Somebody who brings that cookie.
    #[must_use]
    pub fn visitor_with(&self, cookie: &str) -> Visitor {
        Visitor::new(self.clone(), Some(cookie.to_owned()))
    }

    /// Somebody who has signed in under that name. What the store was asked for it is forgotten.
    pub async fn signed_in(&self, name: &str) -> Visitor {
        let visitor = self.visitor();
        let response = visitor.post("/lazy/resave", name).await;
        response.expect(200);
        drop(self.store.take_asked());
        visitor
    }

    /// The name of its session cookie.
    ///
    /// # Panics
    /// If it has none: the id is in a header.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        match self.carrier() {
            Carrier::Cookie(name) => name.as_str(),
            Carrier::Header(_) => panic!("this site sends no cookies"),
        }
    }

    /// What carries the ids of its sessions.
    #[must_use]
    pub fn carrier(&self) -> &Carrier {
        self.app.sessions.carrier()
    }

    /// Sends one request on a connection of its own. `None` if the server hung up without a response.
    pub async fn try_send(&self, request: Request) -> Option<Response> {
        let mut connection = self.connect().await;
        // A server may refuse a request before it has read all of it.
        let _ = connection.send(&request.into_bytes()).await;
        let response = connection.response().await?;
        self.note_keys(&response);
        Some(response)
    }

    /// Sends one request on a connection of its own.
    pub async fn send(&self, request: Request) -> Response {
        let response = self.try_send(request).await;
        response.expect("the server answers")
    }

    /// A connection to send anything on.
    pub async fn connect(&self) -> Connection {
        Connection::open(self.address, self.notebook.clone()).await
    }

    /// A GET over HTTP/2, each cookie in a field of its own.
    pub async fn get_http2(&self, path: &str, crumbs: &[&str]) -> Response {
        http2::get(self.address, path, crumbs, &self.notebook).await
    }

    /// Where `slow-` actions are held up, between reading and writing.
    #[must_use]
    pub fn work(&self) -> &Gate {
        &self.app.work
    }

    /// Where the streamed body is held up, after its first piece.
    #[must_use]
    pub fn body(&self) -> &Gate {
        &self.app.body
    }

    /// The session that the action `park` kept.
    #[must_use]
    pub fn parked(&self) -> CurrentSession<Data> {
        let parked = self.app.parked.lock().expect("nothing panics under it");
        parked.clone().expect("a request parked its session")
    }

    /// The names of all events since this was last called.
    #[must_use]
    pub fn take_events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().expect("nothing panics under it"))
    }

    /// Asserts what the store was asked since this was last looked at.
    #[track_caller]
    pub fn expect_asked(&self, ops: &[Op]) {
        assert_eq!(self.store.take_asked(), ops);
    }

    pub(crate) fn note_keys(&self, response: &Response) {
        for cookie in response.set_cookies() {
            let id = self.app.sessions.verify_session_id(&cookie.value);
            let id = id.or_else(|_| self.app.admins.verify_session_id(&cookie.value));
            if let Ok(id) = id.or_else(|_| self.app.apart.verify_session_id(&cookie.value)) {
                self.notebook.key(id.key().as_bytes());
            }
        }
        if let Carrier::Header(header) = self.carrier()
            && let Some(value) = response.id_header(header)
            && let Ok(id) = self.app.sessions.verify_session_id(value)
        {
            self.notebook.key(id.key().as_bytes());
        }
    }
}
