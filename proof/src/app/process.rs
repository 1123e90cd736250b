use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::open::open;
use super::wire::{Reply, Request};
use super::{Application, Ids, RENEWAL};

/// How often the store is tried while the server comes back.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs an application on the store at that address until the input ends: a request a line in, a reply a line out,
/// many at once.
///
/// # Errors
/// If the store does not open, or the input is not of this program.
pub fn serve(url: &str, ids: Ids) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let store = runtime.block_on(async {
        let mut attempt = 0;
        loop {
            match open(url).await {
                Ok(store) => break Ok(store),
                Err(error) if attempt == ATTEMPTS => break Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            attempt += 1;
        }
    })?;
    let application = Arc::new(Application::new(store, ids, RENEWAL)?);
    let (replies, outbox) = mpsc::channel();
    std::thread::spawn(move || write(&outbox));
    for line in stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let (application, replies) = (Arc::clone(&application), replies.clone());
        runtime.spawn(async move {
            let _ = replies.send(application.answer(request).await);
        });
    }
    // Nobody asks any more, and nobody waits for what is still under way.
    std::process::exit(0)
}

/// Writes what there is in one piece.
fn write(outbox: &mpsc::Receiver<Reply>) {
    let mut text = Vec::new();
    while let Ok(reply) = outbox.recv() {
        for reply in std::iter::once(reply).chain(outbox.try_iter()) {
            if serde_json::to_writer(&mut text, &reply).is_err() {
                return;
            }
            text.push(b'\n');
        }
        let mut stdout = stdout().lock();
        if stdout
            .write_all(&text)
            .and_then(|()| stdout.flush())
            .is_err()
        {
            return;
        }
        text.clear();
    }
}
