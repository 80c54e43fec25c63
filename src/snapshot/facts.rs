//! What is learnt from one `.db` file, and nothing judged yet beyond what the bytes alone prove.

use crate::digest::Sha256Digest;
use crate::finding::Finding;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::IDENTITY;
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
}

impl Snapshot {
    /// True when every value is as good as proven: the digest matches.
    pub fn digest_matches(&self) -> bool {
        self.trailer.as_ref() == Some(&self.computed)
    }
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
    /// Keys under `/kubernetes.io/`.
    OpenShift,
    /// Keys under `/registry/`: Kubernetes without OpenShift.
    Kubernetes,
    /// Neither.
    Other,
}

/// How many live values of one resource are stored in one way.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct EncryptionUse {
    /// Resource as `EncryptionConfiguration` spells it: `secrets`, `routes.route.openshift.io`.
    pub resource: String,
    /// `identity`, `aescbc`, `aesgcm`, `secretbox`, `kms`, or what stands in the prefix.
    pub provider: String,
    /// Key name in the prefix (for KMS: the provider's name); empty for `identity`.
    pub key_name: String,
    /// Live values stored in this way.
    pub values: u64,
}

impl EncryptionUse {
    /// False for plain values.
    pub fn is_encrypted(&self) -> bool {
        self.provider != IDENTITY
    }
}

/// Values kept in memory for proofs that need the keys of the kuberesources. Never stored, never printed.
#[derive(Default)]
pub struct Sealed {
    /// A few live encrypted values for each resource, provider and key.
    pub samples: Vec<SealedValue>,
    /// Secrets that hold the encryption configs and keys of the other API servers (plain or encrypted).
    pub encryption_configs: Vec<SealedValue>,
    /// Secrets and ConfigMaps with signers and certificates, encrypted.
    pub certificates: Vec<SealedValue>,
}

/// One stored value as it lies in etcd.
pub struct SealedValue {
    /// The etcd key, such as `/kubernetes.io/secrets/ns/name`: the authenticated data of aesgcm.
    pub storage_key: Vec<u8>,
    /// Resource as in [`EncryptionUse::resource`].
    pub resource: String,
    /// The stored bytes, prefix included.
    pub value: Vec<u8>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Sealed({} samples, {} encryption configs, {} certificates)",
            self.samples.len(),
            self.encryption_configs.len(),
            self.certificates.len()
        )
    }
}

impl std::fmt::Debug for SealedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedValue({} bytes)", self.value.len())
    }
}
