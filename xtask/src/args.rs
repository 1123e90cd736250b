use crate::Result;
use crate::long::LONG;
use crate::steps::STEPS;

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Help,
    Test(Selection),
    /// One of the table of long checks.
    Long(&'static str),
    /// Each target for so many seconds.
    Fuzz(u32),
    /// Compare what requests cost with the file, or write it anew.
    Guard {
        update: bool,
    },
    /// Measure; the words are for the benchmark itself.
    Bench(Vec<String>),
    /// With what the proof's own program takes.
    Proof(Vec<String>),
}

/// Which steps to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    Quick,
    /// Only those named, in the table's order; `quick` leaves servers out of them.
    Only {
        names: Vec<String>,
        quick: bool,
    },
}

impl Selection {
    /// Without servers.
    pub(crate) fn quick(&self) -> bool {
        matches!(self, Self::Quick | Self::Only { quick: true, .. })
    }
}

impl Request {
    /// Reads the arguments after the program's name. `known` are the names that `--only` takes.
    pub(crate) fn parse(arguments: &[String], known: &[&str]) -> Result<Self> {
        let mut arguments = arguments.iter().map(String::as_str);
        match arguments.next() {
            None | Some("help" | "--help" | "-h") => return Ok(Self::Help),
            Some("test") => {}
            Some("fuzz") => return fuzz(arguments),
            Some("guard") => return Self::guard(arguments),
            Some("bench") => return Ok(Self::Bench(arguments.map(str::to_owned).collect())),
            Some("proof") => {
                let options: Vec<String> = arguments.map(str::to_owned).collect();
                if options.iter().any(|option| option == "--help") {
                    return Ok(Self::Help);
                }
                return Ok(Self::Proof(options));
            }
            Some(other) => return long(other, arguments),
        }
        let mut quick = false;
        let mut names = Vec::new();
        while let Some(argument) = arguments.next() {
            match argument {
                "--help" | "-h" => return Ok(Self::Help),
                "--quick" => quick = true,
                "--only" => {
                    let list = arguments.next().ok_or("--only takes the name of a step")?;
                    names.extend(list.split(',').map(str::to_owned));
                }
                other => return Err(format!("no option `{other}`; see --help").into()),
            }
        }
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("no step `{name}`; there are: {}", known.join(", ")).into());
        }
        Ok(Self::Test(match (names.is_empty(), quick) {
            (false, quick) => Selection::Only { names, quick },
            (true, true) => Selection::Quick,
            (true, false) => Selection::All,
        }))
    }

    fn guard<'a>(arguments: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut update = false;
        for argument in arguments {
            match argument {
                "--update" => update = true,
                "--help" | "-h" => return Ok(Self::Help),
                other => return Err(format!("no option `{other}`; see --help").into()),
            }
        }
        Ok(Self::Guard { update })
    }
}

fn long<'a>(name: &str, mut arguments: impl Iterator<Item = &'a str>) -> Result<Request> {
    let Some(long) = LONG.iter().find(|long| long.name == name) else {
        return Err(format!("no command `{name}`; see --help").into());
    };
    match arguments.next() {
        None => Ok(Request::Long(long.name)),
        Some("--help" | "-h") => Ok(Request::Help),
        Some(other) => Err(format!("no option `{other}`; see --help").into()),
    }
}

fn fuzz<'a>(mut arguments: impl Iterator<Item = &'a str>) -> Result<Request> {
    const A_MINUTE: u32 = 60;
    let seconds = match (arguments.next(), arguments.next()) {
        (None, _) => A_MINUTE,
        (Some("--help" | "-h"), _) => return Ok(Request::Help),
        (Some("--seconds"), Some(number)) => number
            .parse()
            .map_err(|_| format!("--seconds takes a number, not `{number}`"))?,
        (Some("--seconds"), None) => return Err("--seconds takes a number".into()),
        (Some(other), _) => return Err(format!("no option `{other}`; see --help").into()),
    };
    match arguments.next() {
        None => Ok(Request::Fuzz(seconds)),
        Some(other) => Err(format!("no option `{other}`; see --help").into()),
    }
}

