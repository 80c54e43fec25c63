//! Any bytes, read as a tar of backups whose headers' checksums match. See `tests/fuzz/targets.rs`.
#![no_main]

#[path = "../../all/support/mod.rs"]
mod support;
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::run("tar", bytes));
