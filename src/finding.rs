//! What can be wrong with a backup: codes, severities and where a finding points.
//!
//! A finding is an answer, not an error. Codes are stable; wording may change.
//! What each code means at length, and what to do about it, is in [`explain`](crate::explain).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How much a finding weighs in the verdict.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; changes nothing.
    Info,
    /// The backup is usable; read the warning first.
    Warning,
    /// The backup cannot be relied upon.
    Error,
}

/// The thing that a finding is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Artifact {
    /// The `.db` file.
    Snapshot,
    /// The `static_kuberesources_*.tar.gz` file.
    Kuberesources,
    /// The two halves together.
    Pair,
    /// What the catalogue remembers of it.
    Catalogue,
    /// The directory it lies in.
    Location,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident, $artifact:ident;)*) => {
        /// The stable name of a kind of finding.
        ///
        /// Written by its name in every format: a code that is added later may stand anywhere in the list.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "&'static str")]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kebab-case name that scripts match on.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The severity this code has unless a finding argues otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// The artifact this code is usually about.
            pub fn artifact(self) -> Artifact {
                match self { $(Self::$name => Artifact::$artifact,)* }
            }
        }
    };
}

codes! {
    /// No valid bbolt meta page.
    NotASnapshot = "not-a-snapshot", Error, Snapshot;
    /// Shorter than its own meta page says.
    Truncated = "truncated", Error, Snapshot;
    /// Longer than data plus trailer.
    TrailingData = "trailing-data", Error, Snapshot;
    /// SHA-256 of the data is not the one in the trailer.
    DigestMismatch = "digest-mismatch", Error, Snapshot;
    /// No trailer: a raw copy.
    DigestMissing = "digest-missing", Error, Snapshot;
    /// One of the two meta pages is invalid.
    MetaInvalid = "meta-invalid", Warning, Snapshot;
    /// A page in use is malformed.
    StructurePage = "structure-page", Error, Snapshot;
    /// Keys out of order or outside their parent's range.
    StructureOrder = "structure-order", Error, Snapshot;
    /// A page out of range, used twice, in a cycle, or used and free at once.
    StructureReference = "structure-reference", Error, Snapshot;
    /// Freelist malformed, or pages neither used nor free where one is stored.
    StructureFreelist = "structure-freelist", Error, Snapshot;
    /// A bucket that etcd needs is absent.
    BucketMissing = "bucket-missing", Error, Snapshot;
    /// An entry of bucket `key` is no revision key or no KeyValue.
    RecordUndecodable = "record-undecodable", Error, Snapshot;
    /// Revisions, versions or counts that contradict each other.
    RecordInconsistent = "record-inconsistent", Error, Snapshot;
    /// Entries are gone where none can be.
    RecordMissing = "record-missing", Error, Snapshot;
    /// An alarm is stored in the snapshot.
    AlarmRaised = "alarm-raised", Warning, Snapshot;
    /// The file name carries `__POSSIBLY_DIRTY__`.
    PossiblyDirty = "possibly-dirty", Warning, Snapshot;
    /// A `.part` file: an interrupted save.
    IncompleteDownload = "incomplete-download", Error, Snapshot;
    /// No ClusterVersion in the snapshot.
    VersionUnknown = "version-unknown", Warning, Snapshot;
    /// The cluster was between two versions.
    UpgradeInProgress = "upgrade-in-progress", Error, Snapshot;
    /// A control-plane operator was rolling out.
    RolloutInProgress = "rollout-in-progress", Warning, Snapshot;
    /// Taken less than 24 h after the cluster was installed.
    TakenBeforeRotation = "taken-before-rotation", Error, Snapshot;
    /// Member `etcd-bootstrap` still listed.
    BootstrapIncomplete = "bootstrap-incomplete", Warning, Snapshot;
    /// A certificate in the backup is past its end.
    CertificateExpired = "certificate-expired", Warning, Pair;
    /// A certificate in the backup ends within 7 days.
    CertificateExpiring = "certificate-expiring", Info, Pair;
    /// File name and content disagree about when it was taken.
    TimeSkew = "time-skew", Warning, Snapshot;
    /// No kuberesources for this snapshot.
    KuberesourcesMissing = "kuberesources-missing", Error, Pair;
    /// A kind of cluster whose backups have no kuberesources by design.
    KuberesourcesNotUsed = "kuberesources-not-used", Info, Pair;
    /// Kuberesources without a snapshot.
    SnapshotMissing = "snapshot-missing", Error, Pair;
    /// gzip or tar damaged, truncated, or with trailing garbage.
    KuberesourcesCorrupt = "kuberesources-corrupt", Error, Kuberesources;
    /// A member that no real archive has: a path leading out, a device, too many bytes.
    KuberesourcesUnsafe = "kuberesources-unsafe", Error, Kuberesources;
    /// A component directory or its pod manifest is absent.
    KuberesourcesIncomplete = "kuberesources-incomplete", Error, Kuberesources;
    /// The two halves are not of one cluster or not of one moment.
    PairMismatch = "pair-mismatch", Error, Pair;
    /// More than one kuberesources could belong.
    PairAmbiguous = "pair-ambiguous", Warning, Pair;
    /// Values are encrypted and the kuberesources has no keys.
    EncryptionConfigMissing = "encryption-config-missing", Error, Pair;
    /// Values use a key name that the kuberesources lacks.
    EncryptionKeyMissing = "encryption-key-missing", Error, Pair;
    /// The named key does not decrypt.
    EncryptionKeyWrong = "encryption-key-wrong", Error, Pair;
    /// Encrypted and plain values of one resource side by side.
    EncryptionPartial = "encryption-partial", Warning, Snapshot;
    /// KMS: cannot be proven offline.
    EncryptionExternal = "encryption-external", Warning, Pair;
    /// Encryption is on and both halves lie in one directory.
    KeysBesideSnapshot = "keys-beside-snapshot", Warning, Location;
    /// Another host's backup of the same cluster within 10 minutes.
    DuplicateHost = "duplicate-host", Warning, Pair;
    /// `cluster-restore.sh` run on this directory would pick other files than this pair.
    RestorePicksOther = "restore-picks-other", Warning, Location;
    /// The revision is lower than in an earlier backup of the same cluster.
    RevisionWentBack = "revision-went-back", Warning, Snapshot;
    /// Much smaller, or far fewer live keys, than the backup before it.
    SizeFell = "size-fell", Warning, Snapshot;
    /// Another set of etcd members than in the backup before it.
    MembersChanged = "members-changed", Info, Snapshot;
    /// The bytes are not what the host or the cluster said of them when the backup was taken.
    ProvenanceMismatch = "provenance-mismatch", Error, Snapshot;
    /// Its name says that it failed verification when it was taken.
    PutAside = "put-aside", Error, Snapshot;
    /// In the catalogue, no longer on disk.
    FileMissing = "file-missing", Error, Catalogue;
    /// Content differs from what was verified before, under the same name.
    FileChanged = "file-changed", Error, Catalogue;
    /// Still being written while it was read.
    ChangedWhileReading = "changed-while-reading", Error, Snapshot;
    /// Permission or I/O error.
    Unreadable = "unreadable", Error, Snapshot;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no finding code.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no finding has the code {0:?}")]
pub struct UnknownCode(pub String);

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let found = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        found.ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl TryFrom<String> for Code {
    type Error = UnknownCode;

    fn try_from(text: String) -> Result<Self, UnknownCode> {
        text.parse()
    }
}

impl From<Code> for &'static str {
    fn from(code: Code) -> Self {
        code.as_str()
    }
}

