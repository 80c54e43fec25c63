//! From members to facts: what each file tells, and which files there are.

use super::file_facts::FileFacts;
use super::interest::Interest;
use super::keeping::Keeping;
use super::limits::ArchiveLimits;
use super::member::MemberPlace;
use super::pod;
use crate::digest::Sha256Digest;
use crate::finding::Finding;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one revision directory.
#[derive(Debug, Default)]
pub(super) struct RevisionDirectory {
    pub(super) has_manifest: bool,
}

/// A file by the place where it is unpacked, however its name is spelt: of a name only the digest, for a few packed bytes
/// stand for a thousand names of 64 KiB.
type FilePlace = (&'static str, i64, Sha256Digest);

/// Facts as they come in.
#[derive(Debug)]
pub(super) struct Collector {
    keeping: Keeping,
    pub(super) directories: BTreeMap<&'static str, BTreeMap<i64, RevisionDirectory>>,
    pub(super) is_below_root: bool,
    pub(super) has_dot: bool,
    /// A `snapshot.db` at the top: an archive of 4.3.0 or 4.3.1, where one file was the whole backup.
    pub(super) has_snapshot: bool,
    /// What each file tells, in the order of the archive; nothing for those that a later member replaces.
    files: Vec<Option<FileFacts>>,
    /// Where in `files` a place is.
    latest: BTreeMap<FilePlace, usize>,
    /// Nodes that the names of certificates tell.
    named_nodes: BTreeSet<String>,
}

impl Collector {
    pub(super) fn new(limits: ArchiveLimits) -> Self {
        Self {
            keeping: Keeping::new(limits),
            directories: BTreeMap::new(),
            is_below_root: false,
            has_dot: false,
            has_snapshot: false,
            files: Vec::new(),
            latest: BTreeMap::new(),
            named_nodes: BTreeSet::new(),
        }
    }

    /// What is to be said when not everything was kept. Nothing more is to be collected.
    pub(super) fn finding(&mut self) -> Option<Finding> {
        self.keeping.finding()
    }

    /// Notes that a component's directory, or something in it, is there.
    ///
    /// A member that comes again replaces what was there, as it does when the archive is unpacked.
    pub(super) fn see(&mut self, place: &MemberPlace<'_>) {
        self.has_dot |= place.has_dot;
        self.directories
            .entry(place.component)
            .or_default()
            .entry(place.revision)
            .or_default();
        // The names of certificates tell the nodes even where their content is damaged.
        if let [
            "secrets",
            "etcd-all-certs" | "etcd-all-serving" | "etcd-all-peer",
            file,
        ] = place.rest.as_slice()
        {
            let peer = pod::node_of_certificate(file, "etcd-peer-");
            let node = peer.or_else(|| pod::node_of_certificate(file, "etcd-serving-"));
            self.keep_node(node);
        }
        let replaced = self.latest.remove(&file_place(place));
        if let Some(file) = replaced.and_then(|index| self.files.get_mut(index)) {
            *file = None;
        }
    }

    /// Reads one whole file, and keeps what it tells until it is known that no later one replaces it. `path` is its name
    /// as it may be shown.
    pub(super) fn take(
        &mut self,
        path: &str,
        place: &MemberPlace<'_>,
        interest: Interest,
        data: &[u8],
    ) {
        let facts = FileFacts::of(path, place, interest, data, &mut self.keeping);
        self.latest.insert(file_place(place), self.files.len());
        self.files.push(Some(facts));
    }

    /// What all files tell, once there are no more.
    pub(super) fn settle(&mut self) -> FileFacts {
        let mut told = FileFacts {
            control_plane_nodes: std::mem::take(&mut self.named_nodes),
            ..FileFacts::default()
        };
        for facts in std::mem::take(&mut self.files).into_iter().flatten() {
            told.add(facts);
        }
        for (component, revision) in &told.manifests {
            let directories = self.directories.entry(component).or_default();
            directories.entry(*revision).or_default().has_manifest = true;
        }
        told.cut(&mut self.keeping);
        told
    }

    fn keep_node(&mut self, node: Option<String>) {
        if let Some(node) = node
            && !self.named_nodes.contains(&node)
            && self.keeping.node(self.named_nodes.len(), &node)
        {
            self.named_nodes.insert(node);
        }
    }

    /// Revision by component: of several, the highest one that has a manifest.
    pub(super) fn revisions(&self) -> BTreeMap<String, i64> {
        let newest = |directories: &BTreeMap<i64, RevisionDirectory>| {
            let with_manifest = directories
                .iter()
                .rev()
                .find(|(_, directory)| directory.has_manifest);
            with_manifest
                .or_else(|| directories.iter().next_back())
                .map(|(revision, _)| *revision)
        };
        let pairs = self
            .directories
            .iter()
            .map(|(component, found)| Some(((*component).to_owned(), newest(found)?)));
        pairs.flatten().collect()
    }
}

fn file_place(place: &MemberPlace<'_>) -> FilePlace {
    let mut names = Sha256::new();
    for name in &place.rest {
        names.update(name);
        names.update("/");
    }
    let names = Sha256Digest(names.finalize().into());
    (place.component, place.revision, names)
}
