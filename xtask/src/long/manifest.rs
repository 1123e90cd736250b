/// A package's manifest without what only its tests, examples and benchmarks need.
pub(crate) fn without_tests(manifest: &str) -> String {
    let mut kept = String::new();
    let mut keeps = true;
    for line in manifest.lines() {
        if line.starts_with('[') {
            let of_tests = ["[[test]]", "[[example]]", "[[bench]]"];
            keeps = !line.contains("dev-dependencies") && !of_tests.contains(&line.trim_end());
        }
        if keeps {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The workspace's manifest with these members only; `None` if it names no members.
pub(crate) fn with_members(manifest: &str, members: &[String]) -> Option<String> {
    let mut found = false;
    let mut kept = String::new();
    for line in manifest.lines() {
        match line.split(' ').next() {
            Some("members") => {
                found = true;
                kept.push_str(&format!("members = {members:?}\n"));
            }
            Some("exclude") => {}
            _ => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    found.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_need_is_left_out() {
        let manifest = "\
[package]
name = \"x\"
[dependencies]
a = \"1\"
[target.'cfg(unix)'.dev-dependencies]
b = \"1\"
[dev-dependencies]
c = \"1\"
[[test]]
name = \"t\"
[lints]
workspace = true
";
        let expected = "\
[package]
name = \"x\"
[dependencies]
a = \"1\"
[lints]
workspace = true
";
        assert_eq!(without_tests(manifest), expected);
    }

    #[test]
    fn members_are_those_named() {
        let manifest = "[workspace]\nmembers = [\"crates/*\", \"demo\"]\nexclude = [\"x\"]\n[a]\n";
        let expected = "[workspace]\nmembers = [\"crates/a\"]\n[a]\n";
        let members = ["crates/a".to_owned()];
        assert_eq!(with_members(manifest, &members).as_deref(), Some(expected));
        assert_eq!(with_members("[package]\n", &members), None);
    }
}
