use cloakroom::{Carrier, CookieName, IdHeader, ResponseEffect, vary_has};
use http::header::{CACHE_CONTROL, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Writes what the session needs into a response.
pub(crate) fn apply(effect: ResponseEffect, carrier: &Carrier, headers: &mut HeaderMap) {
    if effect.is_nothing() {
        return;
    }
    match carrier {
        Carrier::Cookie(name) => {
            if effect.vary() {
                let cookie = const { HeaderValue::from_static("Cookie") };
                add_to_vary(headers, cookie, carrier.request_field());
            }
            if let Some(cookie) = effect.into_set_cookie() {
                let cookie =
                    HeaderValue::try_from(cookie).expect("a checked cookie has visible ASCII only");
                set_cookie(headers, name, cookie);
                forbid_caching(headers);
            }
        }
        Carrier::Header(header) => in_header(&effect, header, headers),
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
        // `Debug` does not show it, and HTTP/2 keeps it out of its tables.
        id.set_sensitive(true);
        headers.insert(name, id);
        forbid_caching(headers);
    }
}

fn forbid_caching(headers: &mut HeaderMap) {
    headers.insert(
        CACHE_CONTROL,
        const { HeaderValue::from_static("no-store") },
    );
}

fn add_to_vary(headers: &mut HeaderMap, value: HeaderValue, field: &str) {
    match headers.entry(VARY) {
        Entry::Vacant(entry) => {
            entry.insert(value);
        }
        Entry::Occupied(mut entry) => {
            if entry.iter().any(|own| vary_has(own.as_bytes(), field)) {
                return;
            }
            let merged = [entry.get().as_bytes(), b", ", value.as_bytes()].concat();
            let merged =
                HeaderValue::from_bytes(&merged).expect("a valid value and ASCII are valid");
            *entry.get_mut() = merged;
        }
    }
}

/// Adds the cookie, and takes out one of that name that the application set by hand: a response must not set one
/// twice (RFC 6265bis, section 4.1.1). Others stay as they are.
fn set_cookie(headers: &mut HeaderMap, name: &CookieName, cookie: HeaderValue) {
    let is_ours = |value: &HeaderValue| {
        let start = value.as_bytes().split(|byte| *byte == b'=').next();
        start.unwrap_or_default().trim_ascii() == name.as_str().as_bytes()
    };
    let mut others = Vec::new();
    match headers.entry(SET_COOKIE) {
        Entry::Vacant(entry) => {
            entry.insert(cookie);
            return;
        }
        Entry::Occupied(mut entry) if !entry.iter().any(is_ours) => {
            entry.append(cookie);
            return;
        }
        Entry::Occupied(entry) => {
            let (_, values) = entry.remove_entry_mult();
            others.extend(values.filter(|value| !is_ours(value)));
        }
    }
    for value in others.into_iter().chain([cookie]) {
        headers.append(SET_COOKIE, value);
    }
}
