//! Why the catalogue does not answer, and why a record is passed over.

use super::store::StoreError;
use std::path::{Path, PathBuf};

/// A catalogue that cannot be used. Damage is never fatal: it can be built again from the files.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Another process did not let go of it in time.
    #[error("catalogue {path} is in use by {holder}, expected it free within {patience_seconds} s")]
    Held {
        /// The catalogue.
        path: PathBuf,
        /// Process and command, as far as known.
        holder: String,
        /// How long was waited.
        patience_seconds: u64,
    },
    /// What lies there is not what was written.
    #[error(
        "catalogue {path} is damaged ({reason}): make it anew from the files with `etcd-cat index --rebuild`"
    )]
    Damaged {
        /// The catalogue.
        path: PathBuf,
        /// In the store's words.
        reason: String,
    },
    /// Made by a later etcd-cat.
    #[error(
        "catalogue {path} has layout {found}, expected {expected}: use the etcd-cat that wrote it, or another --catalogue"
    )]
    Layout {
        /// The catalogue.
        path: PathBuf,
        /// The layout's number.
        found: String,
        /// The number this program writes.
        expected: &'static str,
    },
    /// Some of its records were made by a later etcd-cat.
    #[error(
        "catalogue {path} has records of version {found} in table {table}, expected at most {expected}: use the newer etcd-cat that wrote it, or another --catalogue"
    )]
    Version {
        /// The catalogue.
        path: PathBuf,
        /// The table.
        table: String,
        /// The version of its newest records.
        found: String,
        /// The version that this program writes; 0 where it knows no such table.
        expected: u8,
    },
    /// A record is as it was written, and means nothing to this etcd-cat: a later one wrote it.
    #[error(
        "catalogue {path} has a record in table {table} that this etcd-cat cannot read ({reason}): use the newer etcd-cat that wrote it, or another --catalogue"
    )]
    Foreign {
        /// The catalogue.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// Why it cannot be read.
        reason: RecordError,
    },
    /// The system said no.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store was left out of this program.
    #[error(
        "catalogue {path} is of store sled, expected redb: this etcd-cat was built without the feature `store-sled`"
    )]
    StoreMissing {
        /// The catalogue.
        path: PathBuf,
    },
    /// A record of our own cannot be written down.
    #[error("cannot write a record of {table}")]
    Record {
        /// Which table.
        table: &'static str,
        /// Why not.
        source: RecordError,
    },
}

impl CatalogueError {
    /// What a store's error means for the catalogue at `path`.
    pub(super) fn of(path: &Path, error: StoreError) -> Self {
        let catalogue = path.to_owned();
        match error {
            StoreError::Busy => Self::Held {
                path: catalogue,
                holder: "another process".to_owned(),
                patience_seconds: 0,
            },
            StoreError::NotBuilt => Self::StoreMissing { path: catalogue },
            StoreError::Damaged(reason) => Self::Damaged {
                path: catalogue,
                reason,
            },
            StoreError::Io {
                action,
                path,
                source,
            } => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}

/// Why a record is passed over.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// Written by another etcd-cat, or nothing at all.
    #[error("record version is {found:?}, expected {expected}")]
    Version {
        /// The first byte.
        found: Option<u8>,
        /// What this program writes.
        expected: u8,
    },
    /// Not the bytes that were written under this key.
    #[error("record checksum is {found:#010x}, expected {expected:#010x}")]
    Checksum {
        /// Over the bytes as they are.
        found: u32,
        /// As written.
        expected: u32,
    },
    /// It ends before its value begins.
    #[error("record ends early")]
    Cut,
    /// The bytes are as they were written, and mean nothing to this program.
    #[error("record does not decode: {0}")]
    Shape(String),
    /// The key is no such key.
    #[error("record key has {found_bytes} bytes and does not decode")]
    Key {
        /// Length of the key.
        found_bytes: usize,
    },
}

impl RecordError {
    /// The bytes are as they were written; only another program can have done that.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Self::Shape(_))
    }
}
