//! From the proven tree to facts: the numbers of `snapshot status`, members, the cluster, encryption in use.

use super::findings;
use super::hashing::Hashed;
use super::keyspace::{DefectiveEntry, Keyspace, NO_TRAIL};
use super::read::{HashOn, Reading};
use super::wanted::{Purpose, Version};
use super::{Flavour, Member, Snapshot, Status};
use crate::bbolt::proof::{Bucket, LeafRef, Tree};
use crate::bbolt::scan::{LeafObserver as _, Notes};
use crate::bbolt::{Layout, PageSet, Pgid};
use crate::digest::{Crc32c, CrcJoiner};
use crate::etcd::{Compaction, History, Order, PageTimes, Replay, Trail, TrailPage, buckets};
use crate::kubernetes::certificate::{Certificate, Certificates, parse_object};
use crate::kubernetes::encryption::{Sealed, SealedValue};
use crate::kubernetes::envelope::{Encoding, Envelope};
use crate::openshift::Cluster;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Page id of an inline bucket.
const INLINE_PAGE: Pgid = Pgid(0);

/// Values on which each key is tried.
const PROVEN_SAMPLES: usize = 16;

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
    }
}

/// Walks the tree and learns everything that the notes can tell.
pub(super) fn conclude(
    layout: &Layout,
    notes: &Notes,
    keyspace: Keyspace,
    hashed: &Hashed,
    hash_on: HashOn,
) -> Reading {
    let tree = Tree::prove(layout, notes);
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
    learn_small_buckets(&tree, &mut snapshot);
    let sealed = learn_keyspace(&tree, keyspace, &mut snapshot, hash_on);
    Reading { snapshot, sealed }
}

/// CRC-32C over names, keys and values of all buckets in order.
fn status_hash(tree: &Tree<'_>) -> Crc32c {
    static JOINER: LazyLock<CrcJoiner> = LazyLock::new(CrcJoiner::new);
    let joiner: &CrcJoiner = &JOINER;
    tree.buckets.iter().fold(Crc32c::default(), |crc, bucket| {
        joiner.join(crc.followed_by(&bucket.name), tree.checksum(bucket, joiner))
    })
}

fn learn_small_buckets(tree: &Tree<'_>, snapshot: &mut Snapshot) {
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

/// Replays the history of all keys and takes what was wanted out of the live pages.
fn learn_keyspace(
    tree: &Tree<'_>,
    mut keyspace: Keyspace,
    snapshot: &mut Snapshot,
    hash_on: HashOn,
) -> Sealed {
    let Some(bucket) = tree.bucket(b"key") else {
        return Sealed::default();
    };
    let inline = inline_leaf(tree, bucket, &mut keyspace);
    let trail = std::mem::take(&mut keyspace.trail);
    let leaves = Leaves {
        tree,
        bucket,
        inline,
        trail: &trail,
    };
    let past = Past::learn(&leaves, &keyspace, hash_on);
    let Keyspace {
        classes,
        wanted,
        samples,
        ..
    } = keyspace;
    snapshot.findings.extend(findings::records(
        &past.replay,
        &past.defective,
        &past.foreign_pages,
    ));
    let mut live = past.replay.live_by_class.clone();
    live.resize(classes.len(), 0);
    snapshot.flavour = classes.flavour(&live);
    snapshot.encryption = classes.encryption(&live);
    snapshot.newest_lease_at = instant(past.times.lease_seconds);
    snapshot.newest_content_at = instant(past.times.content_seconds);
    if bucket.is_complete {
        snapshot.live_keys = Some(past.replay.live_keys);
        // An empty keyspace is at revision 0, as `snapshot status` prints it.
        snapshot.status.revision = Some(past.replay.newest.map_or(0, |newest| newest.main));
    }
    let mut sealed = Sealed::default();
    for (class, samples) in samples {
        let live = samples
            .into_iter()
            .filter(|sample| past.is_live(sample.key_hash, sample.main, &sample.pages))
            .take(PROVEN_SAMPLES);
        let resource = classes.resource(class).unwrap_or_default();
        sealed.samples.extend(live.map(|sample| SealedValue {
            storage_key: sample.key,
            resource: resource.to_owned(),
            value: sample.value,
        }));
    }
    for (key, key_hash, versions) in wanted.into_sorted() {
        let live = versions
            .into_iter()
            .find(|version| past.is_live(key_hash, version.main, &version.pages));
        if let Some(version) = live {
            sort_out(key, version, snapshot, &mut sealed);
        }
    }
    sealed
}

/// A wanted value that is alive goes where it is needed; it is not copied, as it may hold keys.
fn sort_out(storage_key: Vec<u8>, version: Version, snapshot: &mut Snapshot, sealed: &mut Sealed) {
    let value = version.value;
    let is_sealed = Encoding::of(value.expose()) == Encoding::Encrypted;
    let destination = match Keyspace::purpose_of(&storage_key) {
        Some(Purpose::Cluster) => return snapshot.cluster.learn(&storage_key, value.expose()),
        Some(Purpose::Certificate) if !is_sealed => {
            let found = secret_certificates(&storage_key, value.expose());
            return snapshot.certificates.extend(found);
        }
        Some(Purpose::Certificate) => &mut sealed.certificates,
        Some(Purpose::EncryptionConfig) => &mut sealed.encryption_configs,
        None => return,
    };
    destination.push(SealedValue {
        storage_key,
        resource: "secrets".to_owned(),
        value,
    });
}

fn secret_certificates(storage_key: &[u8], value: &[u8]) -> Vec<Certificate> {
    let envelope = Envelope::parse(value).ok().flatten();
    envelope.map_or_else(Vec::new, |envelope| parse_object(storage_key, envelope.raw))
}

fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    if seconds <= 0 {
        return None;
    }
    DateTime::from_timestamp(seconds, 0)
}

