//! What is remembered of files, snapshots and their verification.
//!
//! Their bytes rely on the order of fields and variants: whoever changes it, here or in the facts, raises the version of
//! each table concerned and says in its [`Record`] how earlier ones are read (see [`version`](super::version)).

use super::earlier::{self, AddedField};
use super::error::RecordError;
use super::key::{CertificateSetId, SnapshotKey, Subject};
use super::store::Table;
use super::version::{FIRST_VERSION, Record};
use crate::backup::{Provenance, Verification};
use crate::digest::Sha256Digest;
use crate::foreign::Foreign;
use crate::kuberesources::Kuberesources;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::KeyProof;
use crate::snapshot::Snapshot;
use crate::source::{Custody, FileIdentity, FileSystemId, ObjectIdentity};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a file was when it was read last.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileRecord {
    /// What it looked like from outside.
    pub identity: ObjectIdentity,
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
    /// When it was told that the file is gone; `None` while it is there.
    #[serde(default, with = "crate::instant::option")]
    pub gone_at: Option<DateTime<Utc>>,
    /// How its store keeps it, as it said when `content` was read.
    #[serde(default)]
    pub custody: Option<Box<Custody>>,
}

/// The same in version 1.
#[derive(Deserialize)]
struct FileRecordV1 {
    identity: FileIdentity,
    content: Content,
    #[serde(with = "crate::instant")]
    first_seen_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    read_at: DateTime<Utc>,
    previous: Option<Box<PreviousContent>>,
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
    /// It may be part of a backup by its name, and none can be read from it: what it is.
    Foreign(Foreign),
    /// An archive: each of its members that is part of a backup has a record of its own.
    Archive,
}

impl Content {
    /// It is no backup, or none can be read from it.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::NotABackup | Self::Foreign(_))
    }

    /// What its facts and verifications are kept under; `None` when nothing was learnt.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Snapshot(key) => Some(Subject::Snapshot(*key)),
            Self::Kuberesources(digest) => Some(Subject::Kuberesources(*digest)),
            Self::NotABackup | Self::Unreadable { .. } | Self::Foreign(_) | Self::Archive => None,
        }
    }

    /// The digest by which it is known; `None` when nothing was learnt.
    pub fn digest(&self) -> Option<Sha256Digest> {
        match self {
            Self::Snapshot(key) => Some(key.computed),
            Self::Kuberesources(digest) => Some(*digest),
            Self::NotABackup | Self::Unreadable { .. } | Self::Foreign(_) | Self::Archive => None,
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
pub struct ProofRecord {
    /// Key by key.
    pub key_proof: KeyProof,
    /// Certificates found behind the encryption.
    pub certificates: Certificates,
}

/// Facts and the name of their certificates.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StoredFacts<T> {
    /// The facts; `certificates` is empty.
    pub facts: T,
    /// The certificates; `None` when there are none.
    pub certificates: Option<CertificateSetId>,
}

/// Facts that certificates belong to.
pub(super) trait CertifiedFacts {
    /// The same with these.
    fn with(self, certificates: Certificates) -> Self;
}

impl CertifiedFacts for Snapshot {
    fn with(self, certificates: Certificates) -> Self {
        Self {
            certificates,
            ..self
        }
    }
}

impl CertifiedFacts for Kuberesources {
    fn with(self, certificates: Certificates) -> Self {
        Self {
            certificates,
            ..self
        }
    }
}

impl CertifiedFacts for ProofRecord {
    fn with(self, certificates: Certificates) -> Self {
        Self {
            certificates,
            ..self
        }
    }
}

/// A place to look for backups, by its path.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct LocationRecord {
    /// When it was first named.
    #[serde(with = "crate::instant")]
    pub first_seen_at: DateTime<Utc>,
    /// The file system on which backups were found there; `None` as long as none were.
    #[serde(default)]
    pub file_system: Option<FileSystemId>,
}

impl Record for FileRecord {
    const TABLE: Table = Table::Files;

    const ADDED: &'static [AddedField] = &[
        AddedField {
            since: 3,
            structure: "FileRecord",
            field: "gone_at",
        },
        AddedField {
            since: 6,
            structure: "FileRecord",
            field: "custody",
        },
    ];

    /// Version 1 knew files of this machine alone.
    fn from_earlier(version: u8, value: &[u8]) -> Result<Self, RecordError> {
        if version > FIRST_VERSION {
            return earlier::decode(version, Self::ADDED, value);
        }
        let record: FileRecordV1 = earlier::decode(version, Self::ADDED, value)?;
        Ok(Self {
            identity: record.identity.into(),
            content: record.content,
            first_seen_at: record.first_seen_at,
            read_at: record.read_at,
            previous: record.previous,
            gone_at: None,
            custody: None,
        })
    }
}

impl Record for StoredFacts<Snapshot> {
    const TABLE: Table = Table::Snapshots;

    const ADDED: &'static [AddedField] = &[
        AddedField {
            since: 2,
            structure: "Cluster",
            field: "control_plane",
        },
        AddedField {
            since: 2,
            structure: "Cluster",
            field: "blocking_webhooks",
        },
        AddedField {
            since: 3,
            structure: "Snapshot",
            field: "live_digest",
        },
        AddedField {
            since: 4,
            structure: "Snapshot",
            field: "mended",
        },
        AddedField {
            since: 5,
            structure: "Snapshot",
            field: "kinds",
        },
    ];
}

impl Record for StoredFacts<Kuberesources> {
    const TABLE: Table = Table::Kuberesources;
}

impl Record for Certificates {
    const TABLE: Table = Table::CertificateSets;
}

impl Record for StoredFacts<ProofRecord> {
    const TABLE: Table = Table::Proofs;

    const ADDED: &'static [AddedField] = &[
        AddedField {
            since: 2,
            structure: "KeyProofLine",
            field: "damaged",
        },
        AddedField {
            since: 2,
            structure: "KeyProofLine",
            field: "mismatched",
        },
    ];
}

impl Record for Verification {
    const TABLE: Table = Table::Verifications;
}

impl Record for Provenance {
    const TABLE: Table = Table::Provenance;

    const ADDED: &'static [AddedField] = &[
        AddedField {
            since: 2,
            structure: "Provenance",
            field: "pod",
        },
        AddedField {
            since: 2,
            structure: "Provenance",
            field: "image",
        },
        AddedField {
            since: 2,
            structure: "Provenance",
            field: "policy",
        },
    ];
}

impl Record for LocationRecord {
    const TABLE: Table = Table::Locations;

    const ADDED: &'static [AddedField] = &[AddedField {
        since: 2,
        structure: "LocationRecord",
        field: "file_system",
    }];
}
