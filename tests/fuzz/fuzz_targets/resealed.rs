//! Any bytes, with the checksums of both meta pages and the digest made to match: past the first doors.
#![no_main]

use etcd_cat::digest::fnv1a_64;
use etcd_cat::monitor::Silent;
use etcd_cat::snapshot::{self, HashOn};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const PAGE_BYTES: usize = 1024;

fuzz_target!(|bytes: &[u8]| {
    let mut file = bytes.to_vec();
    file.resize(file.len().next_multiple_of(PAGE_BYTES).max(3 * PAGE_BYTES), 0);
    for meta in file.chunks_mut(PAGE_BYTES).take(2) {
        meta[16..28].copy_from_slice(b"\xED\xDA\x0C\xED\x02\0\0\0\0\x04\0\0");
        let checksum = fnv1a_64(&meta[16..72]);
        meta[72..80].copy_from_slice(&checksum.to_le_bytes());
    }
    file.extend(Sha256::digest(&file));
    let reading = snapshot::read(&mut file.as_slice(), HashOn::SameThread, &Silent);
    assert!(reading.is_ok(), "memory can be read");
});
