#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cloakroom_redis::fuzzing::redis_record(input));
