use std::net::IpAddr;

/// What the engine may read of a request, as bytes.
///
/// An adapter implements this for what its framework gives it, best without copying; the engine asks only when
/// something wants the session. Arrays and vectors of the values of [`id_fields`](RequestHead::id_fields), of anything that
/// is text or bytes, implement it already.
pub trait RequestHead: Send + Sync + 'static {
    /// Shows the value of each field that may carry the session's id to `reader`, in the order in which they came: of
    /// each `Cookie` field, or of each field of the [header](crate::Carrier::request_field) with
    /// [`id_in_header`](crate::SessionsBuilder::id_in_header). There may be several: HTTP/2 and HTTP/3 split cookies to
    /// compress them better (RFC 9113, section 8.2.3).
    fn id_fields(&self, reader: &mut dyn FnMut(&[u8]));

    /// Shows the value of each field of that name, given in lower case, to `reader`, in the order in which they
    /// came. Asked only for those that [`Sessions::client_fields`](crate::Sessions::client_fields) names. Default: none.
    fn fields(&self, name: &str, reader: &mut dyn FnMut(&[u8])) {
        let _ = (name, reader);
    }

    /// The address at the other end of the connection. Default: unknown.
    fn peer(&self) -> Option<IpAddr> {
        None
    }
}

impl<B: AsRef<[u8]> + Send + Sync + 'static> RequestHead for Vec<B> {
    fn id_fields(&self, reader: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|field| reader(field.as_ref()));
    }
}

impl<B: AsRef<[u8]> + Send + Sync + 'static, const N: usize> RequestHead for [B; N] {
    fn id_fields(&self, reader: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|field| reader(field.as_ref()));
    }
}
