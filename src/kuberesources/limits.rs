//! How much an archive may ask of us.

use crate::source::TarLimits;

/// Bounds on one archive. A real one has some 150 members and a few hundred KiB; the largest part, CA bundles and
/// pod manifests, is bounded by what etcd stores in one object (1.5 MiB).
#[derive(Clone, Copy, Debug)]
pub struct ArchiveLimits {
    /// Members, directories included. A thousand times a real one.
    pub max_members: u64,
    /// Bytes of all members but a snapshot at the top. A real archive holds about one MiB.
    pub max_other_bytes: u64,
    /// Bytes after inflating. The archives of 4.3.0 and 4.3.1 hold the snapshot too, and etcd's quota
    /// is at most 8 GiB.
    pub max_inflated_bytes: u64,
    /// Inflated bytes for each compressed byte, looked at once more than `ratio_from_bytes` came out.
    /// Manifests and databases reach 20; deflate itself ends at 1032.
    pub max_ratio: u64,
    /// Below this many inflated bytes the ratio says nothing: a tar of small files is mostly padding.
    pub ratio_from_bytes: u64,
    /// Bytes of one member that is read into memory. The largest object that etcd stores, rounded up.
    pub max_file_bytes: u64,
    /// Bytes of all members that are read into memory.
    pub max_read_bytes: u64,
    /// Texts that are parsed. A real archive has nine.
    pub max_texts: u64,
    /// Bytes of a member's name or of its extended header. Linux allows 4,096 for a path.
    pub max_name_bytes: u64,
    /// Bytes of all that is kept of the members: names, providers, certificates. Of a real archive some 100 KiB.
    pub max_kept_bytes: usize,
    /// Longest name or address that is kept.
    pub max_text_bytes: usize,
    /// Control-plane nodes and etcd members. A real cluster has at most seven.
    pub max_nodes: usize,
    /// Providers of all resources. A real configuration has at most some fifty.
    pub max_providers: usize,
    /// Findings of one kind; a hostile archive could hold as many as members.
    pub max_findings: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            max_members: 100_000,
            max_other_bytes: 1 << 30,
            max_inflated_bytes: 9 << 30,
            max_ratio: 200,
            ratio_from_bytes: 64 << 20,
            max_file_bytes: 2 << 20,
            max_read_bytes: 64 << 20,
            max_texts: 64,
            max_name_bytes: 64 << 10,
            max_kept_bytes: 4 << 20,
            max_text_bytes: 1 << 10,
            max_nodes: 100,
            max_providers: 2000,
            max_findings: 20,
        }
    }
}

impl ArchiveLimits {
    /// The part that the walk over the tar heeds.
    pub(super) fn tar(&self) -> TarLimits {
        TarLimits {
            max_members: self.max_members,
            max_name_bytes: self.max_name_bytes,
        }
    }
}
