//! What the catalogue asks of a store: a few ordered tables of bytes, and batches that land whole or not at all.

use std::path::{Path, PathBuf};

/// The tables of a catalogue.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Table {
    /// What is said of the catalogue itself.
    About,
    /// Path to file record.
    Files,
    /// What was judged last, in short: kept for the room [`overview`](crate::overview), drawn from the rest.
    Overview,
    /// Snapshot key to facts.
    Snapshots,
    /// Digest to facts.
    Kuberesources,
    /// Id to certificates; one set serves every backup that holds the same.
    CertificateSets,
    /// Snapshot key and kuberesources digest to what the keys were shown to do.
    Proofs,
    /// Subject and instant to verification.
    Verifications,
    /// Snapshot key to how it was taken.
    Provenance,
    /// Path to remembered location.
    Locations,
    /// Name of a kind of run to what came of the last one.
    Runs,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 11] = [
        Self::About,
        Self::Files,
        Self::Overview,
        Self::Snapshots,
        Self::Kuberesources,
        Self::CertificateSets,
        Self::Proofs,
        Self::Verifications,
        Self::Provenance,
        Self::Locations,
        Self::Runs,
    ];

    /// The name in the store. Never changes: it is in people's files.
    pub fn name(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::Files => "files",
            Self::Overview => "overview",
            Self::Snapshots => "snapshots",
            Self::Kuberesources => "kuberesources",
            Self::CertificateSets => "certificate-sets",
            Self::Proofs => "proofs",
            Self::Verifications => "verifications",
            Self::Provenance => "provenance",
            Self::Locations => "locations",
            Self::Runs => "runs",
        }
    }

    /// The table of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

/// Tables of earlier programs that nobody reads: dropped with the next batch.
pub(super) const RETIRED: [&str; 1] = ["places"];

/// One step of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Sets a value.
    Put {
        /// Where.
        table: Table,
        /// Under which key.
        key: Vec<u8>,
        /// To what.
        value: Vec<u8>,
    },
    /// Removes a value; nothing happens when there is none.
    Delete {
        /// Where.
        table: Table,
        /// Under which key.
        key: Vec<u8>,
    },
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Nothing is written or created.
    Read,
    /// Nobody else has it open meanwhile; it is created when it is not there.
    Write,
}

/// Ordered tables of bytes that survive the process. Several threads may read them at a time.
pub trait CatalogueStore: Sync {
    /// The value under `key`.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values under `keys`, in their order.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    fn get_each(&self, table: Table, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(table, key)).collect()
    }

    /// Shows every key that begins with `prefix`, and its value, in ascending order of keys.
    ///
    /// # Errors
    ///
    /// The store cannot be read or is damaged.
    fn scan(&self, table: Table, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError>;

    /// Carries out the whole batch, in order, and has it on disk when it returns. Nothing of it
    /// remains when it fails or the process dies on the way.
    ///
    /// # Errors
    ///
    /// The store cannot be written or is damaged.
    fn apply(&mut self, batch: Vec<Operation>) -> Result<(), StoreError>;
}

/// Is shown a key and its value.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u8]);

/// Why a store does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open; may be tried again.
    #[error("the store is open in another process")]
    Busy,
    /// This etcd-cat was built without it.
    #[error("this etcd-cat was built without the store")]
    NotBuilt,
    /// The bytes are not what the store wrote, in the store's own words.
    #[error("{0}")]
    Damaged(String),
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
}

impl StoreError {
    /// An I/O error with its place. An end where there should be more, or content that makes no sense, is damage.
    pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            return Self::Damaged(source.to_string());
        }
        let path = path.to_owned();
        Self::Io {
            action,
            path,
            source,
        }
    }
}

impl Operation {
    /// The table it touches.
    pub fn table(&self) -> Table {
        match self {
            Self::Put { table, .. } | Self::Delete { table, .. } => *table,
        }
    }

    /// What it touches.
    pub(super) fn place(&self) -> (Table, &[u8]) {
        match self {
            Self::Put { table, key, .. } | Self::Delete { table, key } => (*table, key),
        }
    }

    /// The table it writes a record into, if it does.
    pub(super) fn filled(&self) -> Option<Table> {
        match self {
            Self::Put { table, .. } => Some(*table),
            Self::Delete { .. } => None,
        }
    }

    /// What it sets, if it does.
    pub(super) fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Put { value, .. } => Some(value),
            Self::Delete { .. } => None,
        }
    }

    /// What it deletes, if it does.
    pub(super) fn deleted(&self) -> Option<(Table, Vec<u8>)> {
        match self {
            Self::Put { .. } => None,
            Self::Delete { table, key } => Some((*table, key.clone())),
        }
    }
}
