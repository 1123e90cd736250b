use std::fs;

use crate::Result;
use crate::house::House;
use crate::outcome::Outcome;
use crate::package::Package;

/// Workspaces of their own, which nothing but their lock files tells that a crate has a new dependency.
const ELSEWHERE: &[&str] = &["bench", "fuzz"];

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut faults = Vec::new();
    for place in ELSEWHERE {
        let lock = fs::read_to_string(house.root().join(place).join("Cargo.lock"))?;
        for package in house.publishable() {
            let lacks = lacks(&lock, package);
            faults.extend(lacks.iter().map(|name| {
                let package = &package.name;
                format!("{place}/Cargo.lock: {package} without {name}; `cargo metadata` there writes it anew")
            }));
        }
    }
    Ok(Outcome::of_faults(
        &faults,
        format!("locks: {}", ELSEWHERE.len()),
    ))
}

/// What the package always needs and the lock file does not know of. Nothing if the lock file has no such package.
fn lacks<'p>(lock: &str, package: &'p Package) -> Vec<&'p str> {
    let name = format!("name = \"{}\"", package.name);
    let mut entries = lock.split("[[package]]");
    let Some(entry) = entries.find(|entry| entry.lines().any(|line| line == name)) else {
        return Vec::new();
    };
    let known: Vec<&str> = entry
        .lines()
        .filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next())
        .collect();
    let always = package.always.iter().map(String::as_str);
    always.filter(|name| !known.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
version = 4

[[package]]
name = \"a-x\"
version = \"1.0.0\"
dependencies = [
 \"new\",
]

[[package]]
name = \"a\"
version = \"0.1.0\"
dependencies = [
 \"plain\",
 \"two 2.0.0\",
]
";

    fn lacking<'p>(name: &str, always: &'p [&str]) -> Vec<&'p str> {
        let package = Package {
            name: name.to_owned(),
            always: always.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        };
        let lacks = lacks(LOCK, &package);
        let lacks = |name: &&str| lacks.contains(name);
        always.iter().copied().filter(lacks).collect()
    }

    #[test]
    fn what_came_since_is_named() {
        assert_eq!(lacking("a", &["plain", "two", "new"]), ["new"]);
        assert!(lacking("a", &["plain", "two"]).is_empty());
        assert!(lacking("not-used-there", &["new"]).is_empty());
    }
}
