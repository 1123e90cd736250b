use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use cloakroom::{Carrier, CookieName, ResponseEffect, vary_has};

/// Writes what the session needs into a response.
pub(crate) fn apply(effect: &ResponseEffect, carrier: &Carrier, headers: &mut HeaderMap) {
    if effect.vary() {
        add_to_vary(headers, carrier);
    }
    match carrier {
        Carrier::Cookie(name) => {
            let Some(cookie) = effect.set_cookie() else {
                return;
            };
            let cookie =
                HeaderValue::from_str(cookie).expect("a checked cookie has visible ASCII only");
            remove_cookie(headers, name);
            headers.append(SET_COOKIE, cookie);
        }
        Carrier::Header(header) => {
            let Some(id) = effect.set_header() else {
                return;
            };
            let name = HeaderName::try_from(header.response_name()).expect("a checked name is one");
            let mut id = HeaderValue::from_str(id).expect("a signed id is visible ASCII");
            // `Debug` does not show it, and HTTP/2 keeps it out of its tables.
            id.set_sensitive(true);
            headers.insert(name, id);
        }
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn add_to_vary(headers: &mut HeaderMap, carrier: &Carrier) {
    let field = carrier.request_field();
    let mut values = headers.get_all(VARY);
    if values.any(|value| vary_has(value.as_bytes(), field)) {
        return;
    }
    let added = match carrier {
        Carrier::Cookie(_) => HeaderValue::from_static("Cookie"),
        Carrier::Header(_) => {
            HeaderValue::from_str(field).expect("a checked name is visible ASCII")
        }
    };
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
