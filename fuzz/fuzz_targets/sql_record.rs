#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cloakroom_sqlx::fuzzing::sql_record(input));