/// The leaf pages of bucket `key`.
struct Leaves<'t, 'n> {
    tree: &'t Tree<'n>,
    bucket: &'t Bucket<'n>,
    inline: Option<LeafRef>,
    trail: &'t Trail,
}

impl Leaves<'_, '_> {
    fn iter(&self) -> impl Iterator<Item = LeafRef> {
        self.tree.leaves(self.bucket).chain(self.inline)
    }

    fn pages(&self) -> PageSet {
        let mut pages = self.tree.leaf_pages(self.bucket);
        if let Some(inline) = self.inline {
            pages.add(inline.page);
        }
        pages
    }

    /// What the trail tells of a page; `None` when nothing on it looks like an entry.
    fn trail_page(&self, leaf: LeafRef) -> Option<TrailPage<'_>> {
        let start = leaf.tag.checked_sub(NO_TRAIL + 1)?;
        self.trail.page(start, leaf.count)
    }
}

/// The bucket of an etcd that has stored next to nothing is inline: the scan has not seen its entries.
fn inline_leaf(tree: &Tree<'_>, bucket: &Bucket<'_>, keyspace: &mut Keyspace) -> Option<LeafRef> {
    if tree.leaves(bucket).next().is_some() {
        return None;
    }
    let elements = tree.entries(bucket)?;
    let page = INLINE_PAGE;
    let count = u16::try_from(elements.len()).ok()?;
    let tag = keyspace.leaf(page, &elements).tag;
    Some(LeafRef { page, tag, count })
}

/// How far compaction has come; `None` when bucket `meta` does not tell.
fn compaction(tree: &Tree<'_>) -> Option<Compaction> {
    let meta = tree.bucket(b"meta").filter(|meta| meta.is_complete)?;
    buckets::compaction(&tree.entries(meta)?).ok()
}

/// Entries of bucket `key` that are there but tell nothing that could be replayed.
fn unreadable_entries(leaves: &Leaves<'_, '_>, keyspace: &Keyspace) -> u64 {
    let foreign = leaves.iter().filter(|leaf| leaf.tag == NO_TRAIL);
    let foreign: u64 = foreign.map(|leaf| u64::from(leaf.count)).sum();
    let pages: HashSet<u64> = keyspace
        .defective
        .iter()
        .map(|entry| entry.page.0)
        .collect();
    if pages.is_empty() {
        return foreign;
    }
    let live = leaves
        .iter()
        .filter(|leaf| pages.contains(&leaf.page.0))
        .filter_map(|leaf| leaves.trail_page(leaf));
    let defective = live.map(|page| page.order.defective());
    foreign + crate::bytes::to_u64(defective.sum::<usize>())
}

