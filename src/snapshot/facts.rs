//! What is learnt from one `.db` file, and nothing judged yet beyond what the bytes alone prove.

use super::mend::Mended;
use crate::digest::Sha256Digest;
use crate::etcd::LiveDigest;
use crate::finding::Finding;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::EncryptionUse;
use crate::openshift::Cluster;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Everything learnt in one pass over a snapshot file.
///
/// `None` means: could not be learnt from this file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Snapshot {
    /// Length of the (uncompressed) file in bytes, trailer included.
    pub size_bytes: u64,
    /// SHA-256 over all bytes but the trailer.
    pub computed: Sha256Digest,
    /// The 32 bytes of the trailer, when the length says that there is one (`size % 512 == 32`).
    pub trailer: Option<Sha256Digest>,
    /// Page size of the writer's machine, in bytes.
    pub page_size: Option<u32>,
    /// The numbers of `etcdutl snapshot status`.
    pub status: Status,
    /// Keys whose newest entry is no tombstone (`totalKey` of etcd 3.6).
    pub live_keys: Option<u64>,
    /// Larger of the scheduled and the finished compaction; `None` when never compacted.
    pub compact_revision: Option<i64>,
    /// `cluster/clusterVersion` such as `3.5.0`.
    pub cluster_version: Option<String>,
    /// `meta/storageVersion` such as `3.6.0`.
    pub storage_version: Option<String>,
    /// Bucket `members`, by id.
    pub members: Vec<Member>,
    /// Which API servers wrote here, by the prefix of the keys.
    pub flavour: Flavour,
    /// What OpenShift says of itself. All fields empty for other flavours.
    pub cluster: Cluster,
    /// Newest `renewTime` of a live Lease object.
    #[serde(with = "crate::instant::option")]
    pub newest_lease_at: Option<DateTime<Utc>>,
    /// Newest creation or field-management time of any object.
    #[serde(with = "crate::instant::option")]
    pub newest_content_at: Option<DateTime<Utc>>,
    /// How live values are stored, per resource, ascending. Resources without any encrypted value are left out.
    pub encryption: Vec<EncryptionUse>,
    /// Certificates in plain Secrets (those in encrypted ones are learnt with the keys).
    pub certificates: Certificates,
    /// What the bytes alone prove to be wrong, in the order of the file.
    pub findings: Vec<Finding>,
    /// What lives, in one number by which members are compared; `None` where that was not learnt.
    #[serde(default)]
    pub live_digest: Option<LiveDigest>,
    /// What the file was when it was saved, where its digest proves that and it is not so any more.
    #[serde(default)]
    pub mended: Option<Mended>,
    /// What is alive of each resource, by plural and group.
    #[serde(default)]
    pub kinds: Vec<KindContent>,
}

impl Snapshot {
    /// True when every value is as good as proven: the digest matches.
    pub fn digest_matches(&self) -> bool {
        self.trailer.as_ref() == Some(&self.computed)
    }

    /// When it was taken by its own word: leases are renewed every few seconds, other content less often.
    pub fn taken_at(&self) -> Option<DateTime<Utc>> {
        self.newest_lease_at.or(self.newest_content_at)
    }
}

/// The live objects of one resource.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct KindContent {
    /// Such as `pods`.
    pub plural: String,
    /// API group; empty for the core group.
    pub group: String,
    /// How many there are.
    pub objects: u64,
    /// Bytes of their values as they are stored.
    pub value_bytes: u64,
    /// Main revision of the newest change that is still alive.
    pub newest_revision: i64,
}

/// What `etcdutl snapshot status` of etcd 3.4 and 3.5 prints for the same file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Status {
    /// CRC-32C over bucket names, keys and values in key order.
    pub hash: Option<u32>,
    /// Main revision of the last entry of bucket `key`.
    pub revision: Option<i64>,
    /// Entries of all buckets.
    pub total_key: Option<u64>,
    /// High water mark times page size, in bytes.
    pub total_size: Option<u64>,
}

/// One entry of bucket `members`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Member {
    /// Exceeds 2^53: hexadecimal in every output.
    pub id: u64,
    /// Member name; empty until the member has started.
    pub name: String,
    /// Peer URLs as stored.
    pub peer_urls: Vec<String>,
    /// Client URLs as stored.
    pub client_urls: Vec<String>,
    /// Learners do not vote.
    pub is_learner: bool,
}

/// Whose keys fill the snapshot.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Flavour {
    /// OpenShift 4: keys under `/kubernetes.io/`, and objects of `config.openshift.io` among them. Also where so much is
    /// lost that no more can be told.
    OpenShift,
    /// Keys under `/registry/`: Kubernetes without OpenShift.
    Kubernetes,
    /// None of these.
    Other,
    /// MicroShift: keys under `/kubernetes.io/`, and its own ConfigMap among them.
    MicroShift,
    /// OpenShift 3: keys under `/kubernetes.io/` and `/openshift.io/`, and no object of `config.openshift.io`. MicroShift has
    /// such keys too.
    OpenShift3,
    /// Keys under `/kubernetes.io/`, and nothing of OpenShift among them.
    KubernetesIo,
}
