use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::install::{self, Need};

/// What is measured besides Rust: servers, Node, and the counter of instructions.
const NEEDS: &[Need] = &[
    Need::PostgreSql,
    Need::MariaDb,
    Need::Redis,
    Need::Node,
    Need::Npm,
    Need::Valgrind,
];

/// Builds `bench`, a workspace of its own, and runs it with these arguments. Whether it succeeded.
pub(crate) fn run(house: &House, arguments: &[String]) -> Result<bool> {
    install::install(house, NEEDS.iter().copied())?;
    let mut command = house.cargo(&["run", "--release", "--locked", "--", "run"]);
    command
        .args(arguments)
        .current_dir(house.root().join("bench"));
    run_command(&mut command)
}
