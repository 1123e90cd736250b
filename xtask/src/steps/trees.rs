use crate::Result;
use crate::command::capture;
use crate::house::House;
use crate::outcome::Outcome;

/// How the packages of SQL drivers, Redis clients and web frameworks begin.
const SQL: &[&str] = &[
    "sqlx",
    "rusqlite",
    "libsqlite3-sys",
    "tokio-postgres",
    "mysql",
    "diesel",
];
const REDIS: &[&str] = &["redis", "fred"];
const WEB: &[&str] = &["axum", "actix-", "hyper", "tower", "http"];

/// Whose tree must be free of what.
const RULES: &[(&str, &[&[&str]])] = &[
    ("cloakroom-store", &[SQL, REDIS, WEB]),
    ("cloakroom", &[SQL, REDIS, WEB]),
    ("cloakroom-sqlx", &[REDIS, WEB]),
    ("cloakroom-redis", &[SQL, WEB]),
    ("cloakroom-rusqlite", &[REDIS, WEB, &["sqlx", "tokio"]]),
    ("cloakroom-tower", &[SQL, REDIS, &["actix-"]]),
    ("cloakroom-actix", &[SQL, REDIS, &["axum"]]),
];

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut faults = Vec::new();
    let mut count = 0;
    for (name, banned) in RULES {
        if house.package(name).is_none() {
            continue;
        }
        let mut tree = house.cargo(&["tree", "--package", name, "--all-features"]);
        tree.args([
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        let answer = capture(&mut tree)?;
        if !answer.success {
            return Err(format!("cargo tree: {}", answer.stderr).into());
        }
        let found = found(&answer.stdout, banned);
        faults.extend(
            found
                .iter()
                .map(|package| format!("{name} brings {package}")),
        );
        count += 1;
    }
    Ok(Outcome::of_faults(&faults, format!("trees: {count}")))
}

/// The packages of a tree that are banned, each once. The first line is the crate itself.
fn found<'a>(tree: &'a str, banned: &[&[&str]]) -> Vec<&'a str> {
    let mut found: Vec<&str> = tree
        .lines()
        .skip(1)
        .filter_map(|line| line.split(' ').next())
        .filter(|package| {
            banned
                .iter()
                .copied()
                .flatten()
                .any(|start| package.starts_with(start))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_deep_in_the_tree_is_found_once() {
        let tree = "redis-store v0.1.0\nsha2 v0.11.0\nsqlx-core v0.9.0\nsqlx-core v0.9.0 (*)\nredis v1.0.0\n";
        assert_eq!(found(tree, &[SQL, WEB]), ["sqlx-core"]);
        assert_eq!(found(tree, &[WEB]), Vec::<&str>::new());
    }
}
