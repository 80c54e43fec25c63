//! From the small buckets to facts and findings: members, versions, compaction, alarms, leases, users.

use super::facts::{Member, Snapshot};
use super::findings;
use super::leases::LeasePages;
use crate::bbolt::{LeafElement, Tree};
use crate::etcd::Compaction;
use crate::etcd::buckets::{self, BucketDefect, StoredMember};
use std::collections::HashSet;

/// Learns what the small buckets tell, and returns the leases; `None` where bucket `lease` could not be read whole.
pub(super) fn learn(
    tree: &Tree<'_>,
    lease_pages: &LeasePages,
    snapshot: &mut Snapshot,
) -> Option<HashSet<i64>> {
    let mut entries = |name: &str| {
        let bucket = tree.bucket(name.as_bytes())?;
        let entries = tree.entries(bucket);
        if entries.is_none() {
            snapshot
                .findings
                .push(findings::unexamined_bucket(name.as_bytes()));
        }
        entries
    };
    let [meta, cluster, members, removed, alarms, auth, users, roles] = [
        "meta",
        "cluster",
        "members",
        "members_removed",
        "alarm",
        "auth",
        "authUsers",
        "authRoles",
    ]
    .map(|name| entries(name).unwrap_or_default());
    let mut defects = Vec::new();
    learn_raft_and_storage(&meta, snapshot, &mut defects);
    learn_cluster(&cluster, snapshot, &mut defects);
    learn_members(&members, &removed, snapshot, &mut defects);
    let (alarms, undecodable) = buckets::alarms(&alarms);
    snapshot.findings.extend(findings::alarms(&alarms));
    defects.extend(undecodable);
    defects.extend(buckets::auth_defects(&auth, &users, &roles));
    let leases = lease_pages.of_bucket(tree).map(|leases| {
        defects.extend(leases.defects);
        leases.ids
    });
    snapshot.findings.extend(findings::small_buckets(defects));
    leases
}

/// How far compaction has come; `None` when bucket `meta` does not tell.
pub(super) fn compaction(tree: &Tree<'_>) -> Option<Compaction> {
    let meta = tree.bucket(b"meta").filter(|meta| meta.is_complete)?;
    buckets::compaction(&tree.entries(meta)?).ok()
}

fn learn_raft_and_storage(
    meta: &[LeafElement<'_>],
    snapshot: &mut Snapshot,
    defects: &mut Vec<BucketDefect>,
) {
    let found = buckets::raft_and_storage(meta);
    snapshot.compact_revision = found
        .compaction
        .and_then(|compaction| compaction.revision());
    snapshot.storage_version = found.storage_version;
    defects.extend(found.defects);
}

fn learn_cluster(
    cluster: &[LeafElement<'_>],
    snapshot: &mut Snapshot,
    defects: &mut Vec<BucketDefect>,
) {
    let found = buckets::cluster(cluster);
    if let Some(target) = &found.downgrade_to {
        snapshot
            .findings
            .push(findings::downgrade(target, found.version.as_deref()));
    }
    snapshot.cluster_version = found.version;
    defects.extend(found.defects);
}

fn learn_members(
    members: &[LeafElement<'_>],
    removed: &[LeafElement<'_>],
    snapshot: &mut Snapshot,
    defects: &mut Vec<BucketDefect>,
) {
    let found = buckets::members(members, removed);
    let member = |member: StoredMember| Member {
        id: member.id,
        name: member.name,
        peer_urls: member.peer_urls.unwrap_or_default(),
        client_urls: member.client_urls.unwrap_or_default(),
        is_learner: member.is_learner,
    };
    snapshot.members = found.members.into_iter().map(member).collect();
    defects.extend(found.defects);
}
