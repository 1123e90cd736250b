use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use cloakroom::{ClientAddress, CookieOptions, Secret, Sessions, Store, WhenReached};

use crate::settings::Settings;
use crate::shopper::{Name, Shopper};
use crate::start_error::StartError;
use crate::store::StoreUrl;

/// A small shop that shows what Cloakroom sessions do. It prints its address; open it in a browser.
#[derive(Clone, Debug, Parser)]
#[command(name = "cloakroom-demo", version)]
pub struct Options {
    /// Where to listen. Port 0 takes any that is free. Addresses other than this machine's own need --secure.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// Where to keep sessions: `sqlite://` and the path of a file, which is made if it is missing, or
    /// `memory:`, which forgets them when the program ends.
    #[arg(long, value_name = "URL", default_value = "sqlite://cloakroom-demo.db")]
    pub(crate) store: StoreUrl,

    /// How many seconds a session lasts at most, however much it is used; 0 for no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 30 * 86_400)]
    pub(crate) max_age: u64,

    /// As --max-age, for those who want to be remembered when they sign in.
    #[arg(long, value_name = "SECONDS", default_value_t = 90 * 86_400)]
    pub(crate) remember_max_age: u64,

    /// After how many seconds without a request a session ends; 0 for no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) idle_timeout: u64,

    /// Give visitors without a session an id in a cookie, with nothing stored (pre-sessions).
    #[arg(long)]
    pub(crate) save_uninitialized: bool,

    /// How many sessions a shopper may have at a time; one more ends the oldest. Without it, any number.
    #[arg(long, value_name = "N")]
    pub(crate) max_sessions: Option<NonZeroU32>,

    /// The address or network of a proxy in front, such as 10.0.0.0/8, whose --proxy-header is believed when the list
    /// of devices shows addresses. May be given several times. Without it, no header is believed.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) trusted_proxy: Vec<String>,

    /// The header in which that proxy says whom it got a request from.
    #[arg(long, value_name = "NAME", default_value = "x-forwarded-for")]
    pub(crate) proxy_header: String,

    /// Send the production cookie, `__Host-sid` with `Secure`: for use behind a server that speaks TLS. Without it
    /// the cookie is one for plain HTTP on this machine.
    #[arg(long)]
    pub(crate) secure: bool,

    /// The file with the secret that signs session ids. Made on the first start, readable by its owner only.
    #[arg(long, value_name = "PATH", default_value = "cloakroom-demo.secret")]
    pub(crate) secret_file: PathBuf,
}

impl Options {
    /// The sessions that these options ask for.
    ///
    /// # Errors
    /// [`StartError`] if the cookie would travel over a network without TLS, if a trusted proxy is not an address, or
    /// if the store cannot do what is asked of it.
    pub fn sessions(
        &self,
        store: impl Store<Shopper>,
        secret: Secret,
    ) -> Result<Sessions<Shopper>, StartError> {
        let mut builder = Sessions::builder(store, secret)
            .cookie(self.cookie()?)
            .max_age(Duration::from_secs(self.max_age))
            .idle_timeout(Duration::from_secs(self.idle_timeout))
            .save_uninitialized(self.save_uninitialized)
            .record_clients(self.client_address()?)
            .track_last_seen(true)
            .owned_by(|shopper: &Shopper| {
                shopper.name().map(|name: &Name| name.as_str().to_owned())
            });
        if let Some(max) = self.max_sessions {
            builder = builder.max_sessions_per_owner(max, WhenReached::EndOldest);
        }
        builder
            .build()
            .map_err(|error| StartError::because("the sessions cannot be configured", error))
    }

    /// What else the application is told.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::default().remember_for(Duration::from_secs(self.remember_max_age))
    }

    /// Refuses what cannot work, before anything is made.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        self.client_address()?;
        self.cookie().map(drop)
    }

    fn client_address(&self) -> Result<ClientAddress, StartError> {
        if self.trusted_proxy.is_empty() {
            return Ok(ClientAddress::connection());
        }
        let proxies = self.trusted_proxy.iter().map(String::as_str);
        ClientAddress::forwarded(&self.proxy_header, proxies)
            .map_err(|error| StartError::because("--trusted-proxy and --proxy-header", error))
    }

    fn cookie(&self) -> Result<CookieOptions, StartError> {
        match (self.secure, self.listen.ip().to_canonical().is_loopback()) {
            (true, _) => Ok(CookieOptions::new()),
            (false, true) => Ok(CookieOptions::insecure_for_local_http()),
            (false, false) => Err(StartError::new(format!(
                "--listen {} can be reached from other machines, and without TLS anybody on the way could \
                 take over a session: put a server that speaks TLS in front and add --secure, or listen on 127.0.0.1",
                self.listen
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn options(arguments: &[&str]) -> Options {
        let program = std::iter::once(&"cloakroom-demo");
        Options::try_parse_from(program.chain(arguments)).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_a_first_start() {
        let options = options(&[]);
        assert_eq!(options.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(options.store.to_string(), "sqlite://cloakroom-demo.db");
        assert_eq!(options.max_age, 2_592_000);
        assert_eq!(options.idle_timeout, 0);
        assert_eq!(options.remember_max_age, 7_776_000);
        assert!(!options.save_uninitialized && !options.secure);
        assert_eq!(options.max_sessions, None);
        assert!(options.trusted_proxy.is_empty());
        assert_eq!(options.secret_file, PathBuf::from("cloakroom-demo.secret"));
    }

    #[test]
    fn only_the_production_cookie_leaves_this_machine() {
        let cookie = |arguments: &[&str]| {
            let name = options(arguments).cookie()?.check();
            Ok::<_, StartError>(name.unwrap().as_str().to_owned())
        };
        for local in [
            "127.0.0.1:0",
            "127.8.9.1:80",
            "[::1]:0",
            "[::ffff:127.0.0.1]:0",
        ] {
            assert_eq!(cookie(&["--listen", local]).unwrap(), "sid");
            assert_eq!(
                cookie(&["--secure", "--listen", local]).unwrap(),
                "__Host-sid"
            );
        }
        for public in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            let error = cookie(&["--listen", public]).unwrap_err().to_string();
            assert!(error.contains("--secure"), "{error}");
            assert_eq!(
                cookie(&["--secure", "--listen", public]).unwrap(),
                "__Host-sid"
            );
        }
    }

    #[test]
    fn unknown_stores_are_refused_with_those_that_are_known() {
        for refused in [
            "",
            "memory",
            "memory://x",
            "sqlite:",
            "sqlite://",
            "mongodb://x",
        ] {
            let error = Options::try_parse_from(["demo", "--store", refused]).unwrap_err();
            assert!(error.to_string().contains("sqlite://"), "{error}");
        }
    }
}
