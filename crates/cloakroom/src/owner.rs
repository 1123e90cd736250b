use std::fmt;

use cloakroom_store::{InvalidOwner, Owner};

/// What [`owned_by`](crate::SessionsBuilder::owned_by) may answer: text, a number, an [`Owner`], or an
/// `Option` of one of these, `None` for a session that is nobody's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name an owner",
    note = "answer a number, a `String`, an `Owner` or an `Option` of these, cloned and not borrowed from the data; for other ids `.to_string()`"
)]
pub trait IntoOwner {
    /// The owner, if there is one.
    ///
    /// # Errors
    /// [`InvalidOwner`] for text that cannot be an owner's name.
    fn into_owner(self) -> Result<Option<Owner>, InvalidOwner>;
}

impl IntoOwner for Owner {
    fn into_owner(self) -> Result<Option<Owner>, InvalidOwner> {
        Ok(Some(self))
    }
}

impl IntoOwner for String {
    fn into_owner(self) -> Result<Option<Owner>, InvalidOwner> {
        Owner::new(self).map(Some)
    }
}

impl IntoOwner for &str {
    fn into_owner(self) -> Result<Option<Owner>, InvalidOwner> {
        Owner::new(self).map(Some)
    }
}

impl<O: IntoOwner> IntoOwner for Option<O> {
    fn into_owner(self) -> Result<Option<Owner>, InvalidOwner> {
        self.map_or(Ok(None), O::into_owner)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl IntoOwner for $number {
            fn into_owner(self) -> Result<Option<Owner>, InvalidOwner> {
                self.to_string().into_owner()
            }
        }
    )*};
}
numbers!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

/// Says whose session it is, going by its data.
pub(crate) struct OwnerOf<T>(Box<OwnerFn<T>>);

type OwnerFn<T> = dyn Fn(&T) -> Result<Option<Owner>, InvalidOwner> + Send + Sync;

impl<T> OwnerOf<T> {
    pub(crate) fn new<O: IntoOwner>(owner: impl Fn(&T) -> O + Send + Sync + 'static) -> Self {
        Self(Box::new(move |data| owner(data).into_owner()))
    }

    pub(crate) fn of(&self, data: &T) -> Result<Option<Owner>, InvalidOwner> {
        (self.0)(data)
    }
}

impl<T> fmt::Debug for OwnerOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerOf(…)")
    }
}
