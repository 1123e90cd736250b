use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use tokio::sync::oneshot;

use super::Ids;
use super::wire::{Reply, Request};

/// An application in a process of its own.
#[derive(Debug)]
pub(crate) struct Child {
    program: PathBuf,
    url: String,
    ids: Ids,
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    process: Process,
    waiting: Waiting,
    requests: mpsc::Sender<Request>,
}

/// Those who wait for replies, by the number of their request. `None` once there will be none.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Reply>>>>>;

impl Child {
    pub(crate) fn start(program: PathBuf, url: String, ids: Ids) -> io::Result<Self> {
        let running = Mutex::new(Running::start(&program, &url, ids)?);
        Ok(Self {
            program,
            url,
            ids,
            running,
        })
    }

    /// Sends it, and answers where the reply will come. Nothing comes there if the process ends.
    pub(crate) fn send(&self, request: Request) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        let running = lock(&self.running);
        if let Some(waiting) = &mut *lock(&running.waiting) {
            waiting.insert(request.request, sender);
            let _ = running.requests.send(request);
        }
        receiver
    }

    /// Ends it without warning and starts another one.
    pub(crate) fn kill_9(&self) -> io::Result<()> {
        let mut running = lock(&self.running);
        running.process.kill()?;
        running.process.wait()?;
        *running = Running::start(&self.program, &self.url, self.ids)?;
        Ok(())
    }

    /// Freezes it, and everything that it is doing.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn cont(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let process = lock(&self.running).process.id();
        // The shell's own `kill`: always there.
        let script = format!("kill -{name} {process}");
        let _ = Command::new("sh").args(["-c", &script]).status();
    }
}

impl Running {
    fn start(program: &PathBuf, url: &str, ids: Ids) -> io::Result<Self> {
        let mut process = Command::new(program)
            .args(["application", url, ids.word()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let (requests, inbox) = mpsc::channel();
        if let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) {
            let waiting = Arc::clone(&waiting);
            std::thread::spawn(move || read(stdout, &waiting));
            std::thread::spawn(move || write(&inbox, stdin));
        }
        Ok(Self {
            process,
            waiting,
            requests,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(stdout: ChildStdout, waiting: &Waiting) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // The last line of a killed process may be half a one.
        let Ok(reply) = serde_json::from_str::<Reply>(&line) else {
            break;
        };
        let sender = lock(waiting)
            .as_mut()
            .and_then(|waiting| waiting.remove(&reply.request));
        if let Some(sender) = sender {
            let _ = sender.send(reply);
        }
    }
    *lock(waiting) = None;
}

/// Writes what there is in one piece.
fn write(inbox: &mpsc::Receiver<Request>, mut stdin: ChildStdin) {
    let mut text = Vec::new();
    while let Ok(request) = inbox.recv() {
        for request in std::iter::once(request).chain(inbox.try_iter()) {
            if serde_json::to_writer(&mut text, &request).is_err() {
                return;
            }
            text.push(b'\n');
        }
        if stdin.write_all(&text).is_err() {
            return;
        }
        text.clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
