//! Requests in a second over HTTP, beside the same server without sessions.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::foreign;
use crate::Failure;
use crate::app::{self, Settings, Subject};
use crate::figure::Figure;
use crate::load::Browsers;
use crate::part::Part;
use crate::run::Run;

const CONNECTIONS: usize = 64;

const CASES: [(&str, &str); 3] = [
    ("valid cookie, the handler ignores the session", "/ignore"),
    ("the handler reads a small struct", "/read"),
    ("the handler reads and saves it", "/write"),
];

pub fn run(run: &Run) -> Result<Part, Failure> {
    let mut part = Part::new(
        "b",
        "Over HTTP",
        "Requests in a second, as a ratio to the same server without sessions, which gets the same requests, cookies \
         and all: the two take turns, many short ones, and each pair gives one ratio. 64 connections, each with a \
         session of its own; servers and load generator share the machine. Beside it the processor time of the \
         server's process for each request.",
    );
    part.setting("load generator", "our own (`bench/src/load.rs`): one thread, HTTP/1.1, keep-alive, no pipelining");
    part.setting("Rust servers", "`axum::serve` on tokio, 2 workers; actix-web, 2 workers");
    part.setting("express-session", "express, `MemoryStore`, `resave: false`, `saveUninitialized: false`; one process");
    part.setting("scs", "`net/http`, `memstore`, `LoadAndSave`");
    for subject in Subject::LIBRARIES {
        let serve = |subject: Subject| run.child(&["serve", subject.id()]);
        let base = Server::start(serve(subject.base())?)?;
        let server = Server::start(serve(subject)?)?;
        compare(run, &mut part, (subject.base().name(), base), (subject.name(), server))?;
    }
    for other in [foreign::node(run), foreign::go(run)] {
        match other {
            Ok((names, base, command)) => {
                let (base, server) = (Server::start(base)?, Server::start(command)?);
                compare(run, &mut part, (names.0, base), (names.1, server))?;
            }
            Err(error) => part.note(error.to_string()),
        }
    }
    Ok(part)
}

fn compare(
    run: &Run,
    part: &mut Part,
    (base_name, base): (&str, Server),
    (name, server): (&str, Server),
) -> Result<(), Failure> {
    run.say(&format!("b: {name}"));
    // Short rounds and many: what else the machine does meets both of a pair.
    let rounds = *run.pick(&75, &3);
    let time = Duration::from_millis(200);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut to_base = Browsers::connect(base.port, CONNECTIONS).await?;
        let mut to_server = Browsers::connect(server.port, CONNECTIONS).await?;
        to_base.wear_cookies_of(&to_server);
        for (case, path) in CASES {
            let mut figures: [Vec<f64>; 5] = Default::default();
            for round in 0..=rounds {
                let cpu = [base.processor_seconds(), server.processor_seconds()];
                let (bare, with);
                // Whoever is asked first would have the better of it, or the worse.
                if round % 2 == 0 {
                    bare = to_base.ask(path, time).await?;
                    with = to_server.ask(path, time).await?;
                } else {
                    with = to_server.ask(path, time).await?;
                    bare = to_base.ask(path, time).await?;
                }
                if round == 0 {
                    continue;
                }
                let spent = |server: &Server, before: f64, speed: f64| {
                    (server.processor_seconds() - before) * 1e6 / (speed * time.as_secs_f64())
                };
                let values =
                    [with / bare, with, bare, spent(&server, cpu[1], with), spent(&base, cpu[0], bare)];
                for (figures, value) in figures.iter_mut().zip(values) {
                    figures.push(value);
                }
            }
            let [ratio, with, bare, micros, bare_micros] = figures;
            let size = CONNECTIONS as u64;
            let processor = "microseconds of the server's processor time";
            part.figures.extend([
                Figure::of(name, case, size, "ratio to no sessions", ratio),
                Figure::of(name, case, size, "requests per second", with),
                Figure::of(name, case, size, processor, micros),
            ]);
            if part.figure(base_name, case, size, processor).is_none() {
                part.figures.push(Figure::of(base_name, case, size, "requests per second", bare));
                part.figures.push(Figure::of(base_name, case, size, processor, bare_micros));
            }
        }
        Ok(())
    })
}

/// A server in a process of its own, which ends with this.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// The command's first line of output is the port.
    fn start(mut command: Command) -> Result<Self, Failure> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse();
        let mut server = Self { child, port: 0 };
        server.port = port.map_err(|_| format!("{command:?} did not say its port: {line:?}"))?;
        Ok(server)
    }

    fn processor_seconds(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let threads = threads.into_iter().flatten().flatten();
        // The first number is nanoseconds; other files of the system count in hundredths of a second.
        let nanos = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok()
        });
        nanos.sum::<f64>() / 1e9
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process of its own: says the port, then serves.
pub fn serve(subject: &str) -> Result<(), Failure> {
    let subject = Subject::parse(subject).ok_or("no such subject")?;
    let settings = Settings::resident(10_000);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    if subject.base() == Subject::BareActix {
        actix_web::rt::System::new().block_on(app::serve_actix(subject, &settings, listener));
        return Ok(());
    }
    let runtime = super::databases::runtime()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let service = app::service(subject, &settings).await;
        use axum::serve::ListenerExt;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, tower::make::Shared::new(service)).await?)
    })
}
