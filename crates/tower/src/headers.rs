use cloakroom::{CookieFields, CookieName, ResponseEffect, vary_has_cookie};
use http::header::{CACHE_CONTROL, COOKIE, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

/// A request's `Cookie` fields; their bytes are shared with the request, not copied.
#[derive(Debug)]
pub(crate) struct CookieValues {
    first: Option<HeaderValue>,
    // HTTP/2 clients may send many; most send one, and then this takes no memory.
    rest: Vec<HeaderValue>,
}

impl CookieValues {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(COOKIE).iter().cloned();
        Self {
            first: values.next(),
            rest: values.collect(),
        }
    }
}

impl CookieFields for CookieValues {
    fn for_each(&self, reader: &mut dyn FnMut(&[u8])) {
        let values = self.first.iter().chain(&self.rest);
        values.for_each(|value| reader(value.as_bytes()));
    }
}

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
