//! Holds what an examination found against what was known before: new, changed or gone, location by location.

use super::arrival;
use super::completion::is_mark;
use super::examination::Examination;
use super::news::{LocationProblem, News, Origin, SearchedLocation};
use crate::backup::Backup;
use crate::catalogue::{CatalogueChange, LocationRecord};
use crate::source::{ObjectId, ObjectIdentity, Store as _};

impl Examination<'_> {
    /// What is new in a backup, before this survey is remembered.
    pub(super) fn news_of(&self, backup: &Backup) -> Option<News> {
        let is_known = |place: &ObjectId| self.is_known_content(place);
        if !backup.each_place().any(is_known) {
            let mut places = backup.each_place();
            let is_read = places.any(|place| self.read_now.contains(place));
            return is_read.then_some(News::New);
        }
        let before = backup.verifications.last().map(|last| last.verdict);
        let is_other_verdict = before.is_some_and(|before| before != backup.verdict);
        let has_new_file = !backup.each_place().all(is_known);
        (is_other_verdict || has_new_file).then_some(News::Changed)
    }

    /// Did the catalogue know this place with what is there now?
    fn is_known_content(&self, place: &ObjectId) -> bool {
        let now = self.known.files.get(place).map(|entry| &entry.content);
        let before = self.known.contents.file(place).map(|file| &file.content);
        before.is_some() && before == now
    }

    /// Takes out the backups whose snapshot somebody removed, unless their own file was named.
    pub(super) fn take_gone(&mut self, backups: &mut Vec<Backup>, locations: &[ObjectId]) {
        let is_gone = |backup: &mut Backup| {
            let is_present = match (&backup.snapshot, &backup.kuberesources) {
                (Some(half), _) => half.is_present,
                (None, Some(half)) => half.is_present,
                (None, None) => true,
            };
            !is_present
                && !locations
                    .iter()
                    .any(|id| backup.each_place().any(|place| place == id))
        };
        let gone: Vec<Backup> = backups.extract_if(.., is_gone).collect();
        for backup in gone {
            let is_told = self.is_told(&backup);
            let list = if is_told {
                &mut self.survey.gone_before
            } else {
                &mut self.survey.gone
            };
            list.push(backup);
        }
    }

    fn is_told(&self, backup: &Backup) -> bool {
        let mut records = backup
            .places()
            .into_iter()
            .filter(|place| {
                self.known
                    .files
                    .get(*place)
                    .is_some_and(|one| !one.is_present)
            })
            .filter_map(|place| self.known.contents.file(place));
        records.all(|record| record.gone_at.is_some())
    }

    /// What is to be remembered of files that went or came back.
    pub(super) fn gone_changes(&self) -> Vec<CatalogueChange> {
        let missing = |place: &&ObjectId| {
            let entry = self.known.files.get(*place);
            entry.is_some_and(|entry| !entry.is_present)
        };
        let told = self.survey.gone.iter().flat_map(|backup| {
            let places = backup.places().into_iter().filter(missing).cloned();
            places.map(|path| CatalogueChange::Gone {
                path,
                at: Some(self.now),
            })
        });
        let marks = self.known.files.iter().filter(|(id, file)| {
            let record = self.known.contents.file(id);
            let is_told = record.is_none_or(|record| record.gone_at.is_some());
            is_mark(id) && !file.is_present && !is_told
        });
        let unmarked = marks.map(|(id, _)| CatalogueChange::Gone {
            path: id.clone(),
            at: Some(self.now),
        });
        let is_back = |path: &ObjectId| {
            let entry = self.known.files.get(path);
            entry.is_some_and(|entry| entry.is_present) && !self.read_now.contains(path)
        };
        let records = self.known.contents.files.iter();
        let back = records.filter(|(path, record)| record.gone_at.is_some() && is_back(path));
        let back = back.map(|(path, _)| CatalogueChange::Gone {
            path: path.clone(),
            at: None,
        });
        told.chain(unmarked).chain(back).collect()
    }

    /// What was found of each location.
    pub(super) fn searched(
        &self,
        locations: &[ObjectId],
        origin: Origin,
        backups: &[Backup],
    ) -> Vec<SearchedLocation> {
        let searched = locations.iter().map(|id| {
            let lies_here = |backup: &&Backup| backup.each_place().any(|one| id.contains(one));
            let is_there = |backup: &&Backup| {
                let mut here = backup.each_place().filter(|one| id.contains(one));
                here.any(|one| {
                    self.known
                        .files
                        .get(one)
                        .is_some_and(|file| file.is_present)
                })
            };
            let found = backups.iter().filter(is_there).count();
            let mut searched = SearchedLocation {
                id: id.clone(),
                backups: found,
                known_before: backups.iter().filter(lies_here).count(),
                files: self.met.iter().filter(|one| id.contains(one)).count(),
                problem: None,
                file_system: self.stores.file_system(id),
            };
            searched.problem = self.problem(&searched, origin);
            searched
        });
        searched.collect()
    }

    fn problem(&self, searched: &SearchedLocation, origin: Origin) -> Option<LocationProblem> {
        let is_other = self.is_other_file_system(searched);
        if searched.backups > 0 {
            // Who names a place where backups lie means that place, whatever is mounted there.
            let is_meant = origin == Origin::Named;
            return (is_other && !is_meant).then_some(LocationProblem::OtherFileSystem);
        }
        let path = searched.id.as_path();
        let mut skipped = self.survey.skipped.iter();
        let is_refused = skipped.any(|one| one.id == searched.id && one.is_error);
        Some(match searched.files {
            _ if path.is_some_and(|path| !path.exists()) => LocationProblem::Missing,
            _ if is_other => LocationProblem::OtherFileSystem,
            0 if is_refused => LocationProblem::Unreadable,
            0 => LocationProblem::Empty,
            _ => LocationProblem::OnlyForeign,
        })
    }

    fn is_other_file_system(&self, searched: &SearchedLocation) -> bool {
        let record: Option<&LocationRecord> = self.known.contents.locations.get(&searched.id);
        let before = record.and_then(|record| record.file_system);
        let is_other = before
            .zip(searched.file_system)
            .is_some_and(|(before, now)| now.is_other_than(&before));
        // Numbers of file systems are not for ever; files that are as they were prove that it is the same.
        is_other
            && !self
                .met
                .iter()
                .any(|id| searched.id.contains(id) && self.is_as_it_was(id))
    }

    /// Known from a device of another number. What was read on this one since proves nothing.
    fn is_as_it_was(&self, id: &ObjectId) -> bool {
        let before = self.known.contents.file(id);
        let before = before.filter(|file| !file.content.is_foreign());
        let now = self.known.files.get(id);
        match before
            .zip(now)
            .map(|(before, now)| (&before.identity, &now.identity))
        {
            Some((ObjectIdentity::File(before), ObjectIdentity::File(now))) => {
                before.device != now.device && before.is_same_on_another_device(now)
            }
            _ => false,
        }
    }

    /// What is to be remembered of clocks that were set right.
    pub(super) fn clock_changes(&self) -> Vec<CatalogueChange> {
        let known = &self.known;
        arrival::clock_changes(&known.files, &known.contents, self.stores, self.now)
    }

    /// What is to be remembered of the file systems below the locations.
    pub(super) fn location_changes(&self, searched: &[SearchedLocation]) -> Vec<CatalogueChange> {
        let sound = searched
            .iter()
            .filter(|one| one.backups > 0 && one.problem.is_none() && one.file_system.is_some());
        let remembered = sound.filter(|one| self.known.contents.locations.contains_key(&one.id));
        let changes = remembered.map(|one| CatalogueChange::Location {
            path: one.id.clone(),
            first_seen_at: self.now,
            file_system: one.file_system,
        });
        changes.collect()
    }
}
