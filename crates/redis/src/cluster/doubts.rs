use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::topology::Address;

/// Which servers are asked last how the cluster looks.
///
/// A primary that is cut off from the others, but not from its clients, believes for ever that all is as it was, and
/// tells so. What it does not do is serve: it says `CLUSTERDOWN`, or nothing. So a server that fails is doubted, and so is
/// whoever led to it, who may be cut off as well. Of those that are doubted the one is asked first that has been for the
/// longest time: in the end all have had their turn.
#[derive(Default)]
pub(crate) struct Doubts(Mutex<State>);

#[derive(Default)]
struct State {
    since: HashMap<Address, Instant>,
    /// Whose word is relied on at present.
    teller: Option<Address>,
}

impl Doubts {
    /// A server did not do what one that has slots does.
    pub(crate) fn failed(&self, server: &Address) {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(teller) = state.teller.clone() {
            state.since.insert(teller, now);
        }
        state.since.insert(server.clone(), now);
    }

    /// It did not say how the cluster looks.
    pub(crate) fn was_silent(&self, server: &Address) {
        self.state().since.insert(server.clone(), Instant::now());
    }

    /// It said so, and is relied on. Only those that are to be asked again are remembered.
    pub(crate) fn rely_on(&self, teller: &Address, known: impl Fn(&Address) -> bool) {
        let mut state = self.state();
        state.teller = Some(teller.clone());
        state.since.retain(|server, _| known(server));
    }

    /// In the order in which they are asked.
    pub(crate) fn sort(&self, servers: &mut [Address]) {
        let state = self.state();
        servers.sort_by_key(|server| state.since.get(server).copied());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
