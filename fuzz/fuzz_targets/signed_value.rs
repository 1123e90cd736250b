#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cloakroom::fuzzing::signed_value(input));
