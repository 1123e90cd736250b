use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::ORIGIN;
use axum::http::request::Parts;

/// Where this site's pages are from, as browsers say it: scheme, host, and port if it is not the usual one.
#[derive(Clone, Debug)]
pub(crate) struct OwnOrigin(pub(crate) Arc<str>);

/// The request does not come from a page of another origin.
///
/// A websocket is opened with a GET, and browsers let every page do that: layers against forged requests let a GET
/// pass, and `SameSite` says nothing of a page on a sibling domain. But browsers tell where the page is from. The scheme
/// counts: whoever sits in between can put anything into a page that came without TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameOrigin;

impl<S: Sync> FromRequestParts<S> for SameOrigin
where
    OwnOrigin: FromRef<S>,
{
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let OwnOrigin(own) = OwnOrigin::from_ref(state);
        match parts.headers.get(ORIGIN) {
            // Not a browser, so nobody's cookies are borrowed.
            None => Ok(Self),
            Some(origin) if origin.as_bytes() == own.as_bytes() => Ok(Self),
            Some(_) => Err((StatusCode::FORBIDDEN, "not from there")),
        }
    }
}
