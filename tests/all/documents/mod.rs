//! The documents of the repository are true: references are made from the code, examples are run, paths exist.
//!
//! After a change of what they are made from: `ETCD_CAT_BLESS=1 cargo test --all-features --test all documents`.
#![expect(clippy::panic, reason = "a test that fails is to stop where it fails")]

mod examples;
mod findings;
pub(crate) mod json;
mod rules;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Its text.
fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A document is what the code makes of it; with `ETCD_CAT_BLESS` it becomes so.
pub(crate) fn assert_made(path: &str, made: &str) {
    if std::env::var_os("ETCD_CAT_BLESS").is_some() {
        fs::write(repository(path), made).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let written = fs::read_to_string(repository(path)).unwrap_or_default();
    let differs = made
        .lines()
        .zip(written.lines())
        .find(|(made, written)| made != written);
    assert!(
        written == made,
        "{path} is not what the code makes of it (ETCD_CAT_BLESS=1 writes it anew): {differs:?}"
    );
}