/// Leaf pages by their smallest revision, for a tree that has them in another order.
fn by_revision(leaves: &Leaves<'_, '_>) -> Vec<LeafRef> {
    let mut sorted: Vec<LeafRef> = leaves.iter().collect();
    sorted.sort_by_cached_key(|leaf| leaves.trail_page(*leaf)?.order.smallest());
    sorted
}

/// Entries from which it pays to start a second thread.
const MIN_SHARED_ENTRIES: u64 = 50_000;

/// What the entries of bucket `key` tell together.
struct Past {
    replay: Replay,
    times: PageTimes,
    /// Leaf pages of the bucket.
    pages: PageSet,
    /// Entries on live pages that are wrong by themselves.
    defective: Vec<DefectiveEntry>,
    /// Live pages on which nothing looks like an entry of bucket `key`, and their number of elements.
    foreign_pages: Vec<(Pgid, u16)>,
}

impl Past {
    fn learn(leaves: &Leaves<'_, '_>, keyspace: &Keyspace, hash_on: HashOn) -> Self {
        let pages = leaves.pages();
        let replay = replay(leaves, &pages, keyspace, hash_on);
        let is_live = |entry: &&DefectiveEntry| pages.has(entry.page);
        let defective = keyspace.defective.iter().filter(is_live).copied().collect();
        let mut past = Self {
            replay,
            times: PageTimes::default(),
            pages,
            defective,
            foreign_pages: Vec::new(),
        };
        for leaf in leaves.iter() {
            let times = leaves.trail_page(leaf).map(|page| page.times);
            past.look_at(leaf, times);
        }
        past
    }

    fn look_at(&mut self, leaf: LeafRef, times: Option<PageTimes>) {
        let Some(times) = times else {
            if leaf.count > 0 {
                self.foreign_pages.push((leaf.page, leaf.count));
            }
            return;
        };
        let newest = &mut self.times;
        newest.lease_seconds = newest.lease_seconds.max(times.lease_seconds);
        newest.content_seconds = newest.content_seconds.max(times.content_seconds);
    }

    fn is_live(&self, key_hash: u64, main: i64, pages: &[u64]) -> bool {
        let newest = self.replay.keys.get(&key_hash);
        let is_newest = newest.is_some_and(|state| state.main == main && !state.is_tombstone);
        is_newest && pages.iter().any(|&page| self.pages.has(Pgid(page)))
    }
}

/// Replays the history, on two cores where the hash has done with the second one.
fn replay(
    leaves: &Leaves<'_, '_>,
    pages: &PageSet,
    keyspace: &Keyspace,
    hash_on: HashOn,
) -> Replay {
    let history = History {
        trail: leaves.trail,
        pages,
        compaction: compaction(leaves.tree),
        unreadable: unreadable_entries(leaves, keyspace),
        asked: &keyspace.asked(),
    };
    let entries = leaves.tree.count(leaves.bucket);
    let is_shared = hash_on == HashOn::OwnThread && entries >= MIN_SHARED_ENTRIES;
    history.replay(is_shared, |order| hand_over(leaves, order))
}

/// Hands all entries over by revision, whatever order the tree has them in: what is merely out of place is not gone.
fn hand_over(leaves: &Leaves<'_, '_>, order: &mut Order) {
    let is_ordered = leaves.tree.is_ordered();
    let mut hand_over = |leaf: LeafRef| {
        if let Some(page) = leaves.trail_page(leaf) {
            order.page(leaf.page, page.order, is_ordered);
        }
    };
    if is_ordered {
        leaves.iter().for_each(&mut hand_over);
    } else {
        by_revision(leaves).into_iter().for_each(hand_over);
    }
}
