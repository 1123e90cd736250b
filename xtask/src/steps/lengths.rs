use std::path::Path;

use super::source_files::source_files;
use crate::Result;
use crate::house::House;
use crate::outcome::Outcome;

/// More lines than these, and the file is to be split.
const LIMIT: usize = 400;

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut faults = Vec::new();
    let mut long_tests = 0;
    let files = source_files(house.root())?;
    for file in &files {
        let shown = file.strip_prefix(house.root()).unwrap_or(file);
        match judge(shown, std::fs::read_to_string(file)?.lines().count()) {
            Length::Fine => {}
            Length::LongTest(lines) => {
                println!(
                    "  {}: {lines} lines, consider splitting it",
                    shown.display()
                );
                long_tests += 1;
            }
            Length::TooLong(lines) => {
                let name = shown.display();
                faults.push(format!("{name}: {lines} lines, split at {LIMIT}"));
            }
        }
    }
    let note = match long_tests {
        0 => format!("{} files", files.len()),
        _ => format!("{} files, {long_tests} of tests are long", files.len()),
    };
    Ok(Outcome::of_faults(&faults, note))
}

#[derive(Debug, PartialEq, Eq)]
enum Length {
    Fine,
    /// A list of cases may be long; it is only pointed out.
    LongTest(usize),
    TooLong(usize),
}

fn judge(path: &Path, lines: usize) -> Length {
    let directory = path.components().any(|part| part.as_os_str() == "tests");
    let test = directory || path.ends_with("tests.rs");
    match (lines > LIMIT, test) {
        (false, _) => Length::Fine,
        (true, true) => Length::LongTest(lines),
        (true, false) => Length::TooLong(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_split_at_the_limit_and_tests_are_pointed_out() {
        let source = Path::new("crates/store/src/store.rs");
        assert_eq!(judge(source, 400), Length::Fine);
        assert_eq!(judge(source, 401), Length::TooLong(401));
        let tests = Path::new("crates/store/src/store/tests.rs");
        assert_eq!(judge(tests, 401), Length::LongTest(401));
        let tests = Path::new("demo/tests/page.rs");
        assert_eq!(judge(tests, 500), Length::LongTest(500));
    }
}
