/// What an acknowledged write outlives. Either way the database is never corrupted, and a killed application
/// (`kill -9`) loses nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The power cut too: each group of writes waits for the disk (`synchronous = FULL`). The default.
    #[default]
    PowerLoss,
    /// The end of the process (`synchronous = NORMAL`). Many times as many writes per second, but after a
    /// power cut or a crash of the operating system the last writes may be missing: sessions that were just
    /// ended could be live again.
    ProcessCrash,
}

impl Durability {
    pub(crate) fn synchronous(self) -> &'static str {
        match self {
            Self::PowerLoss => "FULL",
            Self::ProcessCrash => "NORMAL",
        }
    }
}

/// Where a session is read from the file. See the [guide](crate::guide) for what speaks for which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reads {
    /// On the thread that asks, in a few microseconds: less than handing it to another thread would cost. What
    /// has to wait for a lock is handed over all the same. The default.
    #[default]
    InPlace,
    /// On threads of the store. For a file so much larger than the memory, or on a disk so slow, that a read
    /// would hold up the other tasks of an async runtime.
    OnThreads,
}
