#![doc = include_str!("../docs/sqlite.md")]
