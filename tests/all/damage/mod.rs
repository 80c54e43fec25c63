//! What is damaged where, and exactly which findings tell it.
//!
//! The digest is made to match again wherever it is not the subject, so that only the layer at hand can notice.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails is to stop where it fails"
)]

mod bit_by_bit;
mod buckets;
mod etcd;
mod file;
mod freelist;
mod matrix;
mod records;
mod structure;

use crate::support::bolt::Bolt;
use crate::support::write::Form;
use crate::support::{codes, read, records as made_up, samples, told, write};

/// OpenShift, compacted, healthy.
pub(crate) const SAMPLE: &str = "backups/prod/snapshot_2024-11-02_030000.db";

/// The healthy sample that most rows damage.
pub(crate) fn sample() -> Bolt {
    let bytes = samples::bytes(SAMPLE);
    assert_codes("healthy sample", &bytes, &[]);
    Bolt::open(&bytes)
}

/// A made-up store on pages of 1 KiB, with a stored freelist: three levels of bucket `key`, free pages in between.
pub(crate) fn store() -> Bolt {
    let form = Form {
        page_size: 1024,
        store_freelist: true,
        stale_every: 4,
        ..Form::default()
    };
    let bolt = write::database(&made_up::store(900), form);
    assert_codes("healthy store", &bolt.sealed(), &[]);
    bolt
}

/// Exactly these codes are found.
pub(crate) fn assert_codes(name: &str, file: &[u8], expected: &[&str]) {
    let reading = read(file);
    assert_eq!(codes(&reading), expected, "{name}{}", told(&reading));
}

/// Damages a copy and gives it a digest that matches.
pub(crate) fn damaged(bolt: &Bolt, damage: impl FnOnce(&mut Bolt)) -> Vec<u8> {
    let mut damaged = bolt.clone();
    damage(&mut damaged);
    assert_ne!(damaged.bytes, bolt.bytes, "the damage changes something");
    damaged.sealed()
}