/// One value of a finding's evidence.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Evidence {
    /// A name, a path, a key, a digest, an instant.
    Text(String),
    /// A count, a page id, a revision, an offset.
    Number(i64),
    /// Several names.
    List(Vec<String>),
}

impl From<&str> for Evidence {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Evidence {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Evidence {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Evidence {
    /// Numbers past `i64::MAX` (member ids, hostile page ids) are kept as text.
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(|_| Self::Text(number.to_string()), Self::Number)
    }
}

impl From<u32> for Evidence {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<Vec<String>> for Evidence {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

/// Something that a check found out about a backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The stable name.
    pub code: Code,
    /// Usually [`Code::severity`].
    pub severity: Severity,
    /// Usually [`Code::artifact`].
    pub artifact: Artifact,
    /// What was found and where: one sentence, lower case, no final period.
    pub message: String,
    /// The place and the numbers, for scripts.
    pub evidence: BTreeMap<String, Evidence>,
    /// What to do about it: one sentence.
    pub remedy: String,
}

impl Finding {
    /// A finding with the severity and artifact of its code and the remedy of [`explain`](crate::explain).
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            artifact: code.artifact(),
            message: message.into(),
            evidence: BTreeMap::new(),
            remedy: crate::explain::remedy(code).to_owned(),
        }
    }

    /// Adds one value of evidence; `name` is camelCase.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Evidence>) -> Self {
        self.evidence.insert(name.to_owned(), value.into());
        self
    }

    /// Replaces the severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Replaces the artifact.
    #[must_use]
    pub fn artifact(mut self, artifact: Artifact) -> Self {
        self.artifact = artifact;
        self
    }

    /// Replaces the remedy by one that names files.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}
