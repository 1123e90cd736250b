use std::path::{Path, PathBuf};

use serde_json::Value;

/// A package of the workspace, as far as the steps ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    /// May be uploaded to a registry.
    pub(crate) publishable: bool,
    /// Without a `default` that is none or one of the others by another name.
    pub(crate) features: Vec<String>,
    /// What its users get with it: normal and build dependencies, not those of its tests.
    pub(crate) dependencies: Vec<String>,
    /// Those of them that no feature brings.
    pub(crate) always: Vec<String>,
    /// What it asks of serde_json, if its users get that with it.
    pub(crate) json_features: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) rust_version: Option<String>,
    /// Where its readme is said to be.
    pub(crate) readme: Option<PathBuf>,
}

impl Package {
    /// Reads one entry of `packages` in cargo's metadata. `None` if it lacks what every package has.
    pub(crate) fn from_metadata(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let manifest = value["manifest_path"].as_str()?;
        let directory = Path::new(manifest).parent()?.to_owned();
        let readme = value["readme"].as_str().map(|path| directory.join(path));
        Some(Self {
            name: text("name")?,
            // `null` means any registry, a list names those allowed.
            publishable: value["publish"]
                .as_array()
                .is_none_or(|list| !list.is_empty()),
            features: features(&value["features"])?,
            dependencies: dependencies(&value["dependencies"], |_| true)?,
            always: dependencies(&value["dependencies"], |it| it["optional"] != true)?,
            json_features: json_features(&value["dependencies"]),
            description: text("description"),
            license: text("license"),
            repository: text("repository"),
            rust_version: text("rust_version"),
            readme,
            directory,
        })
    }
}

fn features(all: &Value) -> Option<Vec<String>> {
    let is_own = |(name, brings): &(&String, &Value)| {
        let brings = brings.as_array().map_or(0, Vec::len);
        *name != "default" || brings > 1
    };
    let own = all.as_object()?.iter().filter(is_own);
    Some(own.map(|(name, _)| name.clone()).collect())
}

fn dependencies(list: &Value, chosen: fn(&Value) -> bool) -> Option<Vec<String>> {
    let mut names: Vec<String> = list
        .as_array()?
        .iter()
        .filter(|dependency| dependency["kind"] != "dev" && chosen(dependency))
        .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    Some(names)
}

fn json_features(list: &Value) -> Option<Vec<String>> {
    let mut normal = list.as_array()?.iter();
    let json = normal
        .find(|dependency| dependency["name"] == "serde_json" && dependency["kind"] != "dev")?;
    let features = json["features"].as_array()?.iter();
    Some(
        features
            .filter_map(|feature| feature.as_str().map(str::to_owned))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_steps_ask_is_read() {
        let value = json!({
            "name": "cloakroom",
            "manifest_path": "/src/crates/cloakroom/Cargo.toml",
            "publish": null,
            "features": { "default": ["extra"], "extra": [], "more": [] },
            "dependencies": [
                { "name": "sha2", "kind": null },
                { "name": "cc", "kind": "build", "optional": true },
                { "name": "serde_json", "kind": "dev", "features": [] },
                { "name": "serde_json", "kind": null, "features": ["float_roundtrip"] },
                { "name": "tokio", "kind": "dev" },
            ],
            "description": "Sessions.",
            "license": null,
            "repository": null,
            "rust_version": "1.95",
            "readme": "../../README.md",
        });
        let package = Package::from_metadata(&value).unwrap();
        assert!(package.publishable);
        assert_eq!(package.features, ["extra", "more"]);
        assert_eq!(package.dependencies, ["cc", "serde_json", "sha2"]);
        let json = package.json_features.as_deref();
        assert_eq!(json, Some(&["float_roundtrip".to_owned()][..]));
        assert_eq!(package.always, ["serde_json", "sha2"]);
        assert_eq!(package.license, None);
        let readme = Path::new("/src/crates/cloakroom/../../README.md");
        assert_eq!(package.readme.as_deref(), Some(readme));
    }

    #[test]
    fn publish_false_is_an_empty_list() {
        let value = json!({
            "name": "xtask",
            "manifest_path": "/src/xtask/Cargo.toml",
            "publish": [],
            "features": {},
            "dependencies": [],
        });
        assert!(!Package::from_metadata(&value).unwrap().publishable);
        assert_eq!(Package::from_metadata(&json!({ "name": "x" })), None);
    }
}
