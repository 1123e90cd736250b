use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The data of one session: what this application keeps of a visitor.
///
/// A visitor without a name has not signed in; all that is known of them is how often they counted a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shopper {
    name: Option<Name>,
    cart: Vec<Item>,
    visits: u64,
}

impl Shopper {
    /// How many items a cart holds, so that a session stays below what a store accepts.
    pub(crate) const CART_LIMIT: usize = 5_000;

    /// Somebody who has just signed in, with an empty cart.
    pub(crate) fn signed_in(name: Name, visits: u64) -> Self {
        Self {
            name: Some(name),
            cart: Vec::new(),
            visits,
        }
    }

    /// Who it is. `None` for a visitor who has not signed in.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// What is in the cart, in the order in which it was added.
    #[must_use]
    pub fn cart(&self) -> &[Item] {
        &self.cart
    }

    /// How many visits were counted.
    #[must_use]
    pub fn visits(&self) -> u64 {
        self.visits
    }

    pub(crate) fn cart_is_full(&self) -> bool {
        self.cart.len() >= Self::CART_LIMIT
    }

    pub(crate) fn add(&mut self, item: Item) {
        self.cart.push(item);
    }

    pub(crate) fn count_visit(&mut self) -> u64 {
        self.visits = self.visits.saturating_add(1);
        self.visits
    }
}

/// A shopper's name: 1 to [`Name::MAX_BYTES`] bytes of text without control characters, white space around it
/// taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Something to buy: 1 to [`Item::MAX_BYTES`] bytes of text without control characters, white space around it
/// taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Item(String);

/// The text cannot be a name or an item. The message is for whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidText {
    what: &'static str,
    max_bytes: usize,
}

macro_rules! text {
    ($name:ident, $what:literal, $max_bytes:literal) => {
        impl $name {
            /// The longest, in bytes of UTF-8.
            pub const MAX_BYTES: usize = $max_bytes;

            /// Checks and keeps the text.
            ///
            /// # Errors
            /// [`InvalidText`] if it is empty, too long, or contains control characters.
            pub fn new(text: &str) -> Result<Self, InvalidText> {
                let text = text.trim();
                let fits = !text.is_empty() && text.len() <= Self::MAX_BYTES;
                if fits && !text.contains(char::is_control) {
                    return Ok(Self(text.to_owned()));
                }
                Err(InvalidText {
                    what: $what,
                    max_bytes: Self::MAX_BYTES,
                })
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}
text!(Name, "a name", 100);
text!(Item, "an item", 100);

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is 1 to {} bytes of text without control characters",
            self.what, self.max_bytes
        )
    }
}

impl Error for InvalidText {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_bounded() {
        assert_eq!(Name::new("  ada\n").unwrap().as_str(), "ada");
        assert!(Name::new(&"a".repeat(Name::MAX_BYTES)).is_ok());
        for refused in [
            "",
            " \t",
            "a\u{0}b",
            "a\nb",
            &"a".repeat(Name::MAX_BYTES + 1),
        ] {
            assert!(Name::new(refused).is_err(), "{refused:?}");
        }
        let message = Item::new("").unwrap_err().to_string();
        assert!(message.starts_with("an item is 1 to 100"), "{message}");
    }

    #[test]
    fn a_stored_shopper_reads_back_and_checks_what_it_reads() {
        let mut shopper = Shopper::signed_in(Name::new("ada").unwrap(), 3);
        shopper.add(Item::new("tea").unwrap());
        let stored = serde_json::to_string(&shopper).unwrap();
        assert_eq!(stored, r#"{"name":"ada","cart":["tea"],"visits":3}"#);
        assert_eq!(serde_json::from_str::<Shopper>(&stored).unwrap(), shopper);
        assert!(serde_json::from_str::<Shopper>(&stored.replace("ada", "")).is_err());
    }

    #[test]
    fn a_full_cart_fits_into_what_a_store_accepts() {
        let mut shopper = Shopper::signed_in(Name::new("ada").unwrap(), u64::MAX);
        while !shopper.cart_is_full() {
            // Each of these takes two bytes in JSON.
            shopper.add(Item::new(&"\"".repeat(Item::MAX_BYTES)).unwrap());
        }
        assert!(serde_json::to_vec(&shopper).unwrap().len() < 1024 * 1024);
    }
}
