use cloakroom::{CookieName, ResponseEffect, vary_has_cookie};
use http::header::{CACHE_CONTROL, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

/// Writes what the session needs into a response.
pub(crate) fn apply(effect: &ResponseEffect, name: &CookieName, headers: &mut HeaderMap) {
    if effect.vary_cookie() {
        add_to_vary(headers);
    }
    if let Some(cookie) = effect.set_cookie() {
        let cookie =
            HeaderValue::from_str(cookie).expect("a checked cookie has visible ASCII only");
        remove_cookie(headers, name);
        headers.append(SET_COOKIE, cookie);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn add_to_vary(headers: &mut HeaderMap) {
    if headers
        .get_all(VARY)
        .iter()
        .any(|value| vary_has_cookie(value.as_bytes()))
    {
        return;
    }
    match headers.entry(VARY) {
        Entry::Vacant(entry) => {
            entry.insert(HeaderValue::from_static("Cookie"));
        }
        Entry::Occupied(mut entry) => {
            let merged = [entry.get().as_bytes(), b", Cookie"].concat();
            let merged =
                HeaderValue::from_bytes(&merged).expect("a valid value and ASCII are valid");
            *entry.get_mut() = merged;
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
    if !headers.get_all(SET_COOKIE).iter().any(is_ours) {
        return;
    }
    if let Entry::Occupied(entry) = headers.entry(SET_COOKIE) {
        let (_, values) = entry.remove_entry_mult();
        let others: Vec<HeaderValue> = values.filter(|value| !is_ours(value)).collect();
        for other in others {
            headers.append(SET_COOKIE, other);
        }
    }
}
