use std::fmt;
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinHandle;

use cloakroom::{Carrier, IdHeader};

use crate::{Request, Response, Site};

/// Somebody with a browser: keeps the session cookie that it is sent, and sends it back. Where a header carries the id,
/// somebody with a program that does the same with it.
pub struct Visitor {
    site: Site,
    /// `name=value`, or the header's value
    jar: Mutex<Option<String>>,
}

impl Visitor {
    pub(crate) fn new(site: Site, cookie: Option<String>) -> Self {
        Self {
            site,
            jar: Mutex::new(cookie),
        }
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Response {
        self.send(Request::get(path)).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, body: &str) -> Response {
        self.send(Request::post(path, body)).await
    }

    /// Sends any request, with the cookie or header.
    pub async fn send(&self, request: Request) -> Response {
        let response = self.try_send(request).await;
        response.expect("the server answers")
    }

    /// As [`send`](Visitor::send); `None` if the server hung up without a response.
    pub async fn try_send(&self, request: Request) -> Option<Response> {
        let request = match (self.jar_if_any(), self.site.carrier()) {
            (Some(cookie), Carrier::Cookie(_)) => request.cookie(cookie),
            (Some(value), Carrier::Header(header)) => {
                request.field(header.request_name(), header.request_value(&value))
            }
            (None, _) => request,
        };
        let response = self.site.try_send(request).await?;
        match self.site.carrier() {
            Carrier::Cookie(name) => self.take_cookie(&response, name.as_str()),
            Carrier::Header(header) => self.take_header(&response, header),
        }
        Some(response)
    }

    /// Sends a form with the cookie as it is now, while the visitor goes on doing other things; the answer's
    /// cookie stays out of the jar.
    pub fn meanwhile(&self, path: &str, body: &str) -> Meanwhile {
        let twin = self.twin();
        let request = Request::post(path, body);
        Meanwhile(tokio::spawn(async move { twin.send(request).await }))
    }

    /// Another window with the same cookie, which has its own luck from here on.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self::new(self.site.clone(), self.jar_if_any())
    }

    /// What `/current/read` says: `name:count`, or `nobody`.
    pub async fn whoami(&self) -> String {
        self.get("/current/read").await.expect(200).to_owned()
    }

    /// The cookie, `name=value`.
    #[must_use]
    pub fn cookie(&self) -> String {
        self.jar_if_any().expect("there is a cookie")
    }

    /// The cookie's or header's value.
    #[must_use]
    pub fn value(&self) -> String {
        let cookie = self.cookie();
        // The value itself has no such sign.
        let (_, value) = cookie.split_once('=').unwrap_or(("", &cookie));
        value.to_owned()
    }

    fn jar_if_any(&self) -> Option<String> {
        self.lock().clone()
    }

    fn take_cookie(&self, response: &Response, name: &str) {
        if let Some(cookie) = response.set_cookie(name) {
            *self.lock() = (!cookie.is_removal()).then(|| cookie.pair());
        }
    }

    fn take_header(&self, response: &Response, header: &IdHeader) {
        if let Some(value) = response.id_header(header) {
            *self.lock() = (!value.is_empty()).then(|| value.to_owned());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").finish_non_exhaustive()
    }
}

/// A request that is under way.
#[derive(Debug)]
#[must_use = "its answer is wanted"]
pub struct Meanwhile(JoinHandle<Response>);

impl Meanwhile {
    /// Its response.
    pub async fn answer(self) -> Response {
        self.0.await.expect("the server answers")
    }
}
