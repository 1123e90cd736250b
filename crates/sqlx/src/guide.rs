//! One page for each database: the table, the statements, what each durability setting risks, sizing, and
//! running many instances.

#[doc = include_str!("../docs/sqlite.md")]
pub mod sqlite {}

#[doc = include_str!("../docs/postgres.md")]
pub mod postgres {}

#[doc = include_str!("../docs/mysql.md")]
pub mod mysql {}
