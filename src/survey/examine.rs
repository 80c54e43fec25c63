//! Reads what lies at some locations, every byte of it or only what is new, and judges it.

use super::SurveyError;
use super::batch::{Batch, Kind, ToRead};
use super::examination::{Examination, Survey};
use super::file::{Looked, SnapshotRead, look};
use super::knowledge::subject_of;
use super::many_archives;
use super::news::Origin;
use super::options::{Depth, SurveyOptions};
use super::prove::{UnprovenSnapshots, prove_waiting, unproven};
use super::recorder::{PATIENCE, Recorder};
use super::search::{Todo, Walked, walk_all};
use crate::backup::{Located, Verification};
use crate::catalogue::{Catalogue, CatalogueChange, CatalogueContents};
use crate::discovery::{FoundObject, ObjectKind, walk};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::{KeyRing, Sealed};
use crate::monitor::Monitor;
use crate::names::NameKind;
use crate::parallel;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Snapshots read before their keys are tried: what must be held in memory for that is some 50 KiB each.
pub(super) const SNAPSHOTS_IN_MEMORY: usize = 64;

/// Verifications that are remembered at once.
const AT_ONCE: usize = 1000;

/// Surveys some locations. What is learnt of a file is in the catalogue soon after it has been read.
///
/// [`Depth::Everything`] answers even when the catalogue cannot be used: see [`Survey::catalogue`].
///
/// # Errors
///
/// `monitor` asked to stop; for [`Depth::New`] also: the catalogue cannot be read or written.
pub fn examine(
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    examine_from(Origin::Named, locations, catalogue, options, monitor)
}

/// Surveys single objects, and none beside them. What is gone by now is passed over.
///
/// # Errors
///
/// As [`examine`].
pub(crate) fn examine_planned(
    objects: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    examine_from(Origin::Planned, objects, catalogue, options, monitor)
}

/// The same for locations of some origin.
pub(super) fn examine_from(
    origin: Origin,
    locations: &[ObjectId],
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let locations = absolute(locations, options);
    let walks = walk_all(&locations, origin, options, monitor)?;
    examine_walked(origin, &locations, walks, catalogue, options, monitor)
}

/// The same where what lies there is listed already.
pub(super) fn examine_walked(
    origin: Origin,
    locations: &[ObjectId],
    walks: Vec<Walked>,
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let examined = examined(origin, locations, walks, catalogue, options, monitor)?;
    examined.refresh()?;
    Ok(examined.told())
}

/// The same for an answer that needs several: whoever asks has what was judged kept by [`refresh`](super::refresh) in the
/// end.
pub(super) fn examine_first(
    origin: Origin,
    locations: &[ObjectId],
    walks: Vec<Walked>,
    catalogue: &Catalogue,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let examined = examined(origin, locations, walks, catalogue, options, monitor)?;
    Ok(examined.told())
}

fn examined<'e>(
    origin: Origin,
    locations: &'e [ObjectId],
    walks: Vec<Walked>,
    catalogue: &'e Catalogue,
    options: &'e SurveyOptions,
    monitor: &'e dyn Monitor,
) -> Result<Examination<'e>, SurveyError> {
    let recorder = Recorder::new(catalogue, options.depth == Depth::Everything);
    let contents = recorder.load()?;
    if origin != Origin::Named && !catalogue.damage().told().is_empty() {
        give_up_damaged(&recorder, &contents)?;
    }
    let mut examination = Examination::new(contents, recorder, locations, options, monitor);
    let todo = examination.search(locations, walks, origin)?;
    examination.read_all(todo)?;
    examination.prove_the_rest()?;
    examination.conclude(locations, origin)?;
    Ok(examination)
}

/// The catalogue outlives the working directory.
pub(super) fn absolute(locations: &[ObjectId], options: &SurveyOptions) -> Vec<ObjectId> {
    let locations = locations.iter();
    let absolute = locations.map(|id| options.stores.resolve(&id.absolute()));
    absolute.collect()
}

