//! What is remembered of files, snapshots and their verification.
//!
//! These are written with postcard, which relies on the order of fields and variants: a change here or in the facts
//! raises the version in `seal.rs`, and records of the version before are read anew from the files.

use super::key::{SnapshotKey, Subject};
use crate::digest::Sha256Digest;
use crate::discovery::FileIdentity;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::KeyProof;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a file was when it was read last.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileRecord {
    /// What it looked like from outside.
    pub identity: FileIdentity,
    /// What was in it.
    pub content: Content,
    /// When this path was first met.
    #[serde(with = "crate::instant")]
    pub first_seen_at: DateTime<Utc>,
    /// When `content` was read.
    #[serde(with = "crate::instant")]
    pub read_at: DateTime<Utc>,
    /// Sound content that lay under this name before; `None` when it is as it was.
    pub previous: Option<Box<PreviousContent>>,
}

/// What is in a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Content {
    /// A snapshot, sound or not.
    Snapshot(SnapshotKey),
    /// A kuberesources archive, sound or not.
    Kuberesources(Sha256Digest),
    /// Neither, and nothing that should be.
    NotABackup,
    /// It could not be read.
    Unreadable {
        /// The system's words.
        reason: String,
        /// How far reading came, in bytes from the start of the file.
        offset: Option<u64>,
    },
}

impl Content {
    /// What its facts and verifications are kept under; `None` when nothing was learnt.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Snapshot(key) => Some(Subject::Snapshot(*key)),
            Self::Kuberesources(digest) => Some(Subject::Kuberesources(*digest)),
            Self::NotABackup | Self::Unreadable { .. } => None,
        }
    }

    /// The digest by which it is known; `None` when nothing was learnt.
    pub fn digest(&self) -> Option<Sha256Digest> {
        match self {
            Self::Snapshot(key) => Some(key.computed),
            Self::Kuberesources(digest) => Some(*digest),
            Self::NotABackup | Self::Unreadable { .. } => None,
        }
    }
}

/// What a file held when it was last found sound.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PreviousContent {
    /// The content.
    pub content: Content,
    /// Length on disk in bytes.
    pub size_bytes: u64,
    /// When it was verified last.
    #[serde(with = "crate::instant")]
    pub verified_at: DateTime<Utc>,
}

/// What the keys of one kuberesources were shown to do for one snapshot.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Proof {
    /// Key by key.
    pub key_proof: KeyProof,
    /// Certificates found behind the encryption.
    pub certificates: Certificates,
}
