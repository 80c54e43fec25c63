//! From the proven tree to facts: the numbers of `snapshot status`, members, the cluster, encryption in use.

use super::findings;
use super::hashing::Hashed;
use super::keyspace::{DefectiveEntry, Keyspace, NO_TRAIL};
use super::read::Reading;
use super::wanted::{Purpose, Version};
use super::{Flavour, Member, Sealed, SealedValue, Snapshot, Status};
use crate::bbolt::proof::{Bucket, Tree};
use crate::bbolt::scan::Notes;
use crate::bbolt::{Layout, Pgid};
use crate::digest::{Crc32c, CrcJoiner};
use crate::etcd::{PageTimes, Replay, buckets};
use crate::kubernetes::certificate::{Certificate, Certificates, parse_object};
use crate::kubernetes::envelope::{Encoding, Envelope};
use crate::openshift::Cluster;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

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
    let sealed = learn_keyspace(&tree, keyspace, &mut snapshot);
    Reading { snapshot, sealed }
}

/// CRC-32C over names, keys and values of all buckets in order.
fn status_hash(tree: &Tree<'_>) -> Crc32c {
    let joiner = CrcJoiner::new();
    tree.buckets.iter().fold(Crc32c::default(), |crc, bucket| {
        joiner.join(
            crc.followed_by(&bucket.name),
            tree.checksum(bucket, &joiner),
        )
    })
}

fn learn_small_buckets(tree: &Tree<'_>, snapshot: &mut Snapshot) {
    let entries = |name: &[u8]| {
        tree.bucket(name)
            .and_then(|bucket| tree.entries(bucket))
            .unwrap_or_default()
    };
    let meta = entries(b"meta");
    snapshot.compact_revision = buckets::compaction(&meta).revision();
    snapshot.storage_version = buckets::version_text(&meta, b"storageVersion");
    snapshot.cluster_version = buckets::version_text(&entries(b"cluster"), b"clusterVersion");
    let (members, undecodable) = buckets::members(&entries(b"members"));
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
    snapshot.findings.extend(
        buckets::alarms(&entries(b"alarm"))
            .iter()
            .map(findings::alarm),
    );
}

/// Replays the history of all keys and takes what was wanted out of the live pages.
fn learn_keyspace(tree: &Tree<'_>, keyspace: Keyspace, snapshot: &mut Snapshot) -> Sealed {
    let Some(bucket) = tree.bucket(b"key") else {
        return Sealed::default();
    };
    let history = History::replay(tree, bucket, &keyspace);
    let Keyspace {
        classes,
        wanted,
        samples,
        ..
    } = keyspace;
    snapshot.findings.extend(findings::records(
        &history.replay,
        &history.defective,
        &history.foreign_pages,
    ));
    let live = history.replay.live_by_class(classes.len());
    snapshot.flavour = classes.flavour(&live);
    snapshot.encryption = classes.encryption(&live);
    snapshot.newest_lease_at = instant(history.times.lease_seconds);
    snapshot.newest_content_at = instant(history.times.content_seconds);
    if bucket.is_complete {
        snapshot.live_keys = Some(history.replay.live_keys());
        // An empty keyspace is at revision 0, as `snapshot status` prints it.
        snapshot.status.revision = Some(history.replay.last().map_or(0, |last| last.main));
    }
    let mut sealed = Sealed::default();
    for (class, samples) in samples {
        let live = samples
            .into_iter()
            .filter(|sample| history.is_live(sample.key_hash, sample.main, &sample.pages))
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
            .find(|version| history.is_live(key_hash, version.main, &version.pages));
        if let Some(version) = live {
            sort_out(key, version, snapshot, &mut sealed);
        }
    }
    sealed
}

