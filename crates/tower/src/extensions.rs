use std::sync::LazyLock;

use http::Extensions;

/// Adds a value to a request's extensions.
///
/// axum adds three of its own to each request, and the map that the first one makes has room for three: a fourth
/// would make it grow, which costs as much as all four insertions.
pub(crate) fn insert<V: Clone + Send + Sync + 'static>(extensions: &mut Extensions, value: V) {
    /// Empty, with room for seven. There is no other way to ask for room than to clone what has it.
    static ROOMY: LazyLock<Extensions> = LazyLock::new(|| {
        let mut roomy = Extensions::new();
        roomy.insert([(); 1]);
        roomy.insert([(); 2]);
        roomy.insert([(); 3]);
        roomy.insert([(); 4]);
        roomy.clear();
        roomy
    });
    if extensions.is_empty() {
        extensions.clone_from(&ROOMY);
    }
    extensions.insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_put_there_stays() {
        let mut extensions = Extensions::new();
        insert(&mut extensions, 1_u8);
        insert(&mut extensions, 2_u16);
        extensions.insert("theirs");
        insert(&mut extensions, 3_u32);
        assert_eq!(extensions.len(), 4);
        assert_eq!(extensions.get::<&str>(), Some(&"theirs"));
        assert_eq!(extensions.get::<u8>(), Some(&1));
        // Nothing of one request is in the next one's.
        let mut next = Extensions::new();
        insert(&mut next, 4_u64);
        assert_eq!((next.len(), next.get::<u64>()), (1, Some(&4)));
    }
}
