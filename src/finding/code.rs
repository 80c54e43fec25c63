//! The codes of the contract: a table of name, usual severity, usual artifact, and what to do.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a finding weighs in the verdict.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; a restore works as it would without it.
    Info,
    /// A restore works, but what comes back, or how, needs a decision.
    Warning,
    /// A documented restore fails or brings back something else.
    Error,
}

impl Severity {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
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
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident, $artifact:ident, $remedy:literal;)*) => {
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

            /// What to do about it unless a finding knows better: one sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }
        }
    };
}

codes! {
    /// No valid bbolt meta page.
    NotASnapshot = "not-a-snapshot", Error, Snapshot,
        "fetch the file again from its origin, or choose another backup; as it lies nothing can be restored from it";
    /// Shorter than its own meta page says.
    Truncated = "truncated", Error, Snapshot,
        "copy the file again from its origin and check the free space at the destination";
    /// Longer than data plus trailer.
    TrailingData = "trailing-data", Error, Snapshot,
        "fetch the file again into a new name; if no original is left, cut a copy to the expected length and verify it";
    /// SHA-256 of the data is not the one in the trailer.
    DigestMismatch = "digest-mismatch", Error, Snapshot,
        "use a sound copy or fetch the original again; a standard restore will refuse this file";
    /// No trailer: a raw copy.
    DigestMissing = "digest-missing", Error, Snapshot,
        "prefer a backup made by cluster-backup.sh; a raw copy restores only where --skip-hash-check is passed";
    /// One of the two meta pages is invalid.
    MetaInvalid = "meta-invalid", Warning, Snapshot,
        "prefer another backup of the same age; the data is complete as far as the valid meta page goes";
    /// A page in use is malformed.
    StructurePage = "structure-page", Error, Snapshot,
        "choose another backup; if the digest matches, the member's own database is damaged: take a new backup from another node";
    /// Keys out of order or outside their parent's range.
    StructureOrder = "structure-order", Error, Snapshot,
        "choose another backup; keys behind the named place cannot be found by etcd";
    /// A page out of range, used twice, in a cycle, or used and free at once.
    StructureReference = "structure-reference", Error, Snapshot,
        "choose another backup, and never copy member/snap/db from a running etcd";
    /// Freelist malformed, or pages neither used nor free where one is stored.
    StructureFreelist = "structure-freelist", Error, Snapshot,
        "fetch the original again or choose another backup; some tool has written into this file";
    /// A bucket that etcd needs is absent.
    BucketMissing = "bucket-missing", Error, Snapshot,
        "choose another backup, and check whether the file is an etcd database at all";
    /// An entry of bucket `key` is no revision key or no KeyValue.
    RecordUndecodable = "record-undecodable", Error, Snapshot,
        "choose another backup; if the digest matches, take a new one from another member";
    /// Revisions, versions or counts that contradict each other.
    RecordInconsistent = "record-inconsistent", Error, Snapshot,
        "choose a backup of another member, and compare the members of the live cluster for divergence";
    /// Entries are gone where none can be.
    RecordMissing = "record-missing", Error, Snapshot,
        "choose another backup; this one would restore without error and lack objects";
    /// An object that an API server cannot decode.
    ObjectUndecodable = "object-undecodable", Warning, Snapshot,
        "prefer another backup; after restoring this one, delete the named key with etcdctl and create the object anew";
    /// An object says that it is another one than its key says.
    ObjectMismatch = "object-mismatch", Warning, Snapshot,
        "prefer another backup; after restoring this one, compare the named object with what should be there";
    /// An alarm is stored in the snapshot.
    AlarmRaised = "alarm-raised", Warning, Snapshot,
        "for NOSPACE plan to defragment and disarm after the restore; for CORRUPT use a backup from before the alarm";
    /// The file name carries `__POSSIBLY_DIRTY__`.
    PossiblyDirty = "possibly-dirty", Warning, Snapshot,
        "prefer a backup without __POSSIBLY_DIRTY__; if there is none and no rollout was found, this one is usable";
    /// A `.part` file: an interrupted save.
    IncompleteDownload = "incomplete-download", Error, Snapshot,
        "take a new backup and remove the .part file once no backup is running";
    /// No ClusterVersion in the snapshot.
    VersionUnknown = "version-unknown", Warning, Snapshot,
        "choose a backup whose version is known; this one is valid for no OpenShift version";
    /// The cluster was between two versions.
    UpgradeInProgress = "upgrade-in-progress", Error, Snapshot,
        "use a backup from before or after the upgrade; one from the middle is valid for neither version";
    /// A control-plane operator was rolling out.
    RolloutInProgress = "rollout-in-progress", Warning, Snapshot,
        "prefer a backup from a quiet moment; after restoring this one, force a redeployment of the named component";
    /// Taken less than 24 h after the cluster was installed.
    TakenBeforeRotation = "taken-before-rotation", Error, Snapshot,
        "use a backup taken at least 24 hours after the installation";
    /// A downgrade of etcd was enabled and not done.
    DowngradeInProgress = "downgrade-in-progress", Info, Snapshot,
        "nothing to do for a restore: a restored etcd runs as the version that serves it; ask whether the downgrade is still wanted";
    /// Member `etcd-bootstrap` still listed.
    BootstrapIncomplete = "bootstrap-incomplete", Warning, Snapshot,
        "use a backup from after the installation was finished";
    /// A certificate in the backup is past its end.
    CertificateExpired = "certificate-expired", Warning, Pair,
        "prefer a newer backup; after restoring this one, approve pending certificate requests with oc adm certificate approve";
    /// A certificate in the backup ends within 7 days.
    CertificateExpiring = "certificate-expiring", Info, Pair,
        "take a newer backup before the named date";
    /// File name and content disagree about when it was taken.
    TimeSkew = "time-skew", Warning, Snapshot,
        "trust the time of the content; unless the difference is whole hours, check the clock and the health of that member";
    /// No kuberesources for this snapshot.
    KuberesourcesMissing = "kuberesources-missing", Error, Pair,
        "find static_kuberesources of the same time stamp and index its directory; cluster-restore.sh fails half way without it";
    /// A kind of cluster whose backups have no kuberesources by design.
    KuberesourcesNotUsed = "kuberesources-not-used", Info, Pair,
        "use the restore procedure of this kind of cluster, not cluster-restore.sh";
    /// Kuberesources without a snapshot.
    SnapshotMissing = "snapshot-missing", Error, Pair,
        "find the snapshot of the same time stamp and index its directory; keep the archive, it may hold the only keys";
    /// One half came to its bucket just now, and the other one may be on its way.
    StillArriving = "still-arriving", Info, Pair,
        "look again a quarter of an hour after it came: etcd-cat index";
    /// gzip or tar damaged, truncated, or with trailing garbage.
    KuberesourcesCorrupt = "kuberesources-corrupt", Error, Kuberesources,
        "copy the archive again from its origin; cluster-restore.sh would fail after etcd was stopped";
    /// A member that no real archive has: a path leading out, a device, too many bytes.
    KuberesourcesUnsafe = "kuberesources-unsafe", Error, Kuberesources,
        "do not unpack it; find out who could write to it, and choose another backup";
    /// A component directory or its pod manifest is absent.
    KuberesourcesIncomplete = "kuberesources-incomplete", Error, Kuberesources,
        "choose a complete backup; cluster-restore.sh stops half way when a pod manifest is missing";
    /// The two halves are not of one cluster or not of one moment.
    PairMismatch = "pair-mismatch", Error, Pair,
        "find the partner that belongs to this snapshot and index its place; never restore these two together";
    /// More than one kuberesources could belong.
    PairAmbiguous = "pair-ambiguous", Warning, Pair,
        "check that the named choice is the one you want, and stage exactly that pair";
    /// Values are encrypted and the kuberesources has no keys.
    EncryptionConfigMissing = "encryption-config-missing", Error, Pair,
        "find the static_kuberesources that belongs to it: without its keys the encrypted values are lost";
    /// Values use a key name that the kuberesources lacks.
    EncryptionKeyMissing = "encryption-key-missing", Error, Pair,
        "look for a kuberesources of the same cluster with the named key, or choose another backup";
    /// The named key does not decrypt.
    EncryptionKeyWrong = "encryption-key-wrong", Error, Pair,
        "this archive is most likely of another cluster: find the right one, or choose another backup";
    /// An encrypted value does not open with the key that opens its neighbours.
    ValueDamaged = "value-damaged", Error, Pair,
        "choose another backup: after a restore the API server can neither read these objects nor list their kind";
    /// Encrypted and plain values of one resource side by side.
    EncryptionPartial = "encryption-partial", Warning, Snapshot,
        "prefer a backup from after the migration; this one needs exactly its own kuberesources";
    /// KMS: cannot be proven offline.
    EncryptionExternal = "encryption-external", Warning, Pair,
        "make sure that the key management service and the key that was used then are still there and reachable";
    /// Encryption is on and both halves lie in one directory.
    KeysBesideSnapshot = "keys-beside-snapshot", Info, Location,
        "keep static_kuberesources in a place with other access rights, and index both places";
    /// Another host's backup of the same cluster within 10 minutes.
    DuplicateHost = "duplicate-host", Warning, Pair,
        "keep one of them and let the backup job run on one host only";
    /// `cluster-restore.sh` run on this directory would pick other files than this pair.
    RestorePicksOther = "restore-picks-other", Info, Location,
        "run etcd-cat stage into an empty directory and give that directory to cluster-restore.sh";
    /// A run beside it is marked as complete, and this one is not.
    CompletionMarkMissing = "completion-mark-missing", Info, Location,
        "look again when its job is done; until then prefer a run that has the mark";
    /// The snapshot is packed, so `cluster-restore.sh` cannot take it.
    SnapshotCompressed = "snapshot-compressed", Info, Location,
        "let etcd-cat stage unpack it into an empty directory; keep it packed here if you like";
    /// The database holds no key.
    SnapshotEmpty = "snapshot-empty", Error, Snapshot,
        "choose another backup, and find out which etcd this was taken from: that one had lost its data or was never used";
    /// The revision is lower than in an earlier backup of the same cluster.
    RevisionWentBack = "revision-went-back", Warning, Snapshot,
        "unless the cluster was restored in between, take a new backup from a member that is up to date";
    /// Much smaller, or far fewer live keys, than the backup before it.
    SizeFell = "size-fell", Warning, Snapshot,
        "compare LIVE KEYS with the backup before it: fewer keys, not a smaller file, mean a loss";
    /// Another set of etcd members than in the backup before it.
    MembersChanged = "members-changed", Info, Snapshot,
        "if a control-plane host was replaced, prefer backups from after that";
    /// The bytes are not what the host or the cluster said of them when the backup was taken.
    ProvenanceMismatch = "provenance-mismatch", Error, Snapshot,
        "take a new backup, from another host if it happens again; do not rely on this one";
    /// Its name says that it failed verification when it was taken.
    PutAside = "put-aside", Error, Snapshot,
        "take a new backup and remove the files that were put aside; do not rename them";
    /// Another member's snapshot of the same revision holds other live keys or values.
    MembersDiverge = "members-diverge", Warning, Snapshot,
        "find out with etcdctl endpoint hashkv which member of the live cluster is wrong before restoring either of them";
    /// Opened for writing after it was saved; undone, the digest matches.
    OpenedSince = "opened-since", Error, Snapshot,
        "the data is proven: etcd-cat stage BACKUP --to DIRECTORY writes what was saved; restore from that directory";
    /// Changed in a known and reversible way; undone, the digest matches.
    Mended = "mended", Error, Snapshot,
        "restore from what etcd-cat stage BACKUP --to DIRECTORY writes: what was saved, as the digest proves";
    /// A checksum that somebody recorded beside the file says otherwise.
    ChecksumDiffers = "checksum-differs", Warning, Snapshot,
        "find out which is wrong: compare with the original and with another copy; a list made of another run is to be made anew";
    /// In the catalogue, no longer on disk.
    FileMissing = "file-missing", Error, Catalogue,
        "mount the storage or index the new place; if the file is gone for good, run etcd-cat forget";
    /// Content differs from what was verified before, under the same name.
    FileChanged = "file-changed", Error, Catalogue,
        "find out what wrote to this file and use a copy of the verified content";
    /// Still being written while it was read.
    ChangedWhileReading = "changed-while-reading", Error, Snapshot,
        "wait until the copy is complete and verify it again";
    /// Permission or I/O error.
    Unreadable = "unreadable", Error, Snapshot,
        "read it as root if permission was denied; on an I/O error save the other backups on that disk first";
}

impl Code {
    /// It is about how a backup is filed, and not about what a restore brings back.
    pub(super) fn is_about_filing(self) -> bool {
        matches!(
            self,
            Self::KeysBesideSnapshot
                | Self::RestorePicksOther
                | Self::CompletionMarkMissing
                | Self::PossiblyDirty
                | Self::SnapshotCompressed
        )
    }
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

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn a_remedy_is_one_short_sentence_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for &code in Code::ALL {
            let remedy = code.remedy();
            assert!(
                !remedy.is_empty() && !remedy.ends_with('.') && remedy.is_ascii(),
                "{code}: {remedy}"
            );
            assert!(!remedy.contains(". "), "{code}: {remedy}");
            assert!(remedy.len() <= 160, "{code}: {} characters", remedy.len());
            assert!(
                seen.insert(remedy),
                "{code}: the same remedy as another code"
            );
        }
    }
}
