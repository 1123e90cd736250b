//! One run: what was asked for, and how measurements are started.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Failure;
use crate::figure::Figure;

pub struct Run {
    quick: bool,
    only: Vec<String>,
    /// Where the results go.
    pub output: PathBuf,
}

impl Run {
    pub fn parse(arguments: &[&str]) -> Result<Self, Failure> {
        let output = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results"));
        let mut run = Self { quick: false, only: Vec::new(), output };
        let mut arguments = arguments.iter();
        while let Some(&argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} takes a value"));
            match argument {
                "--quick" => run.quick = true,
                "--only" => run.only.extend(value()?.split(',').map(str::to_owned)),
                "--output" => run.output = value()?.into(),
                other => return Err(format!("no option {other}").into()),
            }
        }
        let known = ["a", "b", "c", "d", "e"];
        match run.only.iter().find(|part| !known.contains(&part.as_str())) {
            Some(part) => Err(format!("no part {part}; there are: {}", known.join(", ")).into()),
            None => Ok(run),
        }
    }

    pub fn is_quick(&self) -> bool {
        self.quick
    }

    pub fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == part)
    }

    /// What a whole run takes, or what a quick one does.
    pub fn pick<'a, T: ?Sized>(&self, whole: &'a T, quick: &'a T) -> &'a T {
        if self.quick { quick } else { whole }
    }

    pub fn say(&self, line: &str) {
        println!("{line}");
    }

    /// This program, in a process of its own, to measure one thing.
    pub fn child(&self, arguments: &[&str]) -> Result<Command, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("measure").args(arguments).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs it and takes its figures.
    pub fn measure(&self, arguments: &[&str]) -> Result<Vec<Figure>, Failure> {
        self.measure_where(arguments, &[])
    }

    /// The same, with these variables set.
    pub fn measure_where(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Vec<Figure>, Failure> {
        let mut child = self.child(arguments)?;
        child.envs(variables.iter().copied());
        let output = child.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{arguments:?}: {}", output.status).into());
        }
        let lines = String::from_utf8(output.stdout)?;
        lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    pub fn has_program(&self, name: &str) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
    }

    /// A fresh directory for files that nobody keeps.
    pub fn scratch(&self, name: &str) -> Result<PathBuf, Failure> {
        let directory =
            std::env::temp_dir().join(format!("cloakroom-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }
}
