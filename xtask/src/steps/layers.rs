use crate::Result;
use crate::house::House;
use crate::outcome::Outcome;
use crate::package::Package;

/// A published crate and the crates of this workspace that it may use. What only its tests use is free.
const FLOORS: &[(&str, &[&str])] = &[
    ("cloakroom-store", &[]),
    ("cloakroom", &["cloakroom-store"]),
    ("cloakroom-sqlx", &["cloakroom-store"]),
    ("cloakroom-redis", &["cloakroom-store"]),
    ("cloakroom-rusqlite", &["cloakroom-store"]),
    ("cloakroom-tower", &["cloakroom", "cloakroom-store"]),
    ("cloakroom-actix", &["cloakroom", "cloakroom-store"]),
];

/// The crates that hand bytes and strings to their users, and what would show that they know more.
const PLAIN: &[&str] = &["cloakroom-store", "cloakroom"];
const WORLDLY: &[&str] = &[
    "actix-web",
    "axum",
    "cookie",
    "http",
    "hyper",
    "redis",
    "rusqlite",
    "sqlx",
    "tower",
];

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let faults: Vec<String> = house
        .publishable()
        .flat_map(|package| faults(package, house.packages()))
        .collect();
    let note = format!("published crates: {}", house.publishable().count());
    Ok(Outcome::of_faults(&faults, note))
}

fn faults(package: &Package, workspace: &[Package]) -> Vec<String> {
    let Some((name, allowed)) = FLOORS.iter().find(|(name, _)| *name == package.name) else {
        return vec![format!(
            "{}: on no floor; give it one in xtask/src/steps/layers.rs",
            package.name
        )];
    };
    let of_workspace = |name: &str| workspace.iter().any(|other| other.name == name);
    let upward = package
        .dependencies
        .iter()
        .filter(|dependency| of_workspace(dependency) && !allowed.contains(&dependency.as_str()));
    let worldly = package
        .dependencies
        .iter()
        .filter(|dependency| PLAIN.contains(name) && WORLDLY.contains(&dependency.as_str()));
    upward
        .chain(worldly)
        .map(|dependency| format!("{name} must not depend on {dependency}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
            ..Package::default()
        }
    }

    fn faults_of(name: &str, dependencies: &[&str]) -> Vec<String> {
        let workspace: Vec<_> = FLOORS.iter().map(|(name, _)| package(name, &[])).collect();
        faults(&package(name, dependencies), &workspace)
    }

    #[test]
    fn down_is_allowed_up_and_sideways_are_not() {
        assert!(faults_of("cloakroom-tower", &["cloakroom", "cloakroom-store", "http"]).is_empty());
        let up = faults_of("cloakroom-store", &["cloakroom", "sha2"]);
        assert_eq!(up, ["cloakroom-store must not depend on cloakroom"]);
        let sideways = faults_of("cloakroom-sqlx", &["cloakroom-redis", "sqlx"]);
        assert_eq!(
            sideways,
            ["cloakroom-sqlx must not depend on cloakroom-redis"]
        );
    }

    #[test]
    fn the_engine_knows_no_framework() {
        let faults = faults_of("cloakroom", &["cloakroom-store", "http", "sqlx"]);
        let expected = [
            "cloakroom must not depend on http",
            "cloakroom must not depend on sqlx",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_new_crate_has_to_be_given_a_floor() {
        assert!(faults_of("cloakroom-new", &[])[0].contains("on no floor"));
    }
}
