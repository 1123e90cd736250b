//! `cargo demo`: see the crate's documentation.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use cloakroom_demo::{Options, run};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse_from(arguments());
    log_to_stderr();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloakroom-demo: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

/// The command line. The alias `cargo demo` brings its own `--`; one more, as `cargo run` needs it, is a habit.
fn arguments() -> impl Iterator<Item = OsString> {
    let given = std::env::args_os().enumerate();
    given.filter_map(|(at, argument)| (at != 1 || argument != "--").then_some(argument))
}

/// What the environment variable `RUST_LOG` asks for; warnings by default.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::filter::LevelFilter;

    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
