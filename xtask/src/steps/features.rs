use super::browser::DEMO;
use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::outcome::Outcome;
use crate::package::Package;

/// Clippy rather than a plain check: it alone can refuse the warnings of one crate without compiling every
/// dependency again, and an import that only some features use is such a warning.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut faults = Vec::new();
    let mut count = 0;
    for package in house.publishable() {
        for features in sets(package) {
            let mut clippy = house.cargo(&["clippy", "--quiet", "--package", &package.name]);
            clippy.args(["--no-default-features", "--features", &features]);
            if !run_command(clippy.args(["--", "-D", "warnings"]))? {
                faults.push(format!("{} with features `{features}`", package.name));
            }
            count += 1;
        }
    }
    // As a newcomer builds it.
    let mut demo = house.cargo(&["clippy", "--quiet", "--package", DEMO]);
    if !run_command(demo.args(["--", "-D", "warnings"]))? {
        faults.push(DEMO.to_owned());
    }
    Ok(Outcome::of_faults(
        &faults,
        format!("feature sets: {count}"),
    ))
}

/// No feature, each feature alone, and what users get by default if that is several.
fn sets(package: &Package) -> impl Iterator<Item = String> {
    let each = package.features.iter().cloned();
    std::iter::once(String::new()).chain(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_then_each_alone() {
        let package = Package {
            features: vec!["axum".to_owned(), "default".to_owned()],
            ..Package::default()
        };
        assert_eq!(sets(&package).collect::<Vec<_>>(), ["", "axum", "default"]);
    }
}
