//! The only room from which a store is spoken to: errors become this crate's, trouble becomes an event, what a store
//! should not have shown, an expired record, is not shown, and whoever waits for the end of a session is woken.

mod call;
mod moved;
mod records;
mod whole;

pub(crate) use call::Asked;
pub(crate) use moved::{Left, Moved};
pub(crate) use records::{Admission, Beginning, Loaded, Storage};
