//! What a run found: a file for programs. The page is made of it.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::part::Part;
use crate::processors::speed_beside_others;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// What it ran on, by name.
    pub machine: Vec<(String, String)>,
    /// Of the libraries and servers.
    pub versions: Vec<(String, String)>,
    pub parts: Vec<Part>,
}

const FILE: &str = "results.json";

/// What the page names the versions of.
const LIBRARIES: [&str; 18] = [
    "cloakroom",
    "tower-sessions",
    "tower-sessions-moka-store",
    "tower-sessions-sqlx-store",
    "tower-sessions-redis-store",
    "ruts",
    "axum_session",
    "actix-session",
    "axum",
    "actix-web",
    "hyper",
    "tokio",
    "moka",
    "sqlx",
    "rusqlite",
    "libsqlite3-sys",
    "redis",
    "fred",
];

impl Results {
    /// Of an earlier run; those parts stay that are not measured again.
    pub fn read(directory: &Path) -> Self {
        let text = std::fs::read_to_string(directory.join(FILE)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub fn write(&self, directory: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(directory)?;
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(std::fs::write(directory.join(FILE), text)?)
    }

    pub fn replace(&mut self, part: Part) {
        self.parts.retain(|known| known.id != part.id);
        self.parts.push(part);
        self.parts.sort_by(|one, other| one.id.cmp(&other.id));
    }

    /// Looks at the machine and the lock file.
    pub fn describe(&mut self) {
        self.machine = machine();
        self.versions = versions();
    }
}

fn machine() -> Vec<(String, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after_colon = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let flags = after_colon(&cpu, "flags").unwrap_or_default();
    let sha = if flags.split(' ').any(|flag| flag == "sha_ni") { "yes" } else { "no" };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let gigabytes = after_colon(&memory, "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0 / 1024.0);
    let virtual_machine = if flags.contains("hypervisor") { "yes" } else { "no" };
    let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
    let busy = load.parse().is_ok_and(|load: f64| load > 1.0);
    let remark = if busy { ": busy with other work, trust no timing, only what was counted" } else { "" };
    [
        ("load before the run", format!("{load}{remark}")),
        ("day", said("date", &["+%Y-%m-%d"])),
        ("processor", after_colon(&cpu, "model name").unwrap_or_default()),
        ("cores", cores.to_string()),
        ("speed of each while all work", format!("{:.2} of what it is alone", speed_beside_others(cores))),
        ("SHA instructions", sha.to_owned()),
        ("virtual machine", virtual_machine.to_owned()),
        ("memory", format!("{gigabytes:.0} GiB")),
        ("system", said("uname", &["-sm"])),
        ("compiler", said("rustc", &["--version"])),
        ("profile", "release, thin LTO, one codegen unit; allocator: the system's".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn versions() -> Vec<(String, String)> {
    let lock = include_str!("../Cargo.lock");
    let mut packages = Vec::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |prefix| line.strip_prefix(prefix)?.strip_suffix('"');
        if let Some(found) = value("name = \"") {
            name = found;
        } else if let Some(version) = value("version = \"") {
            packages.push((name, version));
        }
    }
    let version_of = |library: &str| {
        let all = packages.iter().filter(|(name, _)| *name == library);
        let all: Vec<_> = all.map(|(_, version)| *version).collect();
        (library.to_owned(), all.join(", "))
    };
    let mut versions: Vec<_> = LIBRARIES.map(version_of).into();
    for (program, arguments) in [
        ("valgrind", &["--version"][..]),
        ("node", &["--version"]),
        ("go", &["version"]),
        ("redis-server", &["--version"]),
        ("mariadbd", &["--version"]),
        ("psql", &["--version"]),
    ] {
        versions.push((program.to_owned(), said(program, arguments)));
    }
    versions.retain(|(_, version)| !version.is_empty());
    versions
}

/// The first line of what a program says; nothing if it is not there.
fn said(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().unwrap_or_default().trim().to_owned()
}
