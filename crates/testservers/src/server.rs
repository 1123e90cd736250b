use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;
use crate::{Port, StartError};

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server: what all kinds have in common.
#[derive(Debug)]
pub struct Server {
    recipe: Box<dyn Recipe>,
    port: Port,
    running: Option<Running>,
    place: Place,
}

/// How one kind of server is started.
pub(crate) trait Recipe: std::fmt::Debug + Send + Sync {
    /// The command that runs it in the foreground.
    fn command(&self, place: &Place, port: u16) -> Command;
    /// Whether it answers.
    fn is_ready(&self, port: u16) -> bool;
}

/// A process, and another one that ends it.
#[derive(Debug)]
struct Running {
    child: Child,
    /// Waits until its input is closed, which happens when this process ends, however it ends; then kills.
    watchdog: Child,
}

impl Server {
    pub(crate) fn start(place: Place, recipe: Box<dyn Recipe>) -> Result<Self, StartError> {
        let mut server = Self {
            recipe,
            port: Port::free()?,
            running: None,
            place,
        };
        // Another program may take the port between looking and using.
        for _ in 0..3 {
            match server.run() {
                Ok(()) => return Ok(server),
                Err(_) => server.port = Port::free()?,
            }
        }
        server.run().map(|()| server)
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The server's log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.place.path("server.log")
    }

    /// Ends it without warning (SIGKILL), all its processes.
    pub fn kill_9(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Stopped first, so that it cannot start another process between looking and killing; and waited for, as
            // on another core it goes on for a moment.
            let own = running.child.id().to_string();
            signal("STOP", std::slice::from_ref(&own));
            wait_until(|| is_stopped(&own));
            let family = running.family();
            signal("KILL", &family);
            // A restart fails while any of them is still there. The child itself is not asked before that: it stays
            // a zombie until then, and its number is nobody else's.
            wait_until(|| family.iter().all(|process| has_ended(process)));
            let _ = running.child.wait();
            if let Some(mut input) = running.watchdog.stdin.take() {
                let _ = input.write_all(b"done\n");
            }
            let _ = running.watchdog.wait();
        }
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers.
    pub fn stop(&self) {
        if let Some(running) = &self.running {
            let family = running.family();
            signal("STOP", &family);
            // A thread that runs on another core goes on for a moment, long on a busy machine.
            wait_until(|| family.iter().all(|process| is_stopped(process)));
        }
    }

    /// Lets it go on (SIGCONT).
    pub fn cont(&self) {
        if let Some(running) = &self.running {
            signal("CONT", &running.family());
        }
    }

    /// Kills it if it runs, and starts it again on the same port with the same data.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.kill_9();
        self.run()
    }

    fn run(&mut self) -> Result<(), StartError> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = self.recipe.command(&self.place, self.port());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.running = Some(Running::start(&mut command, &self.place)?);
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            let ended = match &mut self.running {
                Some(running) => running.child.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                break;
            }
            if self.recipe.is_ready(self.port()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill_9();
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        Err(StartError::new(format!("{command:?} did not start: {log}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill_9();
    }
}

impl Running {
    fn start(command: &mut Command, place: &Place) -> Result<Self, StartError> {
        let child = command.spawn()?;
        let script = "read -r word; test \"$word\" = done && exit; \
            for p in $(cat /proc/$0/task/$0/children 2>/dev/null) $0; do kill -KILL $p; done; \
            sleep 1; rm -rf \"$1\"";
        let watchdog = Command::new("sh")
            .args(["-c", script])
            .arg(child.id().to_string())
            .arg(place.directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, watchdog })
    }

    /// The process and its children: PostgreSQL has one for each connection.
    fn family(&self) -> Vec<String> {
        let own = self.child.id().to_string();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let mut family = vec![own];
        family.extend(
            children
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned),
        );
        family
    }
}

fn signal(name: &str, processes: &[String]) {
    // The shell's own `kill`: always there. A child that has ended meanwhile is no error.
    let script = format!("kill -{name} {} 2>/dev/null", processes.join(" "));
    let _ = Command::new("sh").args(["-c", &script]).status();
}

fn wait_until(done: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether all threads of a process stand still, or it is gone.
fn is_stopped(process: &str) -> bool {
    all_threads(process, b"tTZX")
}

/// Whether all threads of a process have ended. Not before that has it let go of its memory: a process that is
/// ending has no command line long before.
fn has_ended(process: &str) -> bool {
    all_threads(process, b"ZX")
}

/// Whether each thread of a process is in one of these states, or gone.
fn all_threads(process: &str, states: &[u8]) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return true;
    };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state follows the name, which is in parentheses and may have any characters.
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]);
        state.is_none_or(|state| states.contains(&state))
    })
}
