use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::source_files::source_files;
use crate::Result;
use crate::house::House;
use crate::outcome::Outcome;

/// `SECURITY.md` says which test shows what. A name that no function has, a file that is not there, shows nothing.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let page = fs::read_to_string(house.root().join("SECURITY.md"))?;
    let files = source_files(house.root())?;
    let mut functions = HashSet::new();
    for file in &files {
        functions.extend(functions_of(&fs::read_to_string(file)?));
    }
    let named = named(&page);
    let faults: Vec<String> = named
        .iter()
        .filter(|name| !is_there(name, &functions, &files))
        .map(|name| format!("SECURITY.md names {name}, which is nowhere"))
        .collect();
    if named.len() < 20 {
        return Ok(Outcome::failed("SECURITY.md names hardly any tests"));
    }
    Ok(Outcome::of_faults(
        &faults,
        format!("{} names", named.len()),
    ))
}

fn is_there(name: &str, functions: &HashSet<String>, files: &[PathBuf]) -> bool {
    match name.rsplit('/').next() {
        Some(file) if file.ends_with(".rs") => files.iter().any(|known| known.ends_with(file)),
        _ => functions.contains(name),
    }
}

/// What stands between backticks and looks like a function of several words, or like a file.
fn named(page: &str) -> Vec<&str> {
    let quoted = page
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_name = |text: &&str| {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        text.ends_with(".rs") || (text.contains('_') && text.bytes().all(word))
    };
    let mut names: Vec<&str> = quoted.filter(is_name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn functions_of(source: &str) -> impl Iterator<Item = String> + '_ {
    source.split("fn ").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        (end > 0).then(|| rest[..end].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_words_are_not() {
        let page =
            "| `Lax` | `engine/a.rs`: `a_test_of_it`, `csrf_token()` |\n`a_test_of_it` `sid`";
        assert_eq!(named(page), ["a_test_of_it", "engine/a.rs"]);
    }

    #[test]
    fn a_name_that_is_nowhere_is_a_fault() {
        let source = "#[test]\nfn a_test_of_it() {}\npub async fn another<T>(it: T) {}";
        let functions: HashSet<String> = functions_of(source).collect();
        let files = [PathBuf::from("/house/engine/src/a.rs")];
        assert!(is_there("a_test_of_it", &functions, &files));
        assert!(is_there("another", &functions, &files));
        assert!(is_there("engine/a.rs", &functions, &files));
        assert!(!is_there("a_test_of", &functions, &files));
        assert!(!is_there("engine/b.rs", &functions, &files));
    }
}
