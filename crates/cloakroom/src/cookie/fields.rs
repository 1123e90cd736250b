/// The values of all `Cookie` fields of one request, as bytes, in the order in which they came.
///
/// A client may send several: HTTP/2 and HTTP/3 do so to compress them better (RFC 9113, section 8.2.3). An
/// adapter implements this for what its framework gives it, best without copying; the engine asks only when
/// something wants the session. Arrays and vectors of anything that is text or bytes implement it already.
pub trait CookieFields: Send + Sync + 'static {
    /// Shows each field's value to `reader`.
    fn for_each(&self, reader: &mut dyn FnMut(&[u8]));
}

impl<B: AsRef<[u8]> + Send + Sync + 'static> CookieFields for Vec<B> {
    fn for_each(&self, reader: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|field| reader(field.as_ref()));
    }
}

impl<B: AsRef<[u8]> + Send + Sync + 'static, const N: usize> CookieFields for [B; N] {
    fn for_each(&self, reader: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|field| reader(field.as_ref()));
    }
}
