//! What threads meet at. In the tests that explore interleavings it is Shuttle's, which decides who goes next, and
//! nothing is left to chance.

#[cfg(all(test, cloakroom_shuttle))]
pub(super) use self::explored::*;
#[cfg(not(all(test, cloakroom_shuttle)))]
pub(super) use self::real::*;

#[cfg(not(all(test, cloakroom_shuttle)))]
mod real {
    pub(in super::super) use std::hash::RandomState as OwnerHasher;
    pub(in super::super) use std::sync::atomic::{AtomicBool, AtomicUsize};
    pub(in super::super) use std::sync::{Mutex, MutexGuard};

    /// Enough that each stays small with millions of sessions: whoever waits for one while it grows or shrinks
    /// does not wait long.
    pub(in super::super) const SHARDS: usize = 256;
}

#[cfg(all(test, cloakroom_shuttle))]
mod explored {
    pub(in super::super) use shuttle::sync::atomic::{AtomicBool, AtomicUsize};
    pub(in super::super) use shuttle::sync::{Mutex, MutexGuard};

    /// The same in each run, so that a run can be repeated.
    pub(in super::super) type OwnerHasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

    /// Few, so that keys meet in one and in two.
    pub(in super::super) const SHARDS: usize = 2;
}
