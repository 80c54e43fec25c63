//! Any bytes, read as an archive of static pod resources.
#![no_main]

use etcd_cat::kuberesources::{self, ArchiveLimits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let length = u64::try_from(bytes.len()).expect("usize fits");
    kuberesources::read(bytes, length, &ArchiveLimits::default()).expect("memory can be read");
});
