//! Everything that is known at one moment: the halves that were read, what the keys opened, what the catalogue remembers.
//!
//! This is what pairing and judgement look at. Nothing here is judged yet, and nothing here can read a file.

use crate::backup::Located;
use crate::digest::Sha256Digest;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::KeyProof;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};

/// All facts of one run, before anything is paired or judged.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Every `.db`; files with the same bytes are one entry with copies.
    pub snapshots: Vec<Located<Snapshot>>,
    /// Every `.tar.gz`; files with the same bytes are one entry with copies.
    pub kuberesources: Vec<Located<Kuberesources>>,
    /// Files of which nothing could be learnt.
    pub unreadable: Vec<UnreadableFile>,
    /// What keys were tried on what values.
    pub proofs: Proofs,
    /// Places whose content is another than the catalogue remembers, and what lay there before.
    pub replaced: HashMap<ObjectId, Replaced>,
    /// Files that may hold a backup, and that none can be read from.
    pub passed_over: Vec<PassedOver>,
    /// Directories of runs that their job marked as complete.
    pub complete_runs: BTreeSet<ObjectId>,
}

/// Which of the snapshots of an [`Inventory`], or of any list beside them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SnapshotIndex(pub(crate) usize);

/// Which of the kuberesources of an [`Inventory`], or of any list beside them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KuberesourcesIndex(pub(crate) usize);

impl SnapshotIndex {
    /// What a list has for it.
    pub(crate) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0)
    }

    /// The same, to be changed.
    pub(crate) fn of_mut<T>(self, list: &mut [T]) -> Option<&mut T> {
        list.get_mut(self.0)
    }
}

impl KuberesourcesIndex {
    /// What a list has for it.
    pub(crate) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0)
    }

    /// The same, to be changed.
    pub(crate) fn of_mut<T>(self, list: &mut [T]) -> Option<&mut T> {
        list.get_mut(self.0)
    }
}

/// A file that could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnreadableFile {
    /// Where it lies.
    pub path: ObjectId,
    /// The system's words.
    pub reason: String,
    /// Bytes from the start of the file to where reading stopped; `None` when it could not be opened.
    pub offset: Option<u64>,
}

/// A file that may hold half of a backup: encrypted, packed otherwise, a part of a split file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassedOver {
    /// Where it lies.
    pub path: ObjectId,
    /// What it is, in a few words.
    pub what: String,
}

/// What lay under a name before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Replaced {
    /// Digest of the content that was verified there.
    pub digest: Sha256Digest,
    /// When it was verified.
    pub verified_at: Option<DateTime<Utc>>,
    /// When it was taken, by the content of a snapshot.
    pub taken_at: Option<DateTime<Utc>>,
}

/// What the keys of one kuberesources did for the values of one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// The outcome for each resource and key.
    pub key_proof: KeyProof,
    /// Certificates found in values that the keys opened.
    pub certificates: Certificates,
}

/// Stands for keys of a hosted control plane that lay beside its snapshot, where a pair has the digest of its kuberesources.
/// No file has this digest.
pub(crate) const KEYS_BESIDE_IT: Sha256Digest = Sha256Digest([0; 32]);

/// Proofs by the pair they were made for.
#[derive(Debug, Default)]
pub struct Proofs(HashMap<(Sha256Digest, Sha256Digest), Proven, RandomState>);

impl Proofs {
    /// Remembers a proof for the snapshot whose data has the first digest and the archive that has the second.
    pub fn insert(&mut self, snapshot: Sha256Digest, kuberesources: Sha256Digest, proven: Proven) {
        self.0.insert((snapshot, kuberesources), proven);
    }

    /// The proof for a pair; `None` when none was made.
    pub fn find(&self, snapshot: &Snapshot, kuberesources: &Kuberesources) -> Option<&Proven> {
        // Most fleets have no encryption: spare the hashing.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(snapshot.computed, kuberesources.sha256))
    }

    /// The proof with the keys that lay beside a snapshot; `None` when there were none.
    pub(crate) fn with_keys_beside(&self, snapshot: &Snapshot) -> Option<&Proven> {
        self.0.get(&(snapshot.computed, KEYS_BESIDE_IT))
    }
}
