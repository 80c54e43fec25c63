//! Finds what is to be read: walks the locations, tells known files from new ones, and looks for partners.

use super::SurveyError;
use super::abreast::{AT_A_TIME, abreast};
use super::batch::{Kind, ToRead};
use super::elsewhere::Listed;
use super::examination::{Examination, file_change};
use super::file::{Looked, is_small, look, unreadable};
use super::news::Origin;
use super::options::{Depth, SurveyOptions};
use super::passed_over::Met;
use super::recorded::RecordedChecksums;
use crate::catalogue::{CatalogueContents, Content};
use crate::discovery::{
    FoundObject, ObjectKind, Shard, Skipped, SkippedKind, Walk, groups, walk, walk_beside,
};
use crate::foreign::product;
use crate::monitor::Monitor;
use crate::names::{BackupName, NameKind, PutAside};
use crate::source::{InArchive, ObjectId, ObjectSet, Store as _};

/// Objects that are looked at before what was seen of them is taken in: as many are in memory at a time.
const LOOKED_AT: usize = 256;

/// Files to read, by what they are.
#[derive(Default)]
pub(super) struct Todo {
    /// Small ones in buckets: what they are shows when they are read.
    pub(super) unseen: Vec<ToRead>,
    pub(super) kuberesources: Vec<FoundObject>,
    /// Packed directories.
    pub(super) archives: Vec<FoundObject>,
    pub(super) snapshots: Vec<ToRead>,
}

