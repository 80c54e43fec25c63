//! One entry of bucket `key`, reduced to what the replay of all entries asks for.

use super::revision::Revision;

/// What kind of entry it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EntryKind {
    /// A value was put.
    Put,
    /// A key was deleted.
    Tombstone,
    /// An entry without a value, as a restore with a revision bump writes once (lawful at the compaction revision).
    Bump,
    /// Not to be replayed: a defect of its own tells why.
    Defective,
}

impl EntryKind {
    /// Does it change a key?
    pub(super) fn is_change(self) -> bool {
        matches!(self, Self::Put | Self::Tombstone)
    }
}

/// One entry of bucket `key`, its key reduced to a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RevisionEntry {
    /// Its revision.
    pub(crate) revision: Revision,
    /// What it does.
    pub(crate) kind: EntryKind,
    /// Hash of the etcd key, seeded anew in each run.
    pub(crate) key_hash: u64,
    /// As stored; 0 unless [`EntryKind::Put`].
    pub(crate) create_revision: i64,
    /// As stored; 0 unless [`EntryKind::Put`].
    pub(crate) version: i64,
    /// Bytes of the value; 0 unless [`EntryKind::Put`].
    pub(crate) value_bytes: u32,
    /// What the observer calls this kind of value.
    pub(crate) class: u16,
    /// Checksum of key and value; 0 unless [`EntryKind::Put`].
    pub(crate) content: u32,
}

#[cfg(test)]
impl RevisionEntry {
    /// A change whose numbers are all different.
    pub(super) const PUT: Self = Self {
        revision: Revision { main: 900, sub: 2 },
        kind: EntryKind::Put,
        key_hash: u64::MAX,
        create_revision: 17,
        version: 40,
        value_bytes: 1000,
        class: 65_535,
        content: 0xfeed_cafe,
    };
}
