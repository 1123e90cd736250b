use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cloakroom_tower::CurrentSession;
use serde::de::DeserializeOwned;

use crate::Account;

/// A form with the token in a hidden field.
pub(crate) trait HasToken {
    fn csrf_token(&self) -> &str;
}

/// A form whose token was given to this session, or pre-session. A handler that takes it cannot forget to check.
#[derive(Debug)]
pub(crate) struct Checked<F>(pub(crate) F);

impl<F, S> FromRequest<S> for Checked<F>
where
    F: HasToken + DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        // The handler's session is the same one: it is loaded once for each request.
        let session = CurrentSession::<Account>::from_request_parts(&mut parts, state).await;
        let session = session.map_err(IntoResponse::into_response)?;
        let form = Form::<F>::from_request(Request::from_parts(parts, body), state).await;
        let Form(form) = form.map_err(IntoResponse::into_response)?;
        if !session.verify_csrf_token(form.csrf_token()) {
            let why = "This form is out of date. Go back, reload the page and try again.";
            return Err((StatusCode::FORBIDDEN, why).into_response());
        }
        Ok(Self(form))
    }
}
