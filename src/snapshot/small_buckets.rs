//! The small buckets of a snapshot: its members, versions, compaction and alarms.

use super::facts::{Member, Snapshot};
use super::findings;
use crate::bbolt::Tree;
use crate::etcd::{Compaction, buckets};

/// Learns what they tell; what cannot be read becomes a finding.
pub(super) fn learn(tree: &Tree<'_>, snapshot: &mut Snapshot) {
    let mut entries = |name: &[u8]| {
        let bucket = tree.bucket(name)?;
        let entries = tree.entries(bucket);
        if entries.is_none() {
            snapshot.findings.push(findings::unexamined_bucket(name));
        }
        entries
    };
    let [meta, cluster, members, alarms] = [b"meta".as_slice(), b"cluster", b"members", b"alarm"]
        .map(|name| entries(name).unwrap_or_default());
    match buckets::compaction(&meta) {
        Ok(compaction) => snapshot.compact_revision = compaction.revision(),
        Err(defect) => snapshot
            .findings
            .push(findings::undecodable_compaction(defect)),
    }
    snapshot.storage_version = buckets::version_text(&meta, b"storageVersion");
    snapshot.cluster_version = buckets::version_text(&cluster, b"clusterVersion");
    let (members, undecodable) = buckets::members(&members);
    let member = |member: buckets::StoredMember| Member {
        id: member.id,
        name: member.name,
        peer_urls: member.peer_urls.unwrap_or_default(),
        client_urls: member.client_urls.unwrap_or_default(),
        is_learner: member.is_learner,
    };
    snapshot.members = members.into_iter().map(member).collect();
    snapshot
        .findings
        .extend(findings::undecodable_members(undecodable));
    snapshot
        .findings
        .extend(findings::alarms(&buckets::alarms(&alarms)));
}

/// How far compaction has come; `None` when bucket `meta` does not tell.
pub(super) fn compaction(tree: &Tree<'_>) -> Option<Compaction> {
    let meta = tree.bucket(b"meta").filter(|meta| meta.is_complete)?;
    buckets::compaction(&tree.entries(meta)?).ok()
}
