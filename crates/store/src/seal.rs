use std::fmt;
use std::sync::Arc;

use crate::StoreError;

/// Authenticated encryption of session data, before a store writes it and after it was read.
///
/// The engine has one: `EncryptionKeys` of `cloakroom`, with its feature `encryption`. Write another one for
/// another algorithm, or for keys that come from elsewhere. Stores reach it through [`AtRest`](crate::AtRest).
///
/// An implementation
///
/// - encrypts the same data differently each time, so that equal data does not show;
/// - opens only what was sealed with the same `codec`, which says how the data is encoded (`"json"`), and refuses
///   whatever was altered or cut off;
/// - reads whatever it wrote before, until a key is taken out on purpose;
/// - waits for nobody, for it works on the thread that asks: keys of a key service are fetched before there is a store;
/// - prints no key with `Debug`, and neither keys nor data in its errors.
///
/// The key of the session is not among what it is given: a session moves to another key without its data being
/// read.
pub trait Seal: fmt::Debug + Send + Sync + 'static {
    /// Encrypts.
    ///
    /// # Errors
    /// `Internal` if that cannot be done. Nothing is written then.
    fn seal(&self, codec: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Decrypts. Takes any bytes.
    ///
    /// # Errors
    /// `Undecodable` if this was not sealed with one of its keys and that `codec`, or is not as it was sealed.
    fn open(&self, codec: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError>;
}

impl<S: Seal + ?Sized> Seal for Arc<S> {
    fn seal(&self, codec: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        (**self).seal(codec, plain)
    }

    fn open(&self, codec: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        (**self).open(codec, sealed)
    }
}
