use std::process::Command;

use crate::Result;
use crate::command::{Finished, capture, run as run_command};
use crate::house::House;
use crate::install::Need;
use crate::outcome::Outcome;

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut check = deny(house);
    let success = run_command(check.args(["check", "licenses", "bans", "sources"]))?;
    Ok(Outcome::of_command(success))
}

/// The list of vulnerabilities is a git repository on the network. Without it an older copy will do, and
/// without a copy the step says so.
pub(crate) fn run_advisories(house: &House) -> Result<Outcome> {
    let check = |options: &[&str]| -> Result<Advisories> {
        let finished = capture(deny(house).args(options).args(["check", "advisories"]))?;
        let advisories = Advisories::of(&finished);
        if advisories == Advisories::Bad {
            print!("{}", finished.stderr);
        }
        Ok(advisories)
    };
    Ok(match check(&[])? {
        Advisories::Good => Outcome::passed(""),
        Advisories::Bad => Outcome::of_command(false),
        Advisories::NoDatabase => match check(&["--offline"])? {
            Advisories::Good => Outcome::passed("no network; checked with the list fetched last"),
            Advisories::Bad => Outcome::of_command(false),
            Advisories::NoDatabase => Outcome::not_run("advisories: not checked, no network"),
        },
    })
}

fn deny(house: &House) -> Command {
    let mut command = Command::new(Need::CargoDeny.program(&house.tools()));
    command.current_dir(house.root());
    command
}

#[derive(Debug, PartialEq, Eq)]
enum Advisories {
    Good,
    Bad,
    NoDatabase,
}

impl Advisories {
    fn of(finished: &Finished) -> Self {
        // How cargo-deny says that it could not fetch the list, and that it has no copy.
        let excuses = [
            "failed to fetch advisory database",
            "failed to get 'FETCH_HEAD' metadata",
        ];
        if finished.success {
            Self::Good
        } else if excuses
            .iter()
            .any(|excuse| finished.stderr.contains(excuse))
        {
            Self::NoDatabase
        } else {
            Self::Bad
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(success: bool, stderr: &str) -> Advisories {
        Advisories::of(&Finished {
            success,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        })
    }

    #[test]
    fn only_a_missing_list_is_an_excuse() {
        let unreachable =
            "[ERROR] failed to fetch advisory database https://example.org/db with cli: failed";
        assert_eq!(judge(false, unreachable), Advisories::NoDatabase);
        let vulnerable = "error[vulnerability]: Remote code execution in openssl";
        assert_eq!(judge(false, vulnerable), Advisories::Bad);
        assert_eq!(
            judge(false, "error: invalid configuration"),
            Advisories::Bad
        );
        assert_eq!(judge(true, ""), Advisories::Good);
    }
}
