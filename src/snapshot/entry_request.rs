//! Which entries of bucket `key` somebody wants beside the facts.

use foldhash::quality::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::Arc;

/// Which entries are kept, and of which the values.
///
/// Two readings by one request can be compared: equal values have equal digests in both.
#[derive(Clone, Debug, Default)]
pub struct EntryRequest {
    /// Keys whose entries are kept.
    pub keys: KeyFilter,
    /// Keys of these whose values are kept, too.
    pub values: KeyFilter,
    /// Keys of the others whose values are kept where they are encrypted.
    pub sealed_values: KeyFilter,
    /// Values that are marked in their entries: all that is known of those that are not kept.
    pub marked: ValueMark,
    /// How many of a key's versions.
    pub versions: Versions,
    pub(crate) hasher: RandomState,
}

impl EntryRequest {
    /// Digest of a value, as entries have it.
    pub(crate) fn digest(&self, value: &[u8]) -> u64 {
        self.hasher.hash_one(value)
    }
}

/// Tells a key from others.
pub type KeyPredicate = dyn Fn(&[u8]) -> bool + Send + Sync;

/// Tells a value, as it is stored under a key, from others.
pub type ValuePredicate = dyn Fn(&[u8], &[u8]) -> bool + Send + Sync;

/// Some of all values; by default none.
#[derive(Clone, Default)]
pub struct ValueMark(Option<Arc<ValuePredicate>>);

impl ValueMark {
    /// Values that this is true for, under their keys.
    pub fn new(is_marked: impl Fn(&[u8], &[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_marked)))
    }

    /// Is this value one of them?
    pub(super) fn has(&self, key: &[u8], value: &[u8]) -> bool {
        self.0
            .as_ref()
            .is_some_and(|is_marked| is_marked(key, value))
    }
}

impl fmt::Debug for ValueMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some" } else { "None" })
    }
}

/// Some of all keys.
#[derive(Clone, Default)]
pub enum KeyFilter {
    /// No key.
    #[default]
    None,
    /// Every key.
    All,
    /// Those that this is true for.
    Matching(Arc<KeyPredicate>),
}

/// How many versions of a key are kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Versions {
    /// The newest one, if it is no deletion.
    #[default]
    Newest,
    /// All that the snapshot holds, deletions among them.
    All,
}

impl KeyFilter {
    /// Keys that this is true for.
    pub fn matching(is_wanted: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self::Matching(Arc::new(is_wanted))
    }

    /// Is this key one of them?
    pub(super) fn has(&self, key: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Matching(is_wanted) => is_wanted(key),
        }
    }
}

impl fmt::Debug for KeyFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::All => "All",
            Self::Matching(_) => "Matching",
        })
    }
}