/// What `--help` prints.
pub(crate) fn help() -> String {
    let steps: String = STEPS
        .iter()
        .map(|step| {
            let quick = if step.quick { "quick" } else { "" };
            format!("  {:<11} {quick:<6} {}\n", step.name, step.about)
        })
        .collect();
    let long: String = LONG
        .iter()
        .map(|long| format!("cargo xtask {:<20} {}\n", long.name, long.about))
        .collect();
    format!(
        "\
cargo xtask test                 install what is missing, run every step, print the totals
cargo xtask test --quick         the steps marked quick, without servers: the inner loop
cargo xtask test --only <step>   that step; several with commas; with --quick, without servers
cargo xtask fuzz [--seconds N]   each fuzz target for N seconds, 60 unless told; needs a nightly toolchain
cargo xtask guard                what requests cost in instructions, beside guard/instructions.toml
cargo xtask guard --update       the same, and writes that file anew
cargo xtask bench                measure beside other libraries, three quarters of an hour; the page is bench/results/README.md
cargo xtask bench --quick        roughly, in five minutes; --only a,b for those parts
cargo xtask proof --minutes N    N minutes of kill -9 on each store, its history checked; --seed S, --store X, --ids renewed
{long}cargo xtask --help               this text

Steps:
{steps}
The last line is `N passed, N failed`: each test counts as one, each other step as one. Exit code 0 means
that nothing failed. What is missing is installed with apt-get when root; otherwise the command says what to install."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Request> {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        Request::parse(&arguments, &["format", "lints"])
    }

    #[test]
    fn the_commands_of_the_help_text() {
        assert_eq!(parse("--help").unwrap(), Request::Help);
        assert_eq!(parse("test --help").unwrap(), Request::Help);
        assert_eq!(parse("test").unwrap(), Request::Test(Selection::All));
        let quick = parse("test --quick").unwrap();
        assert_eq!(quick, Request::Test(Selection::Quick));
    }

    #[test]
    fn the_proof_gets_its_own_options() {
        let options = ["--minutes", "5", "--store", "redis"].map(str::to_owned);
        let request = parse("proof --minutes 5 --store redis").unwrap();
        assert_eq!(request, Request::Proof(options.to_vec()));
        assert_eq!(parse("proof --help").unwrap(), Request::Help);
    }

    #[test]
    fn only_takes_names_that_exist() {
        let both = Selection::Only {
            names: vec!["format".to_owned(), "lints".to_owned()],
            quick: true,
        };
        let request = parse("test --only format,lints --quick").unwrap();
        assert_eq!(request, Request::Test(both));
        assert!(parse("test --only").is_err());
        let error = parse("test --only lint").unwrap_err().to_string();
        assert_eq!(error, "no step `lint`; there are: format, lints");
    }

    #[test]
    fn fuzzing_takes_a_number_of_seconds() {
        assert_eq!(parse("fuzz").unwrap(), Request::Fuzz(60));
        assert_eq!(parse("fuzz --seconds 5").unwrap(), Request::Fuzz(5));
        for bad in [
            "fuzz --seconds",
            "fuzz --seconds x",
            "fuzz 5",
            "fuzz --seconds 5 6",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn long_checks_take_no_options() {
        for name in [
            "interleavings",
            "miri",
            "minimal-versions",
            "sbom",
            "semver",
        ] {
            assert_eq!(parse(name).unwrap(), Request::Long(name));
            assert!(help().contains(&format!("\ncargo xtask {name} ")));
        }
        assert!(parse("miri --quick").is_err());
        assert_eq!(parse("miri --help").unwrap(), Request::Help);
    }

    #[test]
    fn guard_and_bench_take_their_own_options() {
        let guard = |update| Request::Guard { update };
        assert_eq!(parse("guard").unwrap(), guard(false));
        assert_eq!(parse("guard --update").unwrap(), guard(true));
        assert!(parse("guard --quick").is_err());
        let words = vec!["--only".to_owned(), "a".to_owned()];
        assert_eq!(parse("bench --only a").unwrap(), Request::Bench(words));
    }

    #[test]
    fn mistakes_are_named() {
        let command = parse("tset").unwrap_err().to_string();
        assert_eq!(command, "no command `tset`; see --help");
        let option = parse("test --quik").unwrap_err().to_string();
        assert_eq!(option, "no option `--quik`; see --help");
    }
}
