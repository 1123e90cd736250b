use std::fmt;
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinHandle;

use crate::{Request, Response, SetCookie, Site};

/// Somebody with a browser: keeps the session cookie that it is sent, and sends it back.
pub struct Visitor {
    site: Site,
    /// `name=value`
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

    /// Sends any request, with the cookie.
    pub async fn send(&self, request: Request) -> Response {
        let response = self.try_send(request).await;
        response.expect("the server answers")
    }

    /// As [`send`](Visitor::send); `None` if the server hung up without a response.
    pub async fn try_send(&self, request: Request) -> Option<Response> {
        let request = match self.cookie_if_any() {
            Some(cookie) => request.cookie(cookie),
            None => request,
        };
        let response = self.site.try_send(request).await?;
        if let Some(cookie) = response.set_cookie(self.site.cookie_name()) {
            self.take(&cookie);
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
        Self::new(self.site.clone(), self.cookie_if_any())
    }

    /// What `/current/read` says: `name:count`, or `nobody`.
    pub async fn whoami(&self) -> String {
        self.get("/current/read").await.expect(200).to_owned()
    }

    /// The cookie, `name=value`.
    #[must_use]
    pub fn cookie(&self) -> String {
        self.cookie_if_any().expect("there is a cookie")
    }

    /// The cookie's value.
    #[must_use]
    pub fn value(&self) -> String {
        let cookie = self.cookie();
        let (_, value) = cookie.split_once('=').expect("a cookie has a name");
        value.to_owned()
    }

    fn cookie_if_any(&self) -> Option<String> {
        self.lock().clone()
    }

    fn take(&self, cookie: &SetCookie) {
        *self.lock() = (!cookie.is_removal()).then(|| cookie.pair());
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
