use std::sync::{Mutex, MutexGuard, PoisonError};

use cloakroom::Handle;

/// A browser's cookies, shared by its tabs, which are clients of their own.
#[derive(Debug)]
pub(crate) struct Jar {
    pub(crate) owner: u32,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    cookie: Option<Cookie>,
    /// Every one that ever was in it: those of sessions that ended, and of ids that were given up, too.
    all: Vec<Cookie>,
}

/// A session's cookie as it is sent back, and the public name of the session that it was given for.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    pub(crate) pair: String,
    pub(crate) handle: Handle,
}

impl Jar {
    pub(crate) fn new(owner: u32) -> Self {
        Self {
            owner,
            inside: Mutex::default(),
        }
    }

    pub(crate) fn cookie(&self) -> Option<Cookie> {
        self.inside().cookie.clone()
    }

    pub(crate) fn all(&self) -> Vec<Cookie> {
        self.inside().all.clone()
    }

    /// One of all, chosen by that number.
    pub(crate) fn old(&self, number: usize) -> Option<Cookie> {
        let inside = self.inside();
        let at = number.checked_rem(inside.all.len())?;
        inside.all.get(at).cloned()
    }

    /// What a browser does with a `Set-Cookie` field.
    pub(crate) fn take(&self, field: &str, handle: Option<Handle>) {
        let pair = field.split(';').next().unwrap_or_default();
        let removed = field.contains("Max-Age=0") || pair.ends_with('=');
        let mut inside = self.inside();
        match handle {
            Some(handle) if !removed => {
                let cookie = Cookie {
                    pair: pair.to_owned(),
                    handle,
                };
                inside.all.push(cookie.clone());
                inside.cookie = Some(cookie);
            }
            _ => inside.cookie = None,
        }
    }

    /// The browser forgets it; the session lies unused.
    pub(crate) fn forget(&self) {
        self.inside().cookie = None;
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
