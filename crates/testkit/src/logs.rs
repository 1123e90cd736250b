use std::io;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::Level;

/// Everything that the process logs at TRACE, whoever logs it: `tracing` and `log` records, of the library,
/// the framework and the runtime; and what panics say. Scenarios run side by side, so all share it.
static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Begins to capture, if nobody has yet. How much there is already.
pub(crate) fn capture() -> usize {
    static START: Once = Once::new();
    START.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Writer)
            .finish();
        tracing::subscriber::set_global_default(subscriber)
            .expect("nothing else in this process listens");
        tracing_log::LogTracer::init().expect("nothing else in this process listens");
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            captured().extend_from_slice(panic.to_string().as_bytes());
            print(panic);
        }));
    });
    captured().len()
}

/// What was logged since `start`.
pub(crate) fn since(start: usize) -> Vec<u8> {
    captured()[start..].to_vec()
}

fn captured() -> MutexGuard<'static, Vec<u8>> {
    CAPTURED.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        captured().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
