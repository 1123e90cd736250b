use std::fmt;
use std::future::{Future, Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::SessionError;
use crate::unseen::Unseen;

/// The session in a handler or middleware, loaded. All the verbs are [`cloakroom::CurrentSession`]'s.
///
/// Taking it costs one store operation, once for each request, and none if no cookie with a good signature
/// came. Refuses with 503 if the store cannot tell.
///
/// ```
/// use cloakroom_actix::{CurrentSession, SessionError};
///
/// async fn visit(session: CurrentSession<u64>) -> Result<String, SessionError> {
///     let visits = session.update_or_default(|visits| { *visits += 1; *visits }).await?;
///     Ok(format!("visit {visits}"))
/// }
/// # let _ = actix_web::web::get().to(visit);
/// ```
pub struct CurrentSession<T>(cloakroom::CurrentSession<T>);

/// The session in a handler, not loaded: for signing out, or signing in. See [`cloakroom::LazySession`].
///
/// ```
/// use actix_web::HttpResponse;
/// use cloakroom_actix::{LazySession, SessionError};
///
/// async fn sign_out(session: LazySession<String>) -> Result<HttpResponse, SessionError> {
///     session.logout().await?;
///     Ok(HttpResponse::NoContent().finish())
/// }
/// # let _ = actix_web::web::post().to(sign_out);
/// ```
pub struct LazySession<T>(cloakroom::LazySession<T>);

/// The session's data. Refuses with 401 if there is no session, so a handler that takes it is for those who
/// are signed in; `Option<SessionData<T>>` is for everybody.
///
/// Where the store cannot tell, the answer is a 503 in both cases, whatever the handler answers, or the middleware, as a
/// response or as an error; of its own errors only server errors stay. In the second case it has run by then, without data: actix-web
/// makes `None` of every error of an extractor. Take a [`CurrentSession`] and ask for its data where that matters.
///
/// Where the middleware for `T` is missing, it is a 500 in both cases too, if there is one for other sessions. Without any
/// middleware of ours the second one is `None`, and only the log says what to add.
///
/// ```
/// use cloakroom_actix::SessionData;
///
/// async fn account(SessionData(name): SessionData<String>) -> String {
///     format!("the account of {name}")
/// }
/// async fn home(user: Option<SessionData<String>>) -> String {
///     user.map_or("hello".to_owned(), |SessionData(name)| format!("hello, {name}"))
/// }
/// # let _ = (actix_web::web::get().to(account), actix_web::web::get().to(home));
/// ```
pub struct SessionData<T>(pub Arc<T>);

impl<T> CurrentSession<T> {
    /// The engine's type, to hand it to code that knows no actix-web.
    #[must_use]
    pub fn into_inner(self) -> cloakroom::CurrentSession<T> {
        self.0
    }
}

impl<T> LazySession<T> {
    /// The engine's type, to hand it to code that knows no actix-web.
    #[must_use]
    pub fn into_inner(self) -> cloakroom::LazySession<T> {
        self.0
    }
}

impl<T> Deref for CurrentSession<T> {
    type Target = cloakroom::CurrentSession<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> Deref for LazySession<T> {
    type Target = cloakroom::LazySession<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> Deref for SessionData<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

// By hand: deriving would ask for `T: Clone` and `T: Debug`, and would print the data.
impl<T> Clone for CurrentSession<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for LazySession<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for CurrentSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for LazySession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for SessionData<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionData(…)")
    }
}

impl<T> Clone for SessionData<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

type Extracting<R> = Pin<Box<dyn Future<Output = Result<R, SessionError>>>>;

impl<T: Send + Sync + 'static> FromRequest for LazySession<T> {
    type Error = SessionError;
    type Future = Ready<Result<Self, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(lazy(request).map(Self))
    }
}

impl<T: Send + Sync + 'static> FromRequest for CurrentSession<T> {
    type Error = SessionError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let loaded = lazy(&request)?.load().await;
            loaded
                .map(Self)
                .map_err(|error| Unseen::watch(&request, error))
        })
    }
}

impl<T: Send + Sync + 'static> FromRequest for SessionData<T> {
    type Error = SessionError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let data = lazy(&request)?.data().await;
            let data = data.map_err(|error| Unseen::watch(&request, error))?;
            data.map(Self).ok_or_else(SessionError::no_data)
        })
    }
}

/// Cloned out: the request's extensions are not to be borrowed while waiting.
fn lazy<T: Send + Sync + 'static>(
    request: &HttpRequest,
) -> Result<cloakroom::LazySession<T>, SessionError> {
    let extensions = request.extensions();
    let session = extensions.get::<cloakroom::LazySession<T>>();
    session
        .cloned()
        .ok_or_else(|| Unseen::watch(request, SessionError::missing_middleware::<T>()))
}
