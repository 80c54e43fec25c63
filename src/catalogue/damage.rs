//! What in a catalogue is not as it was written: collected while it is read, so that it can be told with the answer.

use super::contents::SkippedRecord;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Damage that a run came upon. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct CatalogueDamage(Arc<Mutex<BTreeSet<String>>>);

impl CatalogueDamage {
    /// Everything so far, one line each.
    pub fn told(&self) -> Vec<String> {
        self.lines().iter().cloned().collect()
    }

    /// Adds something.
    pub(crate) fn tell(&self, what: impl Into<String>) {
        self.lines().insert(what.into());
    }

    /// Adds a record that is of no use.
    pub(super) fn tell_record(&self, record: &SkippedRecord) {
        self.tell(format!(
            "{} {}: {}",
            record.table, record.key, record.reason
        ));
    }

    fn lines(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
