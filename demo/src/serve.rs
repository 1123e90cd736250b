use std::future::pending;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::app::app;
use crate::options::Options;
use crate::secret_file::secret_from_file;
use crate::start_error::StartError;
use crate::stop::Stop;

/// How long requests under way may go on after the signal to stop. The slowest takes less.
const GRACE: Duration = Duration::from_secs(15);

/// How long closing the store may take.
const CLOSING: Duration = Duration::from_secs(5);

/// Starts the demo, prints its address and what to try, and serves until Ctrl-C or SIGTERM. Requests that are under
/// way then are finished, and event streams closed.
///
/// # Errors
/// [`StartError`] if an option, the secret file, the store or the address cannot be used.
pub async fn run(options: Options) -> Result<(), StartError> {
    // The options' own troubles first: then nothing has been made yet.
    options.check()?;
    let secret = secret_from_file(&options.secret_file)?;
    let store = options.store.open().await?;
    let sessions = options.sessions(store.shared(), secret)?;
    let cannot_listen =
        |error| StartError::because(format!("cannot listen on {}", options.listen), error);
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let mut signals = Signals::listen()
        .map_err(|error| StartError::because("cannot listen for signals", error))?;

    let (switch, stop) = Stop::with_switch();
    let app = app(sessions, options.settings().stop(stop.clone()));
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.wait());
    greet(&options, address);
    let given_up = async {
        signals.next().await;
        switch.flip();
        tokio::select! {
            () = tokio::time::sleep(GRACE) => {}
            () = signals.next() => {}
        }
    };
    tokio::select! {
        served = server => served.map_err(|error| StartError::because("the server failed", error))?,
        () = given_up => tracing::warn!("stopped with requests still under way"),
    }
    if tokio::time::timeout(CLOSING, store.close()).await.is_err() {
        tracing::warn!("the store was still busy");
    }
    Ok(())
}

/// Says where it is and what to try. A terminal that has gone away is no reason to stop.
fn greet(options: &Options, address: SocketAddr) {
    let text = greeting(options, address);
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

fn greeting(options: &Options, address: SocketAddr) -> String {
    let store = &options.store;
    let mut text = format!("Cloakroom demo: http://{address}\nsessions in:    {store}\n\n");
    if options.secure {
        text += "The cookie is for TLS only: put a server that speaks it in front.\n";
    } else {
        text += &format!(
            "Open the address in a browser, or:\n\n\
             \x20 curl -b jar -c jar --json '{{\"name\":\"ada\"}}' http://{address}/api/login\n\
             \x20 curl -b jar -c jar --json '{{\"item\":\"tea\"}}' http://{address}/api/cart\n\
             \x20 curl -b jar -c jar http://{address}/api/me\n\
             \x20 curl -b jar -c jar http://{address}/api/sessions\n\
             \x20 curl -b jar -c jar -X POST http://{address}/api/logout\n"
        );
    }
    text += match store.is_durable() {
        true => "\nStop it with Ctrl-C and start it again: who was signed in still is.\n",
        false => "\nStop it with Ctrl-C. Sessions are in memory and end with it.\n",
    };
    text
}

/// What asks the program to stop.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        let asked = tokio::select! {
            signal = self.interrupt.recv() => signal.is_some(),
            signal = self.terminate.recv() => signal.is_some(),
        };
        #[cfg(not(unix))]
        let asked = tokio::signal::ctrl_c().await.is_ok();
        if !asked {
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn greeting_of(arguments: &[&str]) -> String {
        let program = std::iter::once(&"cloakroom-demo");
        let options = Options::try_parse_from(program.chain(arguments)).unwrap();
        greeting(&options, ([127, 0, 0, 1], 3000).into())
    }

    #[test]
    fn the_greeting_promises_only_what_holds() {
        let durable = greeting_of(&[]);
        assert!(durable.starts_with("Cloakroom demo: http://127.0.0.1:3000\n"));
        assert!(durable.contains("--json '{\"name\":\"ada\"}' http://127.0.0.1:3000/api/login"));
        assert!(durable.contains("who was signed in still is"));

        let fleeting = greeting_of(&["--store", "memory:"]);
        assert!(!fleeting.contains("still is"));
        // curl sends no such cookie over plain HTTP.
        assert!(!greeting_of(&["--secure"]).contains("curl"));
    }
}
