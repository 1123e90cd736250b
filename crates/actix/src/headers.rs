use std::fmt::Debug;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE, VARY};
use cloakroom::{CookieName, ResponseEffect, vary_has_cookie};

/// Writes what the session needs into a response.
pub(crate) fn apply(effect: ResponseEffect, name: &CookieName, headers: &mut HeaderMap) {
    let vary = effect.vary_cookie();
    let cookie = effect.into_set_cookie().map(HeaderValue::try_from);
    write(vary, cookie, name, headers);
}

/// The same for an error, which makes a response as often as it is asked.
pub(crate) fn apply_copy(effect: &ResponseEffect, name: &CookieName, headers: &mut HeaderMap) {
    let cookie = effect.set_cookie().map(HeaderValue::from_str);
    write(effect.vary_cookie(), cookie, name, headers);
}

fn write(
    vary: bool,
    cookie: Option<Result<HeaderValue, impl Debug>>,
    name: &CookieName,
    headers: &mut HeaderMap,
) {
    if vary {
        add_to_vary(headers);
    }
    if let Some(cookie) = cookie {
        let cookie = cookie.expect("a checked cookie has visible ASCII only");
        remove_cookie(headers, name);
        headers.append(SET_COOKIE, cookie);
        headers.insert(
            CACHE_CONTROL,
            const { HeaderValue::from_static("no-store") },
        );
    }
}

fn add_to_vary(headers: &mut HeaderMap) {
    let mut values = headers.get_all(VARY);
    if values.any(|value| vary_has_cookie(value.as_bytes())) {
        return;
    }
    match headers.get_mut(VARY) {
        None => drop(headers.insert(VARY, const { HeaderValue::from_static("Cookie") })),
        Some(value) => {
            let merged = [value.as_bytes(), b", Cookie"].concat();
            *value = HeaderValue::from_bytes(&merged).expect("a valid value and ASCII are valid");
        }
    }
}

/// Takes out a cookie of that name that the application set by hand: a response must not set one twice (RFC
/// 6265bis, section 4.1.1). Others stay as they are.
fn remove_cookie(headers: &mut HeaderMap, name: &CookieName) {
    let is_ours = |value: &HeaderValue| {
        let start = value.as_bytes().split(|byte| *byte == b'=').next();
        start.unwrap_or_default().trim_ascii() == name.as_str().as_bytes()
    };
    if !headers.get_all(SET_COOKIE).any(is_ours) {
        return;
    }
    let values = headers.remove(SET_COOKIE);
    for other in values.filter(|value| !is_ours(value)) {
        headers.append(SET_COOKIE, other);
    }
}