/// What cannot be read of the catalogue is read again from the files, wherever they lie.
fn give_up_damaged(
    recorder: &Recorder<'_>,
    contents: &CatalogueContents,
) -> Result<(), SurveyError> {
    let damaged = contents.skipped.iter().cloned();
    let mut changes: Vec<_> = damaged.map(CatalogueChange::Damaged).collect();
    changes.push(CatalogueChange::GiveUp);
    recorder.add(changes)
}

impl Examination<'_> {
    /// Archives first: they are small, and their keys are wanted while the values of a snapshot are in memory.
    fn read_all(&mut self, mut todo: Todo) -> Result<(), SurveyError> {
        self.expect(&todo);
        let unseen = std::mem::take(&mut todo.unseen).into_iter();
        let (snapshots, archives): (Vec<ToRead>, Vec<ToRead>) =
            unseen.partition(|(object, _)| is_named_as_snapshot(object));
        self.read_archives(archives, &mut todo)?;
        self.read_and_prove(&snapshots, &mut todo)?;
        // What is something else than its name says.
        self.read_archives(Vec::new(), &mut todo)?;
        let mut snapshots = std::mem::take(&mut todo.snapshots);
        snapshots.sort_by_key(|(object, _)| std::cmp::Reverse(object.identity.size_bytes()));
        self.read_and_prove(&snapshots, &mut todo)
    }

    fn expect(&self, todo: &Todo) {
        let unseen = todo.unseen.iter().chain(&todo.snapshots);
        let files = todo
            .kuberesources
            .iter()
            .chain(&todo.archives)
            .chain(unseen.map(|(object, _)| object));
        let (count, bytes) = files.fold((0, 0), |(count, bytes), file| {
            (count + 1, bytes + file.identity.size_bytes())
        });
        self.monitor.expect(count, bytes);
    }

    fn read_archives(
        &mut self,
        mut kuberesources: Vec<ToRead>,
        todo: &mut Todo,
    ) -> Result<(), SurveyError> {
        let looked_at = std::mem::take(&mut todo.kuberesources).into_iter();
        let kind = Kind::Known(ObjectKind::Kuberesources);
        kuberesources.extend(looked_at.map(|object| (object, kind)));
        self.read_many_kuberesources(&kuberesources, todo)?;
        for object in std::mem::take(&mut todo.archives) {
            let waiting = self.read_archive(&object, None)?;
            self.prove(waiting)?;
        }
        Ok(())
    }

    /// Reads snapshots, and tries the keys of every archive that is known on what they hold.
    fn read_and_prove(&mut self, snapshots: &[ToRead], todo: &mut Todo) -> Result<(), SurveyError> {
        if snapshots.is_empty() {
            return Ok(());
        }
        // Reading a snapshot may take hours.
        self.recorder.flush()?;
        let mut archives = self.known.located_kuberesources();
        snapshots
            .chunks(SNAPSHOTS_IN_MEMORY)
            .try_for_each(|batch| self.read_batch(batch, &mut archives, todo))
    }

    /// Tries keys on snapshots that were read otherwise.
    pub(super) fn prove(&mut self, waiting: UnprovenSnapshots) -> Result<(), SurveyError> {
        if !waiting.iter().any(is_encrypted) {
            return Ok(());
        }
        let mut archives = self.known.located_kuberesources();
        self.prove_against(waiting, &mut archives)
    }

    fn prove_against(
        &mut self,
        waiting: UnprovenSnapshots,
        archives: &mut Vec<Located<Kuberesources>>,
    ) -> Result<(), SurveyError> {
        if !waiting.iter().any(is_encrypted) {
            return self.end_if_interrupted();
        }
        self.prove_with_keys_beside(&waiting)?;
        let proofs = prove_waiting(
            waiting,
            archives,
            &mut self.known,
            &mut self.rings,
            self.options,
            self.monitor,
        );
        self.end_if_interrupted()?;
        self.recorder.add(proofs)
    }

    pub(super) fn end_if_interrupted(&self) -> Result<(), SurveyError> {
        if self.monitor.is_interrupted() {
            self.recorder.flush()?;
            return Err(SurveyError::Interrupted);
        }
        Ok(())
    }

    pub(super) fn read_kuberesources(&mut self, object: &FoundObject) -> Result<(), SurveyError> {
        let archive = (object.clone(), Kind::Known(ObjectKind::Kuberesources));
        self.read_many_kuberesources(&[archive], &mut Todo::default())
    }

    pub(super) fn enter_kuberesources(
        &mut self,
        object: &FoundObject,
        facts: Kuberesources,
        ring: Option<KeyRing>,
    ) -> Result<(), SurveyError> {
        self.rings.keep(facts.sha256, ring);
        self.remember_kuberesources(object, facts)
    }

    pub(super) fn remember_kuberesources(
        &mut self,
        object: &FoundObject,
        facts: Kuberesources,
    ) -> Result<(), SurveyError> {
        let changes = many_archives::changes(object, &facts, self.now, self.stores);
        self.recorder.add(changes)?;
        self.known
            .enter_kuberesources(&object.id, object.identity.clone(), facts);
        Ok(())
    }

    /// Reads a batch of snapshots. The keys of one are tried while others are read: killed in between, what is finished
    /// is not to be read again for its keys.
    fn read_batch(
        &mut self,
        files: &[ToRead],
        archives: &mut Vec<Located<Kuberesources>>,
        todo: &mut Todo,
    ) -> Result<(), SurveyError> {
        let (recorder, recorded) = (
            Arc::clone(&self.recorder),
            std::mem::take(&mut self.recorded),
        );
        let batch = Batch {
            files,
            store: self.stores,
            options: self.options,
            recorded: &recorded,
            recorder: &recorder,
            monitor: self.monitor,
            now: self.now,
        };
        let (mut waiting, mut proven_at) = (UnprovenSnapshots::new(), Instant::now());
        let read = batch.read(&mut |done| {
            recorder.look()?;
            if let Some((object, read)) = done {
                waiting.extend(self.enter_read(object, read, todo));
            }
            // For each proof all archives are gone through.
            if proven_at.elapsed() < PATIENCE {
                return Ok(());
            }
            let proven = self.prove_against(std::mem::take(&mut waiting), archives);
            proven_at = Instant::now();
            proven
        });
        let ended = match read {
            Ok(()) => self.prove_against(waiting, archives),
            Err(error) => recorder.flush().and(Err(error)),
        };
        self.recorded = recorded;
        ended
    }

    fn enter_read(
        &mut self,
        object: &FoundObject,
        read: SnapshotRead,
        todo: &mut Todo,
    ) -> Option<(ObjectId, Snapshot, Sealed)> {
        match read {
            SnapshotRead::Facts(facts, sealed) => {
                self.count(object);
                self.known
                    .enter_snapshot(&object.id, object.identity.clone(), (*facts).clone());
                Some((object.id.clone(), *facts, sealed))
            }
            SnapshotRead::Failed { reason, offset } => {
                self.enter_unreadable(object, &reason, offset);
                self.skip(object, reason);
                None
            }
            SnapshotRead::IsNone(looked) => {
                self.sort(object.clone(), Some(looked), todo);
                None
            }
            SnapshotRead::Interrupted => None,
        }
    }

    pub(super) fn count(&mut self, object: &FoundObject) {
        self.survey.files += 1;
        self.survey.bytes += object.identity.size_bytes();
        self.read_now.insert(object.id.clone());
    }

    /// Keys that turned up after their snapshot was read: the snapshot's values must be looked at once more.
    fn prove_the_rest(&mut self) -> Result<(), SurveyError> {
        let hosted = self.unproven_hosted();
        let ids = unproven(&self.known).into_iter().chain(hosted);
        let unread = ids.filter(|id| !self.read_now.contains(id));
        let (packed, bare): (Vec<ObjectId>, Vec<ObjectId>) =
            unread.partition(|id| id.archive().is_some());
        self.prove_packed(&packed.into_iter().collect())?;
        let bare: BTreeSet<ObjectId> = bare.into_iter().collect();
        let read = self.recorded.read_beside(&bare, self.stores, self.monitor);
        read.ok_or(SurveyError::Interrupted)?;
        let again: Vec<ToRead> = bare
            .into_iter()
            .flat_map(|id| walk(&id, self.stores, self.monitor).objects)
            .filter_map(|object| match look(&object, self.stores, true) {
                Looked::As(kind) => Some((object, Kind::Known(kind))),
                _ => None,
            })
            .collect();
        self.read_and_prove(&again, &mut Todo::default())?;
        self.recorder.flush()
    }

    /// The same for snapshots in archives: each archive is read once more, and of it no more than these.
    fn prove_packed(&mut self, wanted: &BTreeSet<ObjectId>) -> Result<(), SurveyError> {
        let archives: BTreeSet<ObjectId> = wanted.iter().map(|id| id.outermost().clone()).collect();
        for id in archives {
            for object in walk(&id, self.stores, self.monitor).objects {
                let waiting = self.read_archive(&object, Some(wanted))?;
                self.prove(waiting)?;
            }
        }
        Ok(())
    }

    /// Judges everything, keeps what was asked for, and remembers the verdicts on what was read.
    fn conclude(&mut self, locations: &[ObjectId], origin: Origin) -> Result<(), SurveyError> {
        // What small objects are shows only when they are read.
        self.sort_skipped();
        let mut backups = self.known.judged(self.options)?;
        self.survey.restore_choices = self.known.restore_choices(&backups, &self.asked);
        backups.retain(|backup| backup.each_place().any(|place| self.asked.contains(place)));
        let searched = self.searched(locations, origin, &backups);
        self.take_gone(&mut backups, locations);
        let mut changes = self.location_changes(&searched);
        changes.extend(self.clock_changes());
        // Where nothing is left nobody pruned: that is told of the location, every time.
        let is_told = searched.iter().all(|one| one.problem.is_none());
        if origin != Origin::Aside && is_told {
            changes.extend(self.gone_changes());
        } else if !is_told {
            let untold = std::mem::take(&mut self.survey.gone);
            self.survey.gone_before.extend(untold);
        }
        self.survey.locations = searched;
        self.survey.is_new_only = self.options.depth == Depth::New;
        let news = parallel::map(&backups, |backup| self.news_of(backup));
        for (backup, news) in backups.iter_mut().zip(news) {
            if let Some(news) = news {
                self.survey.news.insert(backup, news);
            }
            let is_read_now = backup
                .each_place()
                .any(|place| self.read_now.contains(place));
            let Some(subject) = subject_of(backup).filter(|_| is_read_now) else {
                continue;
            };
            let verification = Verification {
                at: self.now,
                verdict: backup.verdict,
                accepted: backup.accepted.clone(),
            };
            backup.verified_at = Some(self.now);
            backup.first_seen_at = backup.first_seen_at.or(Some(self.now));
            backup.verifications.reserve_exact(1);
            backup.verifications.push(verification.clone());
            changes.push(CatalogueChange::Verification {
                subject,
                verification,
            });
            if changes.len() >= AT_ONCE {
                self.recorder.add(std::mem::take(&mut changes))?;
            }
        }
        self.recorder.add(changes)?;
        self.recorder.flush()?;
        self.survey.backups = backups;
        self.recorder.attempt(|catalogue| {
            if origin != Origin::Named {
                catalogue.damage().mend();
            }
            Ok(())
        })
    }

    /// Keeps what was judged. Tells of what is damaged all the same.
    fn refresh(&self) -> Result<(), SurveyError> {
        self.recorder
            .attempt(|catalogue| super::refresh(catalogue, self.stores))
    }

    fn told(mut self) -> Survey {
        self.survey.catalogue_damage = self.recorder.damage().all();
        self.survey.catalogue = self.recorder.take_failure();
        self.survey
    }
}

fn is_named_as_snapshot(object: &FoundObject) -> bool {
    object
        .name
        .is_some_and(|name| name.kind == NameKind::Snapshot)
}

/// Are there keys to be tried?
fn is_encrypted((_, facts, _): &(ObjectId, Snapshot, Sealed)) -> bool {
    !facts.encryption.is_empty()
}
