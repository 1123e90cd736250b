use cloakroom::{CookieName, ResponseEffect, vary_has_cookie};
use http::header::{CACHE_CONTROL, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

/// Writes what the session needs into a response.
pub(crate) fn apply(effect: ResponseEffect, name: &CookieName, headers: &mut HeaderMap) {
    if effect.vary_cookie() {
        add_to_vary(headers);
    }
    if let Some(cookie) = effect.into_set_cookie() {
        let cookie =
            HeaderValue::try_from(cookie).expect("a checked cookie has visible ASCII only");
        set_cookie(headers, name, cookie);
        headers.insert(
            CACHE_CONTROL,
            const { HeaderValue::from_static("no-store") },
        );
    }
}

fn add_to_vary(headers: &mut HeaderMap) {
    match headers.entry(VARY) {
        Entry::Vacant(entry) => {
            entry.insert(const { HeaderValue::from_static("Cookie") });
        }
        Entry::Occupied(mut entry) => {
            if entry.iter().any(|value| vary_has_cookie(value.as_bytes())) {
                return;
            }
            let merged = [entry.get().as_bytes(), b", Cookie"].concat();
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
