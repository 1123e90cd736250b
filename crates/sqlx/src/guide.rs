//! One page for each database: the table, the statements, what each durability setting risks, sizing, and
//! running many instances. And one about encryption, on all of them.

#[cfg_attr(feature = "sqlite", doc = include_str!("../docs/sqlite.md"))]
#[cfg_attr(not(feature = "sqlite"), doc = "Shown when built with this feature.")]
pub mod sqlite {}

#[cfg_attr(feature = "postgres", doc = include_str!("../docs/postgres.md"))]
#[cfg_attr(not(feature = "postgres"), doc = "Shown when built with this feature.")]
pub mod postgres {}

#[cfg_attr(feature = "mysql", doc = include_str!("../docs/mysql.md"))]
#[cfg_attr(not(feature = "mysql"), doc = "Shown when built with this feature.")]
pub mod mysql {}

#[doc = include_str!("../docs/encryption.md")]
pub mod encryption {}
