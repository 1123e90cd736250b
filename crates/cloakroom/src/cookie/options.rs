use std::net::IpAddr;

use super::CookieName;
use super::name::Prefix;
use crate::Error;

/// How the session's cookie is named and what browsers may do with it.
///
/// The defaults: name `__Host-sid`, `Path=/`, no `Domain`, `Secure`, `HttpOnly`, `SameSite=Lax`. A combination
/// that a browser would refuse is an error when the configuration is built, so that nobody looks for hours for
/// a cookie that never comes back.
///
/// ```
/// use cloakroom::{CookieOptions, SameSite};
///
/// let strict = CookieOptions::new().name("__Host-admin").same_site(SameSite::Strict);
/// let shared = CookieOptions::new().name("__Secure-sid").domain("example.com");
/// let embedded = CookieOptions::new().same_site(SameSite::None).partitioned();
/// let on_my_laptop = CookieOptions::insecure_for_local_http();
/// # for options in [strict, shared, embedded, on_my_laptop] { options.check()?; }
/// # assert!(CookieOptions::new().domain("example.com").check().is_err());
/// # Ok::<(), cloakroom::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CookieOptions {
    name: String,
    pub(super) domain: Option<String>,
    pub(super) path: String,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
    pub(super) partitioned: bool,
}

/// Whether a browser sends the cookie with requests that another site caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never. Signs people out on every link from elsewhere and on the return from a sign-in with OAuth.
    Strict,
    /// Only when such a request is a navigation with a safe method: links work, forms of others do not.
    Lax,
    /// Always, for applications embedded in other sites. Bring protection against cross-site requests.
    None,
}

impl CookieOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            name: "__Host-sid".to_owned(),
            domain: None,
            path: "/".to_owned(),
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }

    /// For plain HTTP on the developer's own machine: no `Secure`, and the name `sid`, since browsers take
    /// `__Host-` cookies over TLS only. Anybody on the network path can read and set such a cookie.
    pub fn insecure_for_local_http() -> Self {
        Self {
            name: "sid".to_owned(),
            secure: false,
            ..Self::new()
        }
    }

    /// The name. Default `__Host-sid`, or `sid` for local HTTP.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sends the cookie to that domain and all its subdomains, each of which can then read and overwrite it.
    /// Needs a name without `__Host-`, best one with `__Secure-`. Default: this host only.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sends the cookie only below that path. No boundary: other paths of the host can get at it. Needs a
    /// name without `__Host-` if it is not `/`. Default `/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Whether requests from other sites carry the cookie. Default [`SameSite::Lax`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Keeps a jar of its own for each top-level site (CHIPS), for an application embedded in others. Needs
    /// [`SameSite::None`]. Default off.
    pub fn partitioned(mut self) -> Self {
        self.partitioned = true;
        self
    }

    /// Lets scripts in the page read the cookie: a script injected once can then carry the session away.
    /// Default: they cannot.
    pub fn dangerous_readable_by_scripts(mut self) -> Self {
        self.http_only = false;
        self
    }

    /// Checks the combination as the building of a configuration does, and gives the parsed name.
    ///
    /// # Errors
    /// `Configuration`, saying what a browser would refuse and what to do.
    pub fn check(&self) -> Result<CookieName, Error> {
        let name = CookieName::new(&self.name)?;
        self.check_path()?;
        self.check_domain()?;
        self.check_prefix(&name)?;
        if self.same_site == SameSite::None && !self.secure {
            return refuse("SameSite=None needs Secure, which is off for local HTTP");
        }
        if self.partitioned && self.same_site != SameSite::None {
            return refuse("a partitioned cookie needs SameSite=None and Secure");
        }
        Ok(name)
    }

    fn check_path(&self) -> Result<(), Error> {
        let visible = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b';';
        if !self.path.starts_with('/') || self.path.len() > 1024 || !self.path.bytes().all(visible)
        {
            return refuse(&format!(
                "the cookie path {:?} must begin with / and have neither spaces nor ;",
                self.path
            ));
        }
        Ok(())
    }

    fn check_domain(&self) -> Result<(), Error> {
        let Some(domain) = &self.domain else {
            return Ok(());
        };
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if domain.len() > 253 || !domain.split('.').all(label) || domain.parse::<IpAddr>().is_ok() {
            return refuse(&format!(
                "the cookie domain {domain:?} must be a host name such as example.com, without a leading dot"
            ));
        }
        Ok(())
    }

    fn check_prefix(&self, name: &CookieName) -> Result<(), Error> {
        let Some(prefix) = name.prefix() else {
            return Ok(());
        };
        let spelled = prefix.as_str();
        if !self.secure {
            return refuse(&format!(
                "browsers take {spelled} cookies over TLS only; for local HTTP use a name without it"
            ));
        }
        if matches!(prefix, Prefix::Host | Prefix::HostHttp) {
            if self.domain.is_some() {
                return refuse(&format!(
                    "browsers refuse {spelled} cookies with a Domain; use a name such as \"__Secure-sid\""
                ));
            }
            if self.path != "/" {
                return refuse(&format!(
                    "browsers refuse {spelled} cookies with another Path than /; use a name such as \"__Secure-sid\""
                ));
            }
        }
        if matches!(prefix, Prefix::Http | Prefix::HostHttp) && !self.http_only {
            return refuse(&format!(
                "browsers refuse {spelled} cookies without HttpOnly"
            ));
        }
        Ok(())
    }
}

impl Default for CookieOptions {
    fn default() -> Self {
        Self::new()
    }
}

fn refuse<R>(why: &str) -> Result<R, Error> {
    Err(Error::configuration(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_refuse_is_an_error() {
        let new = CookieOptions::new;
        let local = CookieOptions::insecure_for_local_http;
        for (refused, options) in [
            ("__Host- with Domain", new().domain("example.com")),
            ("__Host- with Path", new().path("/app")),
            ("__Host- without Secure", local().name("__Host-sid")),
            ("__Secure- without Secure", local().name("__Secure-sid")),
            ("__Http- without Secure", local().name("__Http-sid")),
            (
                "__Http- for scripts",
                new().name("__Http-sid").dangerous_readable_by_scripts(),
            ),
            (
                "__Host-Http- with Path",
                new().name("__Host-Http-sid").path("/app"),
            ),
            ("None without Secure", local().same_site(SameSite::None)),
            ("partitioned Lax", new().partitioned()),
            ("relative path", new().name("sid").path("app")),
            ("path with ;", new().name("sid").path("/a;b")),
            ("path with line break", new().name("sid").path("/a\r\nX: y")),
            ("leading dot", new().name("sid").domain(".example.com")),
            ("address", new().name("sid").domain("127.0.0.1")),
            (
                "domain with attribute",
                new().name("sid").domain("example.com; Path=/"),
            ),
            ("no domain", new().name("sid").domain("")),
            ("no name", new().name("")),
        ] {
            let error = options.check().expect_err(refused);
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{refused}");
        }
    }

    #[test]
    fn what_a_browser_takes_is_accepted() {
        let new = CookieOptions::new;
        for options in [
            new(),
            CookieOptions::insecure_for_local_http(),
            new().name("__Host-Http-sid"),
            new()
                .name("__Secure-sid")
                .domain("example.com")
                .path("/app"),
            new().name("plain").domain("localhost"),
            new().same_site(SameSite::None).partitioned(),
        ] {
            options.check().expect("a browser takes this");
        }
    }
}
