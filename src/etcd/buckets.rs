//! The small buckets: who the members are, how far compaction came, which alarms stand.

use super::compaction::Compaction;
use super::revision::{RevisionKey, RevisionKeyDefect};
use crate::bbolt::LeafElement;
use crate::protobuf::integer_field;
use serde::Deserialize;

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

/// A text value such as `meta/storageVersion` or `cluster/clusterVersion`, when it looks like a version.
pub(crate) fn version_text(bucket: &[LeafElement<'_>], name: &[u8]) -> Option<String> {
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

/// A member as bucket `members` holds it: JSON under the id in 16 hex digits.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredMember {
    /// Exceeds 2^53.
    pub(crate) id: u64,
    /// `peerURLs`.
    #[serde(rename = "peerURLs", default)]
    pub(crate) peer_urls: Option<Vec<String>>,
    /// `clientURLs`.
    #[serde(rename = "clientURLs", default)]
    pub(crate) client_urls: Option<Vec<String>>,
    /// Empty until it has started.
    #[serde(default)]
    pub(crate) name: String,
    /// Learners do not vote.
    #[serde(rename = "isLearner", default)]
    pub(crate) is_learner: bool,
}

/// The members that can be read, by id, and how many cannot.
pub(crate) fn members(bucket: &[LeafElement<'_>]) -> (Vec<StoredMember>, usize) {
    let mut members: Vec<StoredMember> = bucket
        .iter()
        .filter_map(|element| serde_json::from_slice(element.value).ok())
        .collect();
    members.sort_by_key(|member| member.id);
    let undecodable = bucket.len() - members.len();
    (members, undecodable)
}

/// A raised alarm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Alarm {
    /// The member that raised it.
    pub(crate) member_id: u64,
    /// What for.
    pub(crate) kind: AlarmKind,
}

/// What an alarm says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AlarmKind {
    /// The quota is used up: no more writes.
    NoSpace,
    /// Members disagree about the content.
    Corrupt,
    /// A kind of the future.
    Other(i64),
}

/// Alarms: the keys of bucket `alarm` are protobuf {1 memberID, 2 alarm}.
///
/// Source: etcd `api/etcdserverpb/rpc.proto`, message `AlarmMember`, at c34dc7e.
pub(crate) fn alarms(bucket: &[LeafElement<'_>]) -> Vec<Alarm> {
    let alarms = bucket.iter().map(|element| {
        let member_id = integer_field(element.key, 1)
            .ok()
            .flatten()
            .unwrap_or_default()
            .cast_unsigned();
        let kind = match integer_field(element.key, 2)
            .ok()
            .flatten()
            .unwrap_or_default()
        {
            1 => AlarmKind::NoSpace,
            2 => AlarmKind::Corrupt,
            other => AlarmKind::Other(other),
        };
        Alarm { member_id, kind }
    });
    alarms.collect()
}
