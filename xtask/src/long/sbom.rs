use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::copy::Copy;
use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::install::{Need, install};

/// What the users of each published crate get with all of its features: versions of our lock file, hashes, licences.
/// From a copy: cargo-cyclonedx writes beside the manifests.
pub(crate) fn run(house: &House) -> Result<bool> {
    install(house, [Need::CargoCyclonedx].into_iter())?;
    let directory = house.root().join("target/sbom");
    let copy = Copy::of(house, &directory.join("house"))?;
    fs::copy(
        house.root().join("Cargo.lock"),
        copy.root().join("Cargo.lock"),
    )?;
    let mut write = Command::new(Need::CargoCyclonedx.program(&house.tools()));
    write
        .args(["cyclonedx", "--format", "json", "--all-features"])
        .args(["--target", "all", "--spec-version", "1.5"])
        .current_dir(copy.root());
    if !run_command(&mut write)? {
        return Ok(false);
    }
    let (mut written, mut components) = (0, 0);
    for package in copy.crates() {
        for file in fs::read_dir(&package)? {
            let file = file?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if let Some(name) = name.strip_suffix(".cdx.json") {
                let text = fs::read_to_string(&file)?;
                let count = components_of(&text).ok_or(format!("{name}: not CycloneDX"))?;
                let target = directory.join(format!("{name}.cdx.json"));
                fs::write(&target, portable(&text, copy.root()))?;
                println!("{}: components: {count}", target.display());
                written += 1;
                components += count;
            }
        }
    }
    fs::remove_dir_all(copy.root())?;
    Ok(written == copy.crates().count() && components > 0)
}

/// How many packages it names; `None` if it is no CycloneDX.
fn components_of(text: &str) -> Option<usize> {
    let bom: Value = serde_json::from_str(text).ok()?;
    if bom["bomFormat"] != "CycloneDX" {
        return None;
    }
    Some(bom["components"].as_array().map_or(0, Vec::len))
}

/// Without the place where it was made.
fn portable(text: &str, root: &Path) -> String {
    text.replace(&root.display().to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_looked_at() {
        let bom = r#"{"bomFormat": "CycloneDX", "components": [{}, {}]}"#;
        assert_eq!(components_of(bom), Some(2));
        assert_eq!(components_of(r#"{"components": [{}]}"#), None);
        assert_eq!(components_of("nothing"), None);
    }

    #[test]
    fn it_does_not_tell_where_it_was_made() {
        let text = "path+file:///home/me/copy/crates/a#0.1.0";
        let root = Path::new("/home/me/copy");
        assert_eq!(portable(text, root), "path+file:///crates/a#0.1.0");
    }
}
