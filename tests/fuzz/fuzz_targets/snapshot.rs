//! Any bytes, read as a snapshot.
#![no_main]

use etcd_cat::monitor::Silent;
use etcd_cat::snapshot::{self, HashOn};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut source = bytes;
    let reading = snapshot::read(&mut source, HashOn::SameThread, &Silent);
    assert!(reading.is_ok(), "memory can be read");
});