impl Todo {
    fn push_snapshot(&mut self, object: FoundObject, kind: ObjectKind) {
        self.snapshots.push((object, Kind::Known(kind)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unseen.is_empty()
            && self.kuberesources.is_empty()
            && self.archives.is_empty()
            && self.snapshots.is_empty()
    }
}

/// What lies at a location.
#[derive(Clone)]
pub(super) struct Walked {
    /// It is no directory.
    pub(super) is_file: bool,
    pub(super) walked: Walk,
    /// What lies beside it, if it is a file.
    beside: Vec<FoundObject>,
}

/// Walks all of them: several at a time where that asks over a network.
pub(super) fn walk_all(
    locations: &[ObjectId],
    origin: Origin,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<Walked>, SurveyError> {
    let stores = &options.stores;
    let is_far = |location: &ObjectId| !stores.is_near(location);
    let threads = if locations.iter().any(is_far) {
        AT_A_TIME
    } else {
        1
    };
    let walks = abreast(locations, threads, monitor, |location| {
        let is_packed = location.archive().is_some();
        let walked = walk(location, stores, monitor);
        // A store may have an object by the name of what is a directory to everybody.
        let has_others = walked.objects.iter().any(|object| object.id != *location);
        let is_file = origin != Origin::Planned
            && (is_packed || !has_others)
            && stores.stat(location).is_ok();
        let beside = if is_file && !is_packed && !walked.is_interrupted {
            walk_beside(location, stores, monitor).objects
        } else {
            Vec::new()
        };
        Walked {
            is_file,
            walked,
            beside,
        }
    });
    let walks = walks.filter(|all| all.iter().all(|one| !one.walked.is_interrupted));
    walks.ok_or(SurveyError::Interrupted)
}

impl Examination<'_> {
    /// Sorts what lies at the locations.
    pub(super) fn search(
        &mut self,
        locations: &[ObjectId],
        walks: Vec<Walked>,
        origin: Origin,
    ) -> Result<Todo, SurveyError> {
        let mut todo = Todo::default();
        let mut met = Met::new();
        let mut neighbours = Vec::new();
        for (location, found) in locations.iter().zip(walks) {
            let Walked {
                is_file,
                walked,
                beside,
            } = found;
            neighbours.extend(beside);
            let objects = self
                .take_walked(location, walked, is_file, origin)
                .into_iter();
            let found = objects.map(|object| (object.id.clone(), (object, is_file)));
            // A map is made of many at once in a fraction of the time.
            met.append(&mut found.collect());
        }
        self.met = met.keys().cloned().collect();
        let of_others = match self.options.shard {
            Some(shard) => self.keep_shard(shard, &mut met),
            None => Met::new(),
        };
        self.pass_over_pieces(&mut met, &neighbours);
        let objects = met.values().map(|(object, _)| object).chain(&neighbours);
        let is_to_be_read = |object: &FoundObject| !self.is_passed(object);
        let recorded = RecordedChecksums::among(objects, is_to_be_read, self.stores, self.monitor);
        self.recorded = recorded.ok_or(SurveyError::Interrupted)?;
        let listed = Listed {
            met: &met,
            of_others: &of_others,
        };
        self.remembered_elsewhere(locations, &listed)?;
        self.sort_all(met, &mut todo)?;
        neighbours.retain(|object| !self.asked.contains(&object.id) && put_aside(object).is_none());
        self.sort_neighbours(neighbours, &mut todo)?;
        self.sort_skipped();
        Ok(todo)
    }

    /// Each is told once, in their order.
    pub(super) fn sort_skipped(&mut self) {
        let skipped = &mut self.survey.skipped;
        skipped.sort_by(|left, right| left.id.cmp(&right.id));
        skipped.dedup();
    }

    /// Takes in what was skipped at a location; what was found there.
    fn take_walked(
        &mut self,
        location: &ObjectId,
        mut walked: Walk,
        is_file: bool,
        origin: Origin,
    ) -> Vec<FoundObject> {
        if !is_file {
            pass_over_put_aside(&mut walked);
        }
        let is_gone = location.as_path().is_some_and(|path| !path.exists());
        for mut skipped in walked.skipped {
            if skipped.id == *location {
                // Met on the way, a pipe or a device is nothing; named by the user, it is a question without an
                // answer. A remembered location that is not there is an answer, and a bad one.
                skipped.is_error = !is_gone || origin == Origin::Named;
                if is_gone {
                    skipped.kind = SkippedKind::Missing;
                }
            }
            self.survey.skipped.push(skipped);
        }
        let found = walked.objects.iter().map(|object| object.id.clone());
        self.asked.extend(found);
        walked.objects
    }

    /// Leaves what is not of this part to others, and says what that is: it is there, and nobody asks for it here.
    fn keep_shard(&mut self, shard: Shard, met: &mut Met) -> Met {
        let objects = met.values().map(|(object, _)| object.clone()).collect();
        let own = groups(objects).into_iter().filter(|group| shard.has(group));
        let own = own.flat_map(|group| group.objects);
        let own: ObjectSet = own.map(|object| object.id).collect();
        self.asked.retain(|id| own.contains(id));
        let (kept, others) = std::mem::take(met)
            .into_iter()
            .partition(|(id, _)| own.contains(id));
        *met = kept;
        others
    }

    /// Sorts what was met, some at a time.
    fn sort_all(&mut self, met: Met, todo: &mut Todo) -> Result<(), SurveyError> {
        let mut met = met.into_values().peekable();
        while met.peek().is_some() {
            let some = met.by_ref().take(LOOKED_AT);
            let (unseen, some): (Vec<_>, Vec<_>) = some
                .partition(|(object, _)| is_small(object, self.stores) && !self.is_passed(object));
            let unseen = unseen.into_iter();
            let unseen = unseen.map(|(object, is_named)| (object, Kind::Unseen { is_named }));
            todo.unseen.extend(unseen);
            let looks = self.look_at(&some, |object| self.is_passed(object))?;
            for ((object, _), looked) in some.into_iter().zip(looks) {
                self.sort(object, looked, todo);
            }
        }
        Ok(())
    }

    fn sort_neighbours(
        &mut self,
        neighbours: Vec<FoundObject>,
        todo: &mut Todo,
    ) -> Result<(), SurveyError> {
        let neighbours: Vec<_> = neighbours.into_iter().map(|one| (one, false)).collect();
        for some in neighbours.chunks(LOOKED_AT) {
            let looks = self.look_at(some, |object| self.is_unchanged(object))?;
            for ((object, _), looked) in some.iter().zip(looks) {
                self.sort_neighbour(object.clone(), looked, todo);
            }
        }
        Ok(())
    }

    /// Looks at those of some objects that are not passed: many at a time where each is a question over a network.
    fn look_at(
        &self,
        objects: &[(FoundObject, bool)],
        is_passed: impl Fn(&FoundObject) -> bool + Sync,
    ) -> Result<Vec<Option<Looked>>, SurveyError> {
        let is_far = |(object, _): &(FoundObject, bool)| !self.stores.is_near(&object.id);
        let threads = if objects.iter().any(is_far) {
            AT_A_TIME
        } else {
            1
        };
        let stores = self.stores;
        let looks = abreast(objects, threads, self.monitor, |(object, is_named)| {
            (!is_passed(object)).then(|| look(object, stores, *is_named))
        });
        looks.ok_or(SurveyError::Interrupted)
    }

    /// Takes in what was seen of an object; `None` of one that was passed: it is as the catalogue knows it.
    pub(super) fn sort(&mut self, object: FoundObject, looked: Option<Looked>, todo: &mut Todo) {
        let Some(looked) = looked else {
            self.enter_known_object(&object);
            self.tell_again(&object);
            self.survey.unchanged += 1;
            return;
        };
        match looked {
            Looked::As(ObjectKind::Archive) if is_other_product(&object) => {
                self.foreign(&object, "an archive of another product", None);
            }
            Looked::As(ObjectKind::Kuberesources) => todo.kuberesources.push(object),
            Looked::As(ObjectKind::Archive | ObjectKind::Combined) => todo.archives.push(object),
            Looked::As(kind) => todo.push_snapshot(object, kind),
            Looked::Foreign(reason, foreign) => self.foreign(&object, reason, foreign),
            Looked::Refused(reason) => self.refused(&object, reason),
        }
    }

    /// Files beside a file that the user named are looked at only for its partner. A packed directory is no such file.
    fn sort_neighbour(&mut self, object: FoundObject, looked: Option<Looked>, todo: &mut Todo) {
        let Some(looked) = looked else {
            self.enter_known_object(&object);
            return;
        };
        match looked {
            Looked::As(ObjectKind::Kuberesources | ObjectKind::Combined) => {
                todo.kuberesources.push(object);
            }
            Looked::As(ObjectKind::Archive) => {}
            Looked::As(kind) if is_partner_of_a_named_archive(&object, &self.asked) => {
                todo.push_snapshot(object, kind);
            }
            Looked::Foreign(_, foreign) => {
                let foreign = foreign.filter(|foreign| foreign.kind.may_hold_a_backup());
                self.remember_passed_over(&object.id, foreign.as_ref());
            }
            _ => {}
        }
    }

    /// Only what is new is asked for, and this is not.
    fn is_passed(&self, object: &FoundObject) -> bool {
        self.options.depth == Depth::New && self.is_unchanged(object)
    }

    fn is_unchanged(&self, object: &FoundObject) -> bool {
        is_as_recorded(object, &self.known.contents)
    }

    fn enter_known_object(&mut self, object: &FoundObject) {
        if let Some(record) = self.known.contents.files.get(&object.id).cloned() {
            self.known.enter_known(&object.id, &record, true);
        }
    }

    pub(super) fn refused(&mut self, object: &FoundObject, reason: String) {
        if InArchive::is_told_by(&reason) {
            self.survey.skipped.push(Skipped {
                id: object.id.clone(),
                reason,
                kind: SkippedKind::Archived,
                remedy: None,
                is_error: self.locations.contains(&object.id),
            });
            return;
        }
        // A file that is not even named like a backup hides nothing that anybody misses.
        if object.name.is_some() {
            self.enter_unreadable(object, &reason, None);
        }
        self.skip(object, reason);
    }

    pub(super) fn enter_unreadable(
        &mut self,
        object: &FoundObject,
        reason: &str,
        offset: Option<u64>,
    ) {
        // One failed look at a file that nobody asked for takes nothing from what is known of it.
        if !self.asked.contains(&object.id) {
            return;
        }
        let content = unreadable(reason, offset);
        self.remember_file(object, content.clone());
        self.known
            .enter(&object.id, object.identity.clone(), content);
    }

    pub(super) fn skip(&mut self, object: &FoundObject, reason: String) {
        self.survey.skipped.push(Skipped {
            id: object.id.clone(),
            reason,
            kind: SkippedKind::Unreadable,
            remedy: None,
            is_error: true,
        });
    }

    pub(super) fn remember_file(&mut self, object: &FoundObject, content: Content) {
        let change = file_change(object, content, self.now, self.stores);
        // Losing this costs one look at the file in the next run.
        let _ = self.recorder.add(vec![change]);
    }
}

/// Sound bytes under such a name are not believed for a reason: only who names the file wants it read.
fn pass_over_put_aside(walked: &mut Walk) {
    let skipped = walked.objects.iter().filter_map(|object| {
        let mark = put_aside(object)?;
        Some(Skipped {
            id: object.id.clone(),
            reason: mark.reason().to_owned(),
            kind: SkippedKind::PutAside,
            remedy: None,
            is_error: false,
        })
    });
    walked.skipped.extend(skipped);
    walked.objects.retain(|object| put_aside(object).is_none());
}

/// An archive that is called as another product calls what holds no snapshot.
fn is_other_product(object: &FoundObject) -> bool {
    let name = object.id.file_name();
    name.is_some_and(|name| product::by_name(name).is_some())
}

/// Does the catalogue know it as it is?
pub(super) fn is_as_recorded(object: &FoundObject, contents: &CatalogueContents) -> bool {
    let record = contents.files.get(&object.id);
    record.is_some_and(|record| {
        record.identity == object.identity && !matches!(record.content, Content::Unreadable { .. })
    })
}

pub(super) fn put_aside(object: &FoundObject) -> Option<PutAside> {
    PutAside::of(object.id.file_name()?)
}

/// A named archive wants the snapshot of its own stamp; other snapshots may be large and are left alone.
fn is_partner_of_a_named_archive(object: &FoundObject, asked: &ObjectSet) -> bool {
    let stamp = object.name.and_then(|name| name.stamp);
    let mut names = asked
        .iter()
        .filter_map(|id| BackupName::parse(id.file_name()?));
    stamp.is_some() && names.any(|name| name.kind != NameKind::Snapshot && name.stamp == stamp)
}
