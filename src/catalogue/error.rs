//! Why the catalogue does not answer.

use super::seal::RecordError;
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
        "catalogue {path} is damaged ({reason}): move it away and run `etcd-cat index` with your locations"
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
