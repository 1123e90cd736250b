use std::collections::BTreeSet;

use serde_json::Value;

use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::outcome::Outcome;

/// Whose public API may name what, beside the standard library and itself.
const RULES: &[(&str, &[&str])] = &[
    ("cloakroom-store", &[]),
    ("cloakroom", &["cloakroom_store", "serde", "serde_core"]),
];

const STANDARD: &[&str] = &["std", "core", "alloc"];

/// Reads what rustdoc knows of the public API: not the text of the signatures but what they resolve to.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut faults = Vec::new();
    let mut count = 0;
    for (name, allowed) in RULES {
        if house.package(name).is_none() {
            continue;
        }
        let target = house.root().join("target").join("public-api");
        let mut rustdoc = house.cargo(&["rustdoc", "--package", name, "--lib", "--all-features"]);
        rustdoc.arg("--target-dir").arg(&target);
        rustdoc.args(["--", "-Z", "unstable-options", "--output-format", "json"]);
        // The JSON form of the documentation is not stable yet. It serves this check only.
        if !run_command(rustdoc.env("RUSTC_BOOTSTRAP", "1"))? {
            faults.push(format!("{name}: rustdoc failed, see above"));
            continue;
        }
        let file = format!("{}.json", name.replace('-', "_"));
        let json = std::fs::read_to_string(target.join("doc").join(file))?;
        let foreign = foreign(&serde_json::from_str(&json)?, allowed);
        let foreign = foreign.ok_or("rustdoc's JSON is not in the form that this step knows")?;
        faults.extend(foreign.iter().map(|path| format!("{name} names {path}")));
        count += 1;
    }
    Ok(Outcome::of_faults(&faults, format!("crates: {count}")))
}

/// What the API names of crates that it may not. `None` if the JSON is of an unknown form.
fn foreign(api: &Value, allowed: &[&str]) -> Option<BTreeSet<String>> {
    let items = api["index"].as_object()?;
    let own = items.values().filter(|item| item["crate_id"] == 0);
    let (implied, written): (Vec<_>, Vec<_>) = own.partition(|item| is_implied(item));
    let implied_members: BTreeSet<u64> = implied
        .iter()
        .filter_map(|item| item["inner"]["impl"]["items"].as_array())
        .flatten()
        .filter_map(Value::as_u64)
        .collect();

    let mut named = BTreeSet::new();
    for item in &written {
        if !implied_members.contains(&item["id"].as_u64()?) {
            collect(&item["inner"], &mut named);
        }
    }
    // Any API names something; an empty set means that the form has changed.
    if named.is_empty() {
        return None;
    }
    let foreign = named.iter().filter_map(|id| external(api, *id));
    let foreign = foreign.filter(|(name, _)| !STANDARD.contains(name) && !allowed.contains(name));
    Some(foreign.map(|(_, path)| path).collect())
}

/// An implementation that nobody wrote for this type: an automatic one, or that of a dependency for every type.
fn is_implied(item: &Value) -> bool {
    let implementation = &item["inner"]["impl"];
    implementation["is_synthetic"] == true || implementation["blanket_impl"].is_object()
}

/// The ids of all that is named, in signatures, bounds, implementations and re-exports.
fn collect(value: &Value, named: &mut BTreeSet<u64>) {
    match value {
        Value::Object(object) => {
            let names = object.contains_key("path") || object.contains_key("source");
            if let (true, Some(id)) = (names, object.get("id").and_then(Value::as_u64)) {
                named.insert(id);
            }
            object.values().for_each(|value| collect(value, named));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, named)),
        _ => {}
    }
}

/// The crate and the path of what has that id, if it is of another crate.
fn external(api: &Value, id: u64) -> Option<(&str, String)> {
    let summary = &api["paths"][id.to_string()];
    let crate_id = summary["crate_id"].as_u64().filter(|id| *id != 0)?;
    let name = api["external_crates"][crate_id.to_string()]["name"].as_str()?;
    let path: Vec<&str> = summary["path"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    Some((name, path.join("::")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A crate with one function that returns what has the id 7, and an automatic implementation of 8.
    fn api(returned_from: &str) -> Value {
        json!({
            "index": {
                "1": { "id": 1, "crate_id": 0, "inner": { "function": { "sig": {
                    "output": { "resolved_path": { "path": "Thing", "id": 7 } },
                } } } },
                "2": { "id": 2, "crate_id": 0, "inner": { "impl": {
                    "is_synthetic": false,
                    "blanket_impl": { "generic": "T" },
                    "trait": { "path": "Same", "id": 8 },
                    "items": [3],
                } } },
                "3": { "id": 3, "crate_id": 0, "inner": { "assoc_type": {
                    "type": { "resolved_path": { "path": "Same", "id": 8 } },
                } } },
            },
            "paths": {
                "7": { "crate_id": 20, "path": [returned_from, "Thing"] },
                "8": { "crate_id": 21, "path": ["typenum", "Same"] },
            },
            "external_crates": { "20": { "name": returned_from }, "21": { "name": "typenum" } },
        })
    }

    fn names(api: &Value, allowed: &[&str]) -> Vec<String> {
        foreign(api, allowed).unwrap().into_iter().collect()
    }

    #[test]
    fn a_foreign_type_in_a_signature_is_named() {
        assert_eq!(names(&api("http"), &[]), ["http::Thing"]);
        assert!(names(&api("http"), &["http"]).is_empty());
        assert!(names(&api("core"), &[]).is_empty());
    }

    #[test]
    fn a_re_export_is_named() {
        let mut api = api("http");
        let inner = json!({ "use": { "source": "http::Thing", "name": "Thing", "id": 7 } });
        api["index"]["1"]["inner"] = inner;
        assert_eq!(names(&api, &[]), ["http::Thing"]);
    }

    #[test]
    fn an_unknown_form_is_not_taken_for_a_clean_api() {
        assert_eq!(foreign(&json!({}), &[]), None);
        assert_eq!(foreign(&json!({ "index": {}, "paths": {} }), &[]), None);
    }
}
