use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// A command that ended, with what it wrote.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    /// Empty where it went straight to the terminal.
    pub(crate) stderr: String,
}

/// The cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments);
    command
}

/// Runs it with its output on the terminal. Whether it succeeded.
pub(crate) fn run(command: &mut Command) -> Result<bool> {
    Ok(said(command).status().map_err(named(command))?.success())
}

/// Runs it with its output on the terminal, and keeps standard output too, where test runners count.
pub(crate) fn tee(command: &mut Command) -> Result<Finished> {
    let mut child = said(command)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(named(command))?;
    let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut stdout = String::new();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        stdout.push_str(&text);
        line.clear();
    }
    Ok(Finished {
        success: child.wait()?.success(),
        stdout,
        stderr: String::new(),
    })
}

/// Runs it quietly and keeps what it writes.
pub(crate) fn capture(command: &mut Command) -> Result<Finished> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(named(command))?;
    Ok(Finished {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Where a program is: on the `PATH`, or where Debian keeps servers that it leaves off it.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let postgres = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .chain(postgres)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Shows the command line before it runs.
fn said(command: &mut Command) -> &mut Command {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        // A whole script says nothing on one line.
        .map(|argument| {
            if argument.contains('\n') {
                "…".into()
            } else {
                argument
            }
        })
        .collect();
    println!("$ {name} {}", arguments.join(" "));
    command.stdin(Stdio::null())
}

fn named(command: &Command) -> impl FnOnce(std::io::Error) -> String + use<> {
    let program = command.get_program().to_string_lossy().into_owned();
    move |error| format!("{program}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_kept_and_failure_noticed() {
        let script = "echo one; echo two >&2; exit 3";
        let captured = capture(Command::new("sh").args(["-c", script])).unwrap();
        assert!(!captured.success);
        assert_eq!(captured.stdout, "one\n");
        assert_eq!(captured.stderr, "two\n");

        let teed = tee(Command::new("sh").args(["-c", "printf 'a\\nb'"])).unwrap();
        assert!(teed.success);
        assert_eq!(teed.stdout, "a\nb");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.to_string().starts_with("no-such-program: "));
        assert_eq!(find_program("no-such-program"), None);
        assert!(find_program("sh").is_some());
    }
}
