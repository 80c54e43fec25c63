//! Remembers what is finished, soon but not one by one: opening the catalogue costs milliseconds.

use super::SurveyError;
use crate::catalogue::{
    Catalogue, CatalogueChange, CatalogueContents, CatalogueDamage, CatalogueError,
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Finished work waits for others at most this long, as long as somebody looks.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// Collects changes and commits them in batches.
pub(super) struct Recorder<'c> {
    catalogue: &'c Catalogue,
    /// The answer is of use without being remembered: after the first failure the catalogue is left alone.
    is_dispensable: bool,
    waiting: Mutex<Uncommitted>,
}

struct Uncommitted {
    changes: Vec<CatalogueChange>,
    committed_at: Instant,
    failure: Option<CatalogueError>,
}

impl<'c> Recorder<'c> {
    pub(super) fn new(catalogue: &'c Catalogue, is_dispensable: bool) -> Self {
        Self {
            catalogue,
            is_dispensable,
            waiting: Mutex::new(Uncommitted {
                changes: Vec::new(),
                committed_at: Instant::now(),
                failure: None,
            }),
        }
    }

    /// What is remembered so far.
    pub(super) fn load(&self) -> Result<CatalogueContents, SurveyError> {
        let loaded = self.catalogue.load().map_err(SurveyError::from);
        self.tolerate(&mut self.waiting(), loaded)
    }

    /// Takes finished work; commits all that waits when the last commit is long enough ago.
    pub(super) fn add(&self, changes: Vec<CatalogueChange>) -> Result<(), SurveyError> {
        let mut waiting = self.waiting();
        waiting.changes.extend(changes);
        if waiting.committed_at.elapsed() < PATIENCE {
            return Ok(());
        }
        let committed = self.commit(&mut waiting);
        waiting.committed_at = Instant::now();
        committed
    }

    /// Commits what has waited long enough: nothing else may be finished for hours.
    pub(super) fn look(&self) -> Result<(), SurveyError> {
        self.add(Vec::new())
    }

    /// Commits all that waits.
    pub(super) fn flush(&self) -> Result<(), SurveyError> {
        self.commit(&mut self.waiting())
    }

    /// Does something with the catalogue, unless it has failed before.
    pub(super) fn attempt(
        &self,
        work: impl FnOnce(&Catalogue) -> Result<(), SurveyError>,
    ) -> Result<(), SurveyError> {
        let mut waiting = self.waiting();
        if waiting.failure.is_some() {
            return Ok(());
        }
        self.tolerate(&mut waiting, work(self.catalogue))
    }

    /// What of the catalogue was not as it was written.
    pub(super) fn damage(&self) -> &CatalogueDamage {
        self.catalogue.damage()
    }

    /// What kept it from being remembered.
    pub(super) fn take_failure(&self) -> Option<CatalogueError> {
        self.waiting().failure.take()
    }

    fn waiting(&self) -> MutexGuard<'_, Uncommitted> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, waiting: &mut Uncommitted) -> Result<(), SurveyError> {
        let changes = std::mem::take(&mut waiting.changes);
        if changes.is_empty() || waiting.failure.is_some() {
            return Ok(());
        }
        let recorded = self.catalogue.record(changes).map_err(SurveyError::from);
        self.tolerate(waiting, recorded)
    }

    fn tolerate<T: Default>(
        &self,
        waiting: &mut Uncommitted,
        result: Result<T, SurveyError>,
    ) -> Result<T, SurveyError> {
        match result {
            Err(SurveyError::Catalogue(error)) if self.is_dispensable => {
                waiting.failure = Some(error);
                Ok(T::default())
            }
            result => result,
        }
    }
}
