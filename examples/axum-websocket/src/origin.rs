use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;

/// The request does not come from a page of another origin.
///
/// A websocket is opened with a GET, and browsers let every page do that: layers against forged requests let a GET
/// pass, and `SameSite` says nothing of a page on a sibling domain. But browsers tell where the page is from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameOrigin;

impl<S: Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(origin) = parts.headers.get(ORIGIN) else {
            // Not a browser, so nobody's cookies are borrowed.
            return Ok(Self);
        };
        let origin = origin.to_str().ok();
        let authority = origin.and_then(|origin| origin.split_once("://"));
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        match (authority, host) {
            (Some((_, authority)), Some(host)) if authority == host => Ok(Self),
            _ => Err((StatusCode::FORBIDDEN, "not from there")),
        }
    }
}
