//! The keys of entries, all in one buffer that the entries share: there may be a million of them.

use crate::bytes::to_usize;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Where a key stands in the buffer.
#[derive(Clone, Copy)]
pub(super) struct KeyPlace {
    start: usize,
    length: u32,
}

/// One key behind the other.
#[derive(Default)]
pub(super) struct KeyBuffer(Vec<u8>);

impl KeyBuffer {
    /// Appends a key; `None` for one that no database could hold.
    pub(super) fn push(&mut self, key: &[u8]) -> Option<KeyPlace> {
        let length = u32::try_from(key.len()).ok()?;
        let start = self.0.len();
        self.0.extend_from_slice(key);
        Some(KeyPlace { start, length })
    }

    pub(super) fn key(&self, place: KeyPlace) -> &[u8] {
        let key = self.0.get(place.start..);
        let key = key.and_then(|rest| rest.get(..to_usize(place.length)));
        key.unwrap_or_default()
    }
}

/// A storage key.
#[derive(Clone)]
pub struct EntryKey {
    buffer: Arc<KeyBuffer>,
    place: KeyPlace,
}

impl EntryKey {
    pub(super) fn new(buffer: &Arc<KeyBuffer>, place: KeyPlace) -> Self {
        let buffer = Arc::clone(buffer);
        Self { buffer, place }
    }
}

impl Deref for EntryKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.key(self.place)
    }
}

impl fmt::Debug for EntryKey {
    /// That of an OAuth token is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryKey({} bytes)", self.len())
    }
}

impl PartialEq for EntryKey {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for EntryKey {}
