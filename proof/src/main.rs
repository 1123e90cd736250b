//! `cloakroom-proof --minutes N [--seed S] [--store X]`: see `README.md`.
#![allow(clippy::print_stdout, reason = "a program's output is its purpose")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use cloakroom_proof::{Ids, Plan, StoreKind, run, serve, table};

const USAGE: &str = "\
cloakroom-proof --minutes N   N minutes on each store
  --seed S                    what the clients do and what goes wrong; default: another one each time
  --store X                   only that store, may be repeated: memory, sqlite, rusqlite, postgres, mariadb, redis,
                              redis-cluster
  --ids kept|renewed          whether sessions in use get fresh ids every 50 ms; default: kept";

struct Arguments {
    minutes: f64,
    seed: u64,
    stores: Vec<StoreKind>,
    ids: Ids,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["application", url, ids] => match Ids::of_word(ids) {
            Some(ids) => serve(url, ids).map(|()| true),
            None => Err(USAGE.into()),
        },
        ["--help" | "-h"] | [] => {
            println!("{USAGE}");
            Ok(true)
        }
        _ => parse(&arguments).and_then(|arguments| prove(&arguments)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every store kept what it promises.
fn prove(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let seed = arguments.seed;
    println!("seed {seed}");
    let program = std::env::current_exe()?;
    let length = Duration::from_secs_f64(60.0 * arguments.minutes);
    let mut reports = Vec::new();
    for kind in &arguments.stores {
        let plan = Plan::new(seed, length).ids(arguments.ids);
        let report = run(*kind, &program, plan, |line| println!("{line}"));
        let report = report.map_err(|error| format!("{kind}: {error}"))?;
        for example in report.counterexamples() {
            println!("\n{example}");
        }
        reports.push(report);
    }
    println!("\nseed {seed}\n\n{}", table(&reports));
    Ok(reports.iter().all(cloakroom_proof::Report::is_fine))
}

fn parse(arguments: &[String]) -> Result<Arguments, Box<dyn Error>> {
    let mut parsed = Arguments {
        minutes: 0.0,
        seed: u64::from(std::process::id()) ^ fastrand::u64(..1 << 32),
        stores: Vec::new(),
        ids: Ids::Kept,
    };
    let mut arguments = arguments.iter();
    while let Some(option) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{option} takes a value"))?;
        match option.as_str() {
            "--minutes" => parsed.minutes = value.parse()?,
            "--seed" => parsed.seed = value.parse()?,
            "--ids" => {
                parsed.ids = Ids::of_word(value).ok_or("--ids takes `kept` or `renewed`")?;
            }
            "--store" => parsed.stores.push(value.parse()?),
            _ => return Err(format!("no option `{option}`\n{USAGE}").into()),
        }
    }
    if !(parsed.minutes > 0.0 && parsed.minutes.is_finite()) {
        return Err(format!("--minutes takes a number above 0\n{USAGE}").into());
    }
    if parsed.stores.is_empty() {
        parsed.stores.extend(StoreKind::ALL);
    }
    Ok(parsed)
}
