use cloakroom::{Carrier, CookieName, IdHeader, ResponseEffect, is_for_some_caches, vary_has};
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
            if let Some(cookie) = effect.into_set_cookie_bytes() {
                let mut cookie =
                    HeaderValue::try_from(cookie).expect("a checked cookie has visible ASCII only");
                // `Debug` does not show it, and HTTP/2 keeps it out of its tables.
                cookie.set_sensitive(true);
                // First, as it looks at all fields.
                forbid_caching(headers);
                set_cookie(headers, name, cookie);
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

fn add_to_vary(headers: &mut HeaderMap, value: HeaderValue, field: &str) {
    // One look both finds that there is none yet, as is usual, and puts it there.
    if headers.append(VARY, value) {
        merge_vary(headers, field);
    }
}

/// The last value was added to others, one of which may cover it: they become one, or stay what they were.
#[cold]
fn merge_vary(headers: &mut HeaderMap, field: &str) {
    let Entry::Occupied(entry) = headers.entry(VARY) else {
        return;
    };
    let mut values: Vec<HeaderValue> = entry.remove_entry_mult().1.collect();
    let added = values.pop();
    let covered = values.iter().any(|own| vary_has(own.as_bytes(), field));
    if let (false, Some(first), Some(added)) = (covered, values.first_mut(), added) {
        let merged = [first.as_bytes(), b", ", added.as_bytes()].concat();
        *first = HeaderValue::from_bytes(&merged).expect("a valid value and ASCII are valid");
    }
    for value in values {
        headers.append(VARY, value);
    }
}

/// Adds the cookie, and takes out one of that name that the application set by hand: a response must not set one
/// twice (RFC 6265bis, section 4.1.1). Others stay as they are.
fn set_cookie(headers: &mut HeaderMap, name: &CookieName, cookie: HeaderValue) {
    if headers.append(SET_COOKIE, cookie) {
        keep_last(headers, name);
    }
}

/// Of several cookies of that name.
#[cold]
fn keep_last(headers: &mut HeaderMap, name: &CookieName) {
    let is_ours = |value: &HeaderValue| {
        let start = value.as_bytes().split(|byte| *byte == b'=').next();
        start.unwrap_or_default().trim_ascii() == name.as_str().as_bytes()
    };
    let Entry::Occupied(entry) = headers.entry(SET_COOKIE) else {
        return;
    };
    if entry.iter().filter(|value| is_ours(value)).count() < 2 {
        return;
    }
    let mut values: Vec<HeaderValue> = entry.remove_entry_mult().1.collect();
    let last = values.pop();
    values.retain(|value| !is_ours(value));
    for value in values.into_iter().chain(last) {
        headers.append(SET_COOKIE, value);
    }
}
