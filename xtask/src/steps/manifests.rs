use crate::Result;
use crate::house::House;
use crate::outcome::Outcome;
use crate::package::Package;

const LICENSE: &str = "MIT OR Apache-2.0";

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut faults: Vec<String> = house.publishable().flat_map(faults).collect();
    let texts = ["LICENSE-MIT", "LICENSE-APACHE"];
    let absent = texts
        .iter()
        .filter(|text| !house.root().join(text).is_file());
    faults.extend(absent.map(|text| format!("{text} is not there")));
    let note = format!("published crates: {}", house.publishable().count());
    Ok(Outcome::of_faults(&faults, note))
}

fn faults(package: &Package) -> Vec<String> {
    let mut faults = Vec::new();
    let mut require = |met: bool, field: &str| {
        if !met {
            faults.push(format!("{}: {field}", package.name));
        }
    };
    require(package.description.is_some(), "no description");
    require(package.repository.is_some(), "no repository");
    require(package.rust_version.is_some(), "no rust-version");
    require(
        package.license.as_deref() == Some(LICENSE),
        "license is not MIT OR Apache-2.0",
    );
    // A test cannot tell: the dependencies of tests turn that feature on for all.
    let exact = |features: &Vec<String>| features.iter().any(|name| name == "float_roundtrip");
    require(
        package.json_features.as_ref().is_none_or(exact),
        "serde_json without float_roundtrip, which reads some numbers as their neighbours",
    );
    match &package.readme {
        None => require(false, "no readme"),
        Some(readme) => require(readme.is_file(), "its readme does not exist"),
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lack_is_named() {
        let package = Package {
            name: "x".to_owned(),
            license: Some("MIT".to_owned()),
            readme: Some("/no/such/README.md".into()),
            json_features: Some(Vec::new()),
            ..Package::default()
        };
        let expected = [
            "x: no description",
            "x: no repository",
            "x: no rust-version",
            "x: license is not MIT OR Apache-2.0",
            "x: serde_json without float_roundtrip, which reads some numbers as their neighbours",
            "x: its readme does not exist",
        ];
        assert_eq!(faults(&package), expected);
    }

    #[test]
    fn a_complete_manifest_has_no_fault() {
        let package = Package {
            description: Some("Sessions.".to_owned()),
            repository: Some("https://example.org".to_owned()),
            rust_version: Some("1.95".to_owned()),
            license: Some(LICENSE.to_owned()),
            readme: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()),
            ..Package::default()
        };
        assert_eq!(faults(&package), Vec::<String>::new());
    }
}
