//! What is fuzzed here, see `fuzz` in the repository. Not part of the API: only there with `--cfg fuzzing`.

use crate::{ClientInfo, Handle, Owner};

/// What comes from outside and names or describes a session: a handle, an owner, a client's user agent.
pub fn names(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(handle) = text.parse::<Handle>() {
        assert_eq!(handle.to_string(), text, "one spelling only");
    }
    if let Ok(owner) = Owner::new(&*text) {
        assert_eq!(owner.as_str(), text);
        assert!((1..=Owner::MAX_BYTES).contains(&text.len()) && !text.contains('\0'));
        assert_eq!(format!("{owner:?}"), "Owner(…)");
    }
    let address = text.parse().ok();
    let client = ClientInfo::new(Some(&text), address);
    assert_eq!(client.address(), address);
    if let Some(agent) = client.user_agent() {
        assert!((1..=ClientInfo::MAX_USER_AGENT_BYTES).contains(&agent.len()));
        assert!(!agent.contains(char::is_control));
        // What is read back from a store is cleaned once more.
        assert_eq!(ClientInfo::new(Some(agent), address), client);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_corpus_of_names() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/names");
        let mut inputs = 0;
        for file in std::fs::read_dir(corpus).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            super::names(&std::fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 5, "{inputs}");
    }
}
