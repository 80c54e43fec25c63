//! What the catalogue knows beyond the files that were met: partners that lie elsewhere, and files that are gone.

use super::SurveyError;
use super::abreast::{AT_A_TIME, abreast};
use super::examination::Examination;
use super::passed_over::Met;
use crate::catalogue::FileRecord;
use crate::source::{ObjectId, ObjectIdentity, Store as _};
use std::collections::{BTreeSet, HashSet};

/// What listings have shown.
pub(super) struct Listed<'m> {
    pub(super) met: &'m Met,
    /// Left to others.
    pub(super) of_others: &'m Met,
}

impl Listed<'_> {
    fn identity(&self, id: &ObjectId) -> Option<&ObjectIdentity> {
        let found = self.met.get(id).or_else(|| self.of_others.get(id));
        found.map(|(object, _)| &object.identity)
    }
}

impl Examination<'_> {
    /// Enters it.
    pub(super) fn remembered_elsewhere(
        &mut self,
        locations: &[ObjectId],
        listed: &Listed<'_>,
    ) -> Result<(), SurveyError> {
        let here: HashSet<&ObjectId, foldhash::quality::RandomState> = listed.met.keys().collect();
        let records: Vec<(ObjectId, FileRecord)> = self
            .known
            .contents
            .files
            .iter()
            .filter(|(id, _)| !here.contains(*id))
            .map(|(id, record)| (id.clone(), record.clone()))
            .collect();
        let found = self.look_elsewhere(&records, locations, listed)?;
        for ((id, record), found) in records.into_iter().zip(found) {
            let is_asked = locations.iter().any(|location| location.contains(&id));
            let is_unchanged = found.as_ref() == Some(&record.identity);
            if is_unchanged || (is_asked && found.is_none()) {
                self.known.enter_known(&id, &record, is_unchanged);
                if is_asked {
                    self.asked.insert(id);
                }
            }
        }
        Ok(())
    }

    /// What each looks like now. In a bucket nothing is asked of what a listing has shown, or would have.
    fn look_elsewhere(
        &self,
        records: &[(ObjectId, FileRecord)],
        locations: &[ObjectId],
        listed: &Listed<'_>,
    ) -> Result<Vec<Option<ObjectIdentity>>, SurveyError> {
        let left_out: BTreeSet<&ObjectId> = self.survey.skipped.iter().map(|one| &one.id).collect();
        let is_far = |(id, _): &(ObjectId, FileRecord)| !self.stores.is_near(id);
        let look = |one: &(ObjectId, FileRecord)| {
            let (id, record) = one;
            let outermost = id.outermost();
            let is_told_of = |id| self.met.contains(id) || left_out.contains(id);
            let mut asked = locations.iter().filter(|location| location.contains(id));
            if !is_far(one) {
                return self.stores.stat(id).ok();
            }
            match listed.identity(outermost) {
                Some(identity) => Some(identity.clone()),
                None if asked.clone().next().is_none() => Some(record.identity.clone()),
                None if !is_told_of(outermost) && asked.any(|one| !left_out.contains(one)) => None,
                None => self.stores.stat(id).ok(),
            }
        };
        let threads = if records.iter().any(is_far) {
            AT_A_TIME
        } else {
            1
        };
        let found = abreast(records, threads, self.monitor, look);
        found.ok_or(SurveyError::Interrupted)
    }
}
