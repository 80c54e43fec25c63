//! Remembers what is finished, soon but not one by one: opening the catalogue costs milliseconds.

use super::SurveyError;
use crate::catalogue::{Catalogue, Change};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Finished work waits for others at most this long.
const PATIENCE: Duration = Duration::from_millis(200);

/// Collects changes and commits them in batches.
pub(super) struct Recorder<'c> {
    catalogue: &'c Catalogue,
    waiting: Mutex<(Vec<Change>, Instant)>,
}

impl<'c> Recorder<'c> {
    pub(super) fn new(catalogue: &'c Catalogue) -> Self {
        Self {
            catalogue,
            waiting: Mutex::new((Vec::new(), Instant::now())),
        }
    }

    /// Where it is remembered.
    pub(super) fn catalogue(&self) -> &'c Catalogue {
        self.catalogue
    }

    /// Takes finished work; commits all that waits when the last commit is long enough ago.
    pub(super) fn add(&self, changes: Vec<Change>) -> Result<(), SurveyError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0.extend(changes);
        if waiting.1.elapsed() < PATIENCE {
            return Ok(());
        }
        let due = std::mem::take(&mut waiting.0);
        let committed = self.commit(due);
        waiting.1 = Instant::now();
        committed
    }

    /// Commits all that waits.
    pub(super) fn flush(&self) -> Result<(), SurveyError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let due = std::mem::take(&mut waiting.0);
        self.commit(due)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), SurveyError> {
        if changes.is_empty() {
            return Ok(());
        }
        Ok(self.catalogue.record(changes)?)
    }
}
