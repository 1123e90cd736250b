use std::future::pending;

use tokio::sync::watch;

/// Says that the program is about to stop. Event streams would otherwise keep it from doing so.
#[derive(Clone, Debug)]
pub struct Stop(Option<watch::Receiver<()>>);

/// Gives the signal to stop, by being dropped if not before.
#[derive(Debug)]
pub struct StopSwitch {
    _sender: watch::Sender<()>,
}

impl Stop {
    /// A switch, and what waits for it.
    #[must_use]
    pub fn with_switch() -> (StopSwitch, Self) {
        let (sender, receiver) = watch::channel(());
        (StopSwitch { _sender: sender }, Self(Some(receiver)))
    }

    /// Nobody gives the signal.
    #[must_use]
    pub const fn never() -> Self {
        Self(None)
    }

    /// Ready once the signal was given, before or after this was called.
    pub async fn wait(mut self) {
        match &mut self.0 {
            // Nothing is ever sent: the only change is that the switch is gone.
            Some(receiver) => while receiver.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}

impl StopSwitch {
    /// Gives the signal.
    pub fn flip(self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_before_or_after_the_signal_gets_it() {
        let (switch, stop) = Stop::with_switch();
        let waiting = tokio::spawn(stop.clone().wait());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        switch.flip();
        waiting.await.unwrap();
        stop.wait().await;
    }
}
