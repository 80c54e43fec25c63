//! Bucket `meta`: how far raft and compaction came, and which etcd laid the file out.
//!
//! A restore writes index and term anew, so what stands there decides nothing; a server that starts reads the
//! compaction revisions and the storage version.
//!
//! Source: etcd `server/storage/schema/{cindex,confstate,version}.go` and `server/storage/mvcc/store.go` at c34dc7e.

use super::defect::{BucketDefect, BucketDefectKind};
use super::member::json_words;
use super::{value_of, version_text};
use crate::bbolt::LeafElement;
use crate::etcd::{Compaction, RevisionKey, RevisionKeyDefect};
use serde::Deserialize;

/// What bucket `meta` tells.
#[derive(Debug, Default)]
pub(crate) struct RaftAndStorage {
    /// How far compaction has come; `None` when it cannot be read.
    pub(crate) compaction: Option<Compaction>,
    /// `storageVersion`, since etcd 3.6.
    pub(crate) storage_version: Option<String>,
    /// What is wrong.
    pub(crate) defects: Vec<BucketDefect>,
}

/// `raftpb.ConfState` as Go writes it to JSON; nobody reads it, but it must be one.
#[derive(Deserialize)]
struct ConfState {
    #[serde(rename = "voters")]
    _voters: Option<Vec<u64>>,
    #[serde(rename = "learners")]
    _learners: Option<Vec<u64>>,
}

/// Reads `scheduledCompactRev` and `finishedCompactRev` of bucket `meta`.
///
/// # Errors
///
/// A value that is no revision.
pub(crate) fn compaction(meta: &[LeafElement<'_>]) -> Result<Compaction, RevisionKeyDefect> {
    let revision = |name: &[u8]| {
        let key = value_of(meta, name).map(RevisionKey::parse).transpose()?;
        Ok(key.map(|key| key.revision.main))
    };
    Ok(Compaction {
        scheduled: revision(b"scheduledCompactRev")?,
        finished: revision(b"finishedCompactRev")?,
    })
}

/// Reads bucket `meta`.
pub(crate) fn raft_and_storage(meta: &[LeafElement<'_>]) -> RaftAndStorage {
    let mut found = RaftAndStorage {
        storage_version: version_text(meta, b"storageVersion"),
        ..RaftAndStorage::default()
    };
    found.compaction = found.read_compaction(meta);
    for name in ["consistent_index", "term"] {
        found.check_number(meta, name);
    }
    if let Some(state) = value_of(meta, b"confState")
        && let Err(error) = serde_json::from_slice::<ConfState>(state)
    {
        let kind = BucketDefectKind::ConfState(json_words(&error));
        found.tell("confState", kind);
    }
    if value_of(meta, b"storageVersion").is_some()
        && let Some(kind) = found.storage_version_defect()
    {
        found.tell("storageVersion", kind);
    }
    found
}

impl RaftAndStorage {
    fn read_compaction(&mut self, meta: &[LeafElement<'_>]) -> Option<Compaction> {
        for name in ["scheduledCompactRev", "finishedCompactRev"] {
            if let Some(Err(defect)) = value_of(meta, name.as_bytes()).map(RevisionKey::parse) {
                self.tell(name, BucketDefectKind::CompactionValue(defect));
            }
        }
        let compaction = compaction(meta).ok()?;
        if let Compaction {
            scheduled: Some(scheduled),
            finished: Some(finished),
        } = compaction
            && finished > scheduled
        {
            let kind = BucketDefectKind::CompactionOrder {
                finished,
                scheduled,
            };
            self.tell("finishedCompactRev", kind);
        }
        Some(compaction)
    }

    /// etcd goes on without a version that it cannot parse.
    fn storage_version_defect(&self) -> Option<BucketDefectKind> {
        let text = self.storage_version.as_deref().unwrap_or_default();
        match semver::Version::parse(text) {
            Err(_) => Some(BucketDefectKind::StorageVersion),
            Ok(version) if version.major == 3 && version.minor >= 5 => None,
            Ok(version) => Some(BucketDefectKind::StorageVersionRefused {
                found: version.to_string(),
            }),
        }
    }

    fn check_number(&mut self, meta: &[LeafElement<'_>], name: &'static str) {
        let value = value_of(meta, name.as_bytes());
        if let Some(value) = value.filter(|value| value.len() != 8) {
            let found_bytes = value.len();
            self.tell(name, BucketDefectKind::RaftNumber { found_bytes });
        }
    }

    fn tell(&mut self, name: &str, kind: BucketDefectKind) {
        let defect = BucketDefect::new("meta", name.as_bytes(), kind);
        self.defects.push(defect);
    }
}
