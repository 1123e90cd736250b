//! Stores as they are found in the wild, each with the one mistake that its name says.

mod fields;
mod limits;
mod listings;
mod moves;
mod purges;
mod reads;
mod renewals;
mod writes;

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;

pub(crate) use fields::*;
pub(crate) use limits::*;
pub(crate) use listings::*;
pub(crate) use moves::*;
pub(crate) use purges::*;
pub(crate) use reads::*;
pub(crate) use renewals::*;
pub(crate) use writes::*;

/// As a round trip to a server: others go first.
async fn round_trip() {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn locked<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().expect("no panic while locked")
}
