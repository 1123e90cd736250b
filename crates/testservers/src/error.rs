use std::fmt;

/// With this variable set to `1`, [`or_skip`] lets tests pass without their server.
const SKIP: &str = "CLOAKROOM_TEST_SKIP_SERVERS";

/// A server did not start. The text says what to do about it.
#[derive(Debug)]
pub struct StartError(String);

impl StartError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(crate) fn not_installed(binary: &str, package: &str) -> Self {
        Self(format!(
            "{binary} is not installed; on Debian: apt-get install {package}"
        ))
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// The server; or `None` if it did not start and `CLOAKROOM_TEST_SKIP_SERVERS=1` allows to go on without.
///
/// # Panics
/// If it did not start and the variable is not set: a test that did not run must not pass unnoticed.
pub fn or_skip<S>(started: Result<S, StartError>) -> Option<S> {
    match started {
        Ok(server) => Some(server),
        Err(error) if std::env::var_os(SKIP).is_some_and(|value| value == "1") => {
            eprintln!("SKIPPED ({SKIP}=1): {error}");
            None
        }
        Err(error) => panic!("{error} (or set {SKIP}=1 to skip what needs a server)"),
    }
}
