//! Nothing is new: what was judged last is the answer still.
//!
//! A round over a hundred thousand files that are all as they were reads no fact and judges nothing. Wherever anything is
//! another than it was, or was never finished, there is no answer from here: the whole catalogue is asked.

use super::SurveyError;
use super::completion::is_mark;
use super::examination::{Examination, Survey};
use super::news::Origin;
use super::options::SurveyOptions;
use super::recorder::Recorder;
use super::search::{Walked, is_as_recorded, put_aside};
use crate::catalogue::{Catalogue, CatalogueContents, Content, FileRecord};
use crate::discovery::Skipped;
use crate::monitor::Monitor;
use crate::overview::{Looks, Question, Sight};
use crate::selection::{Candidate as _, Scope, Selection, Summary};
use crate::source::{ObjectId, Store as _};
use std::collections::BTreeSet;

/// What came of looking for what is new.
#[derive(Debug)]
pub enum Indexed {
    /// Something was, or not all of it was known.
    Whole(Box<Survey>),
    /// Nothing was.
    Unchanged(Unchanged),
}

/// Every file is as it was, and so is what is known of them.
#[derive(Clone, Debug)]
pub struct Unchanged {
    /// The backups at the locations.
    pub backups: Vec<Summary>,
    /// Files that were met.
    pub files: u64,
    /// What was not looked into, ascending by path.
    pub skipped: Vec<Skipped>,
}

impl Unchanged {
    /// Backups that come to something else by now than when they were verified.
    pub fn changed(&self) -> impl Iterator<Item = &Summary> {
        self.backups.iter().filter(|backup| is_changed(backup))
    }
}

/// It comes to something else by now than when it was verified.
pub fn is_changed(backup: &Summary) -> bool {
    let before = backup.verified_as;
    before.is_some_and(|before| before != backup.verdict())
}

/// What is known, where nothing is new; `None` where the whole catalogue is to be asked.
pub(super) fn unchanged(
    origin: Origin,
    locations: &[ObjectId],
    walks: &[Walked],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Option<Unchanged>, SurveyError> {
    if options.shard.is_some() || walks.iter().any(|one| one.is_file) {
        return Ok(None);
    }
    let Some((sight, contents)) = remembered(locations, walks, catalogue, options)? else {
        return Ok(None);
    };
    let recorder = Recorder::new(catalogue, false);
    let mut examination = Examination::new(contents, recorder, locations, options, monitor);
    let todo = examination.search(locations, walks.to_vec(), origin)?;
    if !todo.is_empty() || !examination.has_nothing_new(locations, &sight) {
        return Ok(None);
    }
    // What is gone was told when it went.
    let is_there = |backup: &Summary| {
        let halves = backup.halves;
        halves.snapshot.or(halves.kuberesources) != Some(false)
    };
    let mut backups = sight.into_summaries();
    backups.retain(is_there);
    Ok(Some(Unchanged {
        backups,
        files: examination.survey.unchanged,
        skipped: examination.survey.skipped,
    }))
}

/// What was judged last, and the files that it was judged by, where these are all that lies there. What costs least is asked
/// first: mostly something is new.
fn remembered(
    locations: &[ObjectId],
    walks: &[Walked],
    catalogue: &Catalogue,
    options: &SurveyOptions,
) -> Result<Option<(Sight, CatalogueContents)>, SurveyError> {
    let reader = catalogue.reader()?;
    let contents = reader.files_alone()?;
    if !contents.skipped.is_empty() || !knows_all(&contents, walks) {
        return Ok(None);
    }
    let everything = Selection {
        scope: Scope::All,
        ..Selection::default()
    };
    let question = Question {
        selection: &everything,
        as_of: options.as_of,
        accept: &options.accept,
        looks: Looks::All,
        stores: &options.stores,
    };
    let sight = Sight::of(&reader, &question)?;
    let sight = sight.filter(|sight| sight.is_settled() && sight.lies_within(locations));
    let Some(sight) = sight else {
        return Ok(None);
    };
    // What is damaged is mended by reading it again.
    reader.look_at_all()?;
    let is_sound = catalogue.damage().told().is_empty();
    Ok(is_sound.then_some((sight, contents)))
}

/// Does the catalogue know all that lies there, as it is?
fn knows_all(contents: &CatalogueContents, walks: &[Walked]) -> bool {
    let mut objects = walks.iter().flat_map(|one| &one.walked.objects);
    objects.all(|object| is_as_recorded(object, contents) || put_aside(object).is_some())
}

impl Examination<'_> {
    /// Is all that a survey would remember remembered, and what was judged of the same files?
    fn has_nothing_new(&self, locations: &[ObjectId], sight: &Sight) -> bool {
        self.absent() == sight.absent()
            && !self.has_untold()
            && locations.iter().all(|id| self.is_sound(id))
            && self.clock_changes().is_empty()
    }

    /// The files of backups that are gone.
    fn absent(&self) -> BTreeSet<ObjectId> {
        let files = self.known.files.iter();
        let absent = files.filter(|(_, file)| {
            !file.is_present && !file.content.is_foreign() && file.content != Content::Archive
        });
        absent.map(|(id, _)| id.clone()).collect()
    }

    /// Something went, or came back, and was not told.
    fn has_untold(&self) -> bool {
        let is_untold = |(id, record): (&ObjectId, &FileRecord)| {
            let file = self.known.files.get(id);
            let is_present = file.is_some_and(|file| file.is_present);
            let is_missed = !record.content.is_foreign() || is_mark(id);
            (is_missed || is_present) && record.gone_at.is_some() == is_present
        };
        self.known.contents.files.iter().any(is_untold)
    }

    /// Backups lie there, on what they lay on before.
    fn is_sound(&self, location: &ObjectId) -> bool {
        let record = self.known.contents.locations.get(location);
        let before = record.and_then(|record| record.file_system);
        let mut files = self.known.files.iter();
        let is_half =
            |content: &Content| matches!(content, Content::Snapshot(_) | Content::Kuberesources(_));
        record.is_some()
            && before == self.stores.file_system(location)
            && files.any(|(id, file)| {
                file.is_present && is_half(&file.content) && location.contains(id)
            })
    }
}
