//! From the proven tree to facts: the numbers of `snapshot status`, members, the cluster, encryption in use.

use super::facts::{Flavour, Snapshot, Status};
use super::hashing::Hashed;
use super::key_replay::KeyReplay;
use super::keyspace::Keyspace;
use super::leases::LeasedRecord;
use super::reading::{HashOn, SnapshotReading};
use super::stored_entries::StoredEntries;
use super::{findings, live_values, small_buckets};
use crate::bbolt::{Layout, PageNotes, Pgid, Tree, prove};
use crate::digest::{Crc32c, CrcJoiner};
use crate::etcd::LiveValues;
use crate::kubernetes::certificate::Certificates;
use crate::kubernetes::encryption::{OddValues, Sealed};
use crate::openshift::Cluster;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Facts of a file that holds no database.
pub(super) fn empty(hashed: &Hashed) -> Snapshot {
    Snapshot {
        size_bytes: hashed.size_bytes,
        computed: hashed.computed,
        trailer: hashed.trailer,
        page_size: None,
        status: Status::default(),
        live_keys: None,
        compact_revision: None,
        cluster_version: None,
        storage_version: None,
        members: Vec::new(),
        flavour: Flavour::Other,
        cluster: Cluster::default(),
        newest_lease_at: None,
        newest_content_at: None,
        encryption: Vec::new(),
        certificates: Certificates::default(),
        findings: Vec::new(),
        live_digest: None,
        mended: None,
        kinds: Vec::new(),
    }
}

/// Walks the tree and learns everything that the notes can tell.
pub(super) fn conclude(
    layout: &Layout,
    notes: &PageNotes,
    keyspace: Keyspace,
    hashed: &Hashed,
    hash_on: HashOn,
) -> SnapshotReading {
    let tree = prove(layout, notes);
    let mut snapshot = empty(hashed);
    snapshot.page_size = Some(layout.meta.page_size);
    snapshot.status.total_size = layout.meta.size_bytes();
    if tree.is_complete() {
        snapshot.status.hash = Some(status_hash(&tree).value);
        snapshot.status.total_key =
            Some(tree.buckets.iter().map(|bucket| tree.count(bucket)).sum());
    }
    snapshot.findings.extend(findings::tree(&tree));
    snapshot.findings.extend(findings::buckets(&tree));
    let leases = small_buckets::learn(&tree, &keyspace.lease_pages, &mut snapshot);
    let (sealed, entries, odd_values) =
        learn_keyspace(&tree, keyspace, leases.as_ref(), &mut snapshot, hash_on);
    SnapshotReading {
        snapshot,
        sealed,
        entries,
        odd_values,
        whole: hashed.whole,
        with_own_digest: hashed.with_own_digest,
        suspect: None,
    }
}

/// CRC-32C over names, keys and values of all buckets in order.
fn status_hash(tree: &Tree<'_>) -> Crc32c {
    static JOINER: LazyLock<CrcJoiner> = LazyLock::new(CrcJoiner::new);
    let joiner: &CrcJoiner = &JOINER;
    tree.buckets.iter().fold(Crc32c::default(), |crc, bucket| {
        joiner.join(crc.followed_by(&bucket.name), tree.checksum(bucket, joiner))
    })
}

/// Replays the history of all keys and takes what was wanted out of the live pages.
fn learn_keyspace(
    tree: &Tree<'_>,
    mut keyspace: Keyspace,
    leases: Option<&HashSet<i64>>,
    snapshot: &mut Snapshot,
    hash_on: HashOn,
) -> (Sealed, StoredEntries, Option<Vec<OddValues>>) {
    let Some(bucket) = tree.bucket(b"key") else {
        return Default::default();
    };
    let mut found = KeyReplay::of(tree, bucket, &mut keyspace, hash_on);
    let Keyspace {
        classes,
        wanted,
        samples,
        every_value,
        leased,
        defective_objects,
        collector,
        ..
    } = keyspace;
    snapshot.findings.extend(findings::records(
        &found.replay,
        &found.defective,
        &found.foreign_pages,
    ));
    if let Some(leases) = leases {
        let is_live =
            |record: &LeasedRecord| found.is_live(record.key_hash, record.main, &record.pages);
        let without = leased.without_lease(leases, is_live);
        snapshot
            .findings
            .extend(findings::keys_without_lease(&without));
    }
    let objects = defective_objects
        .live(|object| found.is_live(object.key_hash, object.main, &[object.page.0]));
    snapshot.findings.extend(findings::objects(&objects));
    let mut live = found.replay.live_by_class.clone();
    live.resize(classes.len(), LiveValues::default());
    snapshot.kinds = classes.kinds(&live);
    snapshot.flavour = classes.flavour(&live, bucket.is_complete);
    snapshot.encryption = classes.encryption(&live);
    snapshot.newest_lease_at = instant(found.times.lease_seconds);
    snapshot.newest_content_at = instant(found.times.content_seconds);
    if bucket.is_complete {
        snapshot.live_keys = Some(found.replay.live_keys);
        snapshot.live_digest = Some(found.replay.live_digest);
        // An empty keyspace is at revision 0, as `snapshot status` prints it.
        let newest = found.replay.newest.map_or(0, |newest| newest.main);
        snapshot.status.revision = Some(newest);
        let compaction = small_buckets::compaction(tree).unwrap_or_default();
        if let Some(scheduled) = compaction.pending_above(newest) {
            let finding = findings::compaction_ahead(scheduled, newest);
            snapshot.findings.push(finding);
        }
    }
    let mut sealed = Sealed {
        samples: live_values::samples(samples, &classes, &found),
        ..Sealed::default()
    };
    live_values::wanted(wanted, &found, snapshot, &mut sealed);
    let odd_values = every_value.and_then(|every| {
        every.live(&classes, |key_hash, main, page: Pgid| {
            found.is_live(key_hash, main, &[page.0])
        })
    });
    let timeline = std::mem::take(&mut found.timeline);
    let entries =
        collector.map(|entries| entries.conclude(|page| found.is_live_page(page), timeline));
    (sealed, entries.unwrap_or_default(), odd_values)
}

fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    if seconds <= 0 {
        return None;
    }
    DateTime::from_timestamp(seconds, 0)
}
