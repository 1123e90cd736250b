use std::fmt::Debug;

use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use cloakroom::{Carrier, CookieName, IdHeader, ResponseEffect, is_for_some_caches, vary_has};

/// Writes what the session needs into a response.
pub(crate) fn apply(effect: ResponseEffect, carrier: &Carrier, headers: &mut HeaderMap) {
    match carrier {
        Carrier::Cookie(name) => {
            let vary = effect.vary();
            let cookie = effect.into_set_cookie_bytes().map(HeaderValue::try_from);
            in_cookie(vary, cookie, name, headers);
        }
        Carrier::Header(header) => in_header(&effect, header, headers),
    }
}

/// The same for an error, which makes a response as often as it is asked.
pub(crate) fn apply_copy(effect: &ResponseEffect, carrier: &Carrier, headers: &mut HeaderMap) {
    match carrier {
        Carrier::Cookie(name) => {
            let cookie = effect.set_cookie().map(HeaderValue::from_str);
            in_cookie(effect.vary(), cookie, name, headers);
        }
        Carrier::Header(header) => in_header(effect, header, headers),
    }
}

fn in_cookie(
    vary: bool,
    cookie: Option<Result<HeaderValue, impl Debug>>,
    name: &CookieName,
    headers: &mut HeaderMap,
) {
    if vary {
        let cookie = const { HeaderValue::from_static("Cookie") };
        add_to_vary(headers, cookie, "cookie");
    }
    if let Some(cookie) = cookie {
        let mut cookie = cookie.expect("a checked cookie has visible ASCII only");
        // `Debug` does not show it, and HTTP/2 keeps it out of its tables.
        cookie.set_sensitive(true);
        // First, as it looks at all fields.
        forbid_caching(headers);
        remove_cookie(headers, name);
        headers.append(SET_COOKIE, cookie);
    }
}

#[cold]
fn in_header(effect: &ResponseEffect, header: &IdHeader, headers: &mut HeaderMap) {
    if effect.vary() {
        let field = header.request_name();
        let value = HeaderValue::from_str(field).expect("a checked name is visible ASCII");
        add_to_vary(headers, value, field);
    }
    if let Some(id) = effect.set_header() {
        let name = HeaderName::try_from(header.response_name()).expect("a checked name is one");
        let mut id = HeaderValue::from_str(id).expect("a signed id is visible ASCII");
        id.set_sensitive(true); // As above.
        headers.insert(name, id);
        forbid_caching(headers);
    }
}

fn forbid_caching(headers: &mut HeaderMap) {
    headers.insert(
        CACHE_CONTROL,
        const { HeaderValue::from_static("no-store") },
    );
    let mut fields = headers.keys();
    while let Some(field) = fields.find(|field| is_for_some_caches(field.as_str())) {
        let field = field.clone();
        headers.remove(field);
        fields = headers.keys();
    }
}

fn add_to_vary(headers: &mut HeaderMap, added: HeaderValue, field: &str) {
    let mut values = headers.get_all(VARY);
    if values.any(|value| vary_has(value.as_bytes(), field)) {
        return;
    }
    match headers.get_mut(VARY) {
        None => drop(headers.insert(VARY, added)),
        Some(value) => {
            let merged = [value.as_bytes(), b", ", added.as_bytes()].concat();
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