/// A wanted value that is alive goes where it is needed.
fn sort_out(key: Vec<u8>, version: Version, snapshot: &mut Snapshot, sealed: &mut Sealed) {
    let is_sealed = Encoding::of(&version.value) == Encoding::Encrypted;
    match Keyspace::purpose_of(&key) {
        Some(Purpose::Cluster) => snapshot.cluster.learn(&key, &version.value),
        Some(Purpose::Certificate) if !is_sealed => snapshot
            .certificates
            .extend(secret_certificates(&key, &version.value)),
        Some(purpose) => {
            let value = SealedValue {
                storage_key: key,
                resource: "secrets".to_owned(),
                value: version.value.to_vec(),
            };
            match purpose {
                Purpose::EncryptionConfig => sealed.encryption_configs.push(value),
                _ => sealed.certificates.push(value),
            }
        }
        None => {}
    }
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

/// The replayed history of bucket `key`.
struct History {
    replay: Replay,
    times: PageTimes,
    /// Pages that hold a wanted value or a sample, and are alive.
    live_pages: HashSet<u64>,
    /// Entries on live pages that are wrong by themselves.
    defective: Vec<DefectiveEntry>,
    /// Live pages on which nothing looks like an entry of bucket `key`, and their number of elements.
    foreign_pages: Vec<(Pgid, u16)>,
}

impl History {
    fn replay(tree: &Tree<'_>, bucket: &Bucket<'_>, keyspace: &Keyspace) -> Self {
        let meta = tree
            .bucket(b"meta")
            .and_then(|meta| tree.entries(meta))
            .unwrap_or_default();
        let sample_pages = keyspace
            .samples
            .values()
            .flatten()
            .flat_map(|sample| sample.pages.iter().copied());
        let defective_pages = keyspace.defective.iter().map(|entry| entry.page.0);
        let wanted: HashSet<u64> = keyspace
            .wanted
            .pages()
            .chain(sample_pages)
            .chain(defective_pages)
            .collect();
        let mut history = Self {
            replay: Replay::new(buckets::compaction(&meta)),
            times: PageTimes::default(),
            live_pages: HashSet::new(),
            defective: Vec::new(),
            foreign_pages: Vec::new(),
        };
        history.inline_entries(tree, bucket);
        for leaf in tree.leaves(bucket) {
            if wanted.contains(&leaf.page.0) {
                history.live_pages.insert(leaf.page.0);
            }
            if leaf.tag == NO_TRAIL {
                if leaf.count > 0 {
                    history.foreign_pages.push((leaf.page, leaf.count));
                }
                continue;
            }
            let page = keyspace.trail.page(leaf.tag - 1, leaf.count);
            history.times.lease_seconds = history.times.lease_seconds.max(page.times.lease_seconds);
            history.times.content_seconds = history
                .times
                .content_seconds
                .max(page.times.content_seconds);
            page.for_each(|entry| history.replay.entry(leaf.page, &entry));
        }
        let is_live = |entry: &&DefectiveEntry| history.live_pages.contains(&entry.page.0);
        history.defective = keyspace.defective.iter().filter(is_live).copied().collect();
        history
    }

    /// The bucket of an etcd that has stored next to nothing is inline.
    fn inline_entries(&mut self, tree: &Tree<'_>, bucket: &Bucket<'_>) {
        if tree.leaves(bucket).next().is_some() {
            return;
        }
        let mut keyspace = Keyspace::default();
        let page = Pgid(0);
        let elements = tree.entries(bucket).unwrap_or_default();
        let observation = crate::bbolt::scan::LeafObserver::leaf(&mut keyspace, page, &elements);
        let count = u16::try_from(elements.len()).unwrap_or(u16::MAX);
        if observation.tag == NO_TRAIL {
            if count > 0 {
                self.foreign_pages.push((page, count));
            }
            return;
        }
        keyspace
            .trail
            .page(observation.tag - 1, count)
            .for_each(|entry| self.replay.entry(page, &entry));
    }

    fn is_live(&self, key_hash: u64, main: i64, pages: &[u64]) -> bool {
        let is_newest = self
            .replay
            .key(key_hash)
            .is_some_and(|state| state.main == main && !state.is_tombstone);
        is_newest && pages.iter().any(|page| self.live_pages.contains(page))
    }
}
