use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::SessionError;

/// The session in a handler or middleware, loaded. All the verbs are [`cloakroom::CurrentSession`]'s.
///
/// Taking it costs one store operation, once for each request, and none if no cookie with a good signature
/// came. Refuses with 503 if the store cannot tell.
///
/// ```
/// use cloakroom_tower::{CurrentSession, SessionError};
///
/// async fn visit(session: CurrentSession<u64>) -> Result<String, SessionError> {
///     let visits = session.update_or_default(|visits| { *visits += 1; *visits }).await?;
///     Ok(format!("visit {visits}"))
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(visit);
/// ```
pub struct CurrentSession<T>(cloakroom::CurrentSession<T>);

/// The session in a handler, not loaded: for signing out, or signing in. See [`cloakroom::LazySession`].
///
/// ```
/// use cloakroom_tower::{LazySession, SessionError};
///
/// async fn sign_out(session: LazySession<String>) -> Result<(), SessionError> {
///     session.logout().await?;
///     Ok(())
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::post(sign_out);
/// ```
pub struct LazySession<T>(cloakroom::LazySession<T>);

/// The session's data. Refuses with 401 if there is no session, so a handler that takes it is for those who
/// are signed in; `Option<SessionData<T>>` is for everybody, and still refuses with 503 if the store cannot tell.
///
/// ```
/// use cloakroom_tower::SessionData;
///
/// async fn account(SessionData(name): SessionData<String>) -> String {
///     format!("the account of {name}")
/// }
/// async fn home(user: Option<SessionData<String>>) -> String {
///     user.map_or("hello".to_owned(), |SessionData(name)| format!("hello, {name}"))
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(account).post(home);
/// ```
pub struct SessionData<T>(pub Arc<T>);

impl<T> CurrentSession<T> {
    /// The engine's type, to hand it to code that knows no axum.
    #[must_use]
    pub fn into_inner(self) -> cloakroom::CurrentSession<T> {
        self.0
    }
}

impl<T> LazySession<T> {
    /// The engine's type, to hand it to code that knows no axum.
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

impl<T: Send + Sync + 'static, S: Sync> FromRequestParts<S> for LazySession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        lazy(parts).cloned().map(Self)
    }
}

impl<T: Send + Sync + 'static, S: Sync> FromRequestParts<S> for CurrentSession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ok(Self(lazy(parts)?.load().await?))
    }
}

impl<T: Send + Sync + 'static, S: Sync> FromRequestParts<S> for SessionData<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let data = data(parts).await?;
        data.map(Self).ok_or_else(SessionError::no_data)
    }
}

impl<T: Send + Sync + 'static, S: Sync> OptionalFromRequestParts<S> for SessionData<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        Ok(data(parts).await?.map(Self))
    }
}

async fn data<T: Send + Sync + 'static>(parts: &Parts) -> Result<Option<Arc<T>>, SessionError> {
    Ok(lazy::<T>(parts)?.data().await?)
}

fn lazy<T: Send + Sync + 'static>(
    parts: &Parts,
) -> Result<&cloakroom::LazySession<T>, SessionError> {
    let session = parts.extensions.get::<cloakroom::LazySession<T>>();
    session.ok_or_else(SessionError::missing_layer::<T>)
}
