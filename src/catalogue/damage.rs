//! What in a catalogue is not as it was written: collected while it is read, so that it can be told with the answer.

use super::contents::SkippedRecord;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Damage that a run came upon. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct CatalogueDamage(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    open: BTreeSet<String>,
    mended: BTreeSet<String>,
}

impl CatalogueDamage {
    /// What is damaged still, one line each.
    pub fn told(&self) -> Vec<String> {
        self.found().open.iter().cloned().collect()
    }

    /// What was damaged, and is no longer: what files tell was read again from them.
    pub fn mended(&self) -> Vec<String> {
        self.found().mended.iter().cloned().collect()
    }

    /// All of it, mended or not.
    pub(crate) fn all(&self) -> Vec<String> {
        let found = self.found();
        found.open.union(&found.mended).cloned().collect()
    }

    /// Adds something.
    pub(crate) fn tell(&self, what: impl Into<String>) {
        self.found().open.insert(what.into());
    }

    /// Adds a record that is of no use.
    pub(super) fn tell_record(&self, record: &SkippedRecord) {
        self.tell(format!(
            "{} {}: {}",
            record.table, record.key, record.reason
        ));
    }

    /// Says that all of it has been read again.
    pub(crate) fn mend(&self) {
        let mut found = self.found();
        let mut open = std::mem::take(&mut found.open);
        found.mended.append(&mut open);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
