use serde::{Deserialize, Serialize};

/// What the sessions hold: which operation wrote it, and how many writes went before it. Every write is another
/// value, so whoever reads an old one, or overwrites what he did not see, is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Note {
    /// Whose session it is.
    pub owner: u32,
    /// The number of the operation that wrote it.
    pub writer: u64,
    /// One more than what its writer found.
    pub count: u64,
}
