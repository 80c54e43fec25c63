//! What can be wrong with an entry of a small bucket, and what becomes of a restore then.

use crate::etcd::RevisionKeyDefect;
use crate::protobuf::WireDefect;

/// A defect and the entry that has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BucketDefect {
    /// Name of the bucket.
    pub(crate) bucket: &'static str,
    /// Key of the entry.
    pub(crate) key: Vec<u8>,
    /// What is wrong with it.
    pub(crate) kind: BucketDefectKind,
}

impl BucketDefect {
    /// What is wrong with the entry of `bucket` that has this key.
    pub(super) fn new(bucket: &'static str, key: &[u8], kind: BucketDefectKind) -> Self {
        let key = key.to_vec();
        Self { bucket, key, kind }
    }
}

/// What a defect does to who restores the snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Harm {
    /// The restore or the etcd behind it stops, or etcd drops what it should keep.
    Stops,
    /// The restore works; what stands there is not what etcd writes.
    Misleads,
}

/// What is wrong with an entry of a small bucket.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BucketDefectKind {
    /// `etcdutl snapshot restore` parses the key of every member that it removes.
    #[error("the key is no member id in hexadecimal digits: the restore stops at it")]
    MemberKey,
    /// A restore replaces the members; only who starts etcd on this very file is stopped.
    #[error("the value is no member: {0}")]
    MemberValue(String),
    /// Key and value name different members.
    #[error("the value is of member {found:016x}")]
    MemberId {
        /// The id inside.
        found: u64,
    },
    /// A member that was removed stands among the members.
    #[error("the member is also among those that were removed")]
    MemberTwice,
    /// etcd decodes every lease when it starts.
    #[error("the value is no lease ({0}): etcd stops at it when it starts")]
    LeaseValue(WireDefect),
    /// Lease ids are eight bytes.
    #[error("the key has {found_bytes} bytes, a lease id has 8")]
    LeaseKey {
        /// Length of the key.
        found_bytes: usize,
    },
    /// Key and value name different leases.
    #[error("the value is of lease {found:016x}")]
    LeaseId {
        /// The id inside.
        found: i64,
    },
    /// Seconds that do not fit into etcd's clock: the lease ends at once and takes its keys along.
    #[error(
        "the time to live is {found_seconds} seconds, the most is {}: the lease ends at once and its keys are deleted",
        MAX_LEASE_SECONDS
    )]
    LeaseOverflow {
        /// TTL, or remaining TTL.
        found_seconds: i64,
    },
    /// A time to live that etcd grants to nobody.
    #[error(
        "the time to live is {found_seconds} seconds, etcd grants 1 to {}",
        MAX_LEASE_SECONDS
    )]
    LeaseSeconds {
        /// TTL.
        found_seconds: i64,
    },
    /// etcd decodes every alarm when it starts.
    #[error("the key is no alarm ({0}): etcd stops at it when it starts")]
    AlarmKey(WireDefect),
    /// Read as eight bytes, or etcd stops.
    #[error("the value has {found_bytes} bytes, expected 8: etcd stops at it when it starts")]
    AuthRevision {
        /// Length of the value.
        found_bytes: usize,
    },
    /// etcd decodes every user when it starts.
    #[error("the value is no user ({0}): etcd stops at it when it starts")]
    UserValue(WireDefect),
    /// etcd decodes the role of every user when it starts.
    #[error("the value is no role ({0}): etcd stops at it when it starts")]
    RoleValue(WireDefect),
    /// `scheduledCompactRev` and `finishedCompactRev` are revisions.
    #[error("the value is no revision ({0}): etcd stops at it when it starts")]
    CompactionValue(RevisionKeyDefect),
    /// A compaction is scheduled before it can be finished.
    #[error("compaction {finished} is finished, but the last one scheduled is {scheduled}")]
    CompactionOrder {
        /// `finishedCompactRev`.
        finished: i64,
        /// `scheduledCompactRev`.
        scheduled: i64,
    },
    /// A restore writes index and term anew.
    #[error("the value has {found_bytes} bytes, expected 8")]
    RaftNumber {
        /// Length of the value.
        found_bytes: usize,
    },
    /// JSON of a raft configuration.
    #[error("the value is no raft configuration: {0}")]
    ConfState(String),
    /// etcd's own words for a version that is none.
    #[error("the value is no version of etcd 3")]
    StorageVersion,
    /// etcd migrates storage from no other major version, and from none before 3.5.
    ///
    /// Source: etcd `server/storage/schema/{migration,schema}.go` of 3.6.16.
    #[error("the value is version {found}, which no etcd writes: etcd refuses it when it starts")]
    StorageVersionRefused {
        /// The version as it stands.
        found: String,
    },
    /// etcd parses the version of the cluster when it starts.
    #[error("the value is no version: etcd stops at it when it starts")]
    ClusterVersion,
    /// etcd refuses a cluster of another major version.
    #[error("the value is version {found}, not one of etcd 3: etcd refuses it when it starts")]
    ClusterVersionMajor {
        /// The version as it stands.
        found: String,
    },
    /// etcd parses the state of a downgrade when it starts.
    #[error("the value is no state of a downgrade ({0}): etcd stops at it when it starts")]
    Downgrade(String),
}

/// The longest time to live that etcd grants, in seconds.
///
/// Source: etcd `server/lease/lessor.go`, `MaxLeaseTTL`, at c34dc7e.
pub(super) const MAX_LEASE_SECONDS: i64 = 9_000_000_000;

impl BucketDefectKind {
    /// What becomes of a restore.
    pub(crate) fn harm(&self) -> Harm {
        match self {
            Self::MemberKey
            | Self::LeaseValue(_)
            | Self::LeaseOverflow { .. }
            | Self::AlarmKey(_)
            | Self::AuthRevision { .. }
            | Self::UserValue(_)
            | Self::RoleValue(_)
            | Self::CompactionValue(_)
            | Self::ClusterVersion
            | Self::StorageVersionRefused { .. }
            | Self::ClusterVersionMajor { .. }
            | Self::Downgrade(_) => Harm::Stops,
            Self::MemberValue(_)
            | Self::MemberId { .. }
            | Self::MemberTwice
            | Self::LeaseKey { .. }
            | Self::LeaseId { .. }
            | Self::LeaseSeconds { .. }
            | Self::CompactionOrder { .. }
            | Self::RaftNumber { .. }
            | Self::ConfState(_)
            | Self::StorageVersion => Harm::Misleads,
        }
    }

    /// The bytes are not what they should be, in contrast to well-formed ones that contradict others.
    pub(crate) fn is_undecodable(&self) -> bool {
        !matches!(
            self,
            Self::MemberId { .. }
                | Self::MemberTwice
                | Self::LeaseId { .. }
                | Self::LeaseOverflow { .. }
                | Self::LeaseSeconds { .. }
                | Self::CompactionOrder { .. }
                | Self::StorageVersionRefused { .. }
                | Self::ClusterVersionMajor { .. }
        )
    }
}
