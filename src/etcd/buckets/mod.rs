//! The small buckets, each read as etcd reads it: what stops a restore or the etcd behind it is told apart from what
//! merely looks odd.

mod alarm;
mod auth;
mod cluster;
mod defect;
mod lease;
mod member;
mod message;
mod meta;

pub(crate) use alarm::{Alarm, AlarmKind, alarms};
pub(crate) use auth::auth_defects;
pub(crate) use cluster::cluster;
pub(crate) use defect::{BucketDefect, Harm};
pub(crate) use lease::{Leases, leases};
pub(crate) use member::{StoredMember, members};
pub(crate) use meta::{compaction, raft_and_storage};

use crate::bbolt::LeafElement;

/// Every bucket that etcd creates when it starts, in name order. All of them are in every snapshot.
///
/// Source: etcd `server/storage/schema/bucket.go` at c34dc7e, and the same names since 3.0.
pub(crate) const NEEDED: [&str; 10] = [
    "alarm",
    "auth",
    "authRoles",
    "authUsers",
    "cluster",
    "key",
    "lease",
    "members",
    "members_removed",
    "meta",
];

/// A text value such as `meta/storageVersion` or `cluster/clusterVersion`, when it looks like a version.
fn version_text(bucket: &[LeafElement<'_>], name: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value_of(bucket, name)?).ok()?;
    let is_version =
        !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_graphic());
    is_version.then(|| text.to_owned())
}

fn value_of<'p>(bucket: &[LeafElement<'p>], name: &[u8]) -> Option<&'p [u8]> {
    bucket
        .iter()
        .find(|element| element.key == name)
        .map(|element| element.value)
}
