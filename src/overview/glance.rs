//! The backups of an overview in short, as of now: as many of them as a question is about.

use super::looks::Looks;
use super::record::{OverviewDirectory, OverviewGroup, OverviewHead, OverviewRow};
use super::seen::Seen;
use super::sight::{self, Believed, Calendars, KnownFiles, at, part_of};
use crate::backup::Version;
use crate::catalogue::CatalogueReader;
use crate::finding::Code;
use crate::judgement::verdict_of;
use crate::parallel::{self, PIECE};
use crate::selection::{
    Halves, Judged, KnownCluster, Place, Scope, Selection, Summary, UsableKind,
};
use crate::source::{ObjectId, Store as _, Stores};
use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Backups in short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glance {
    /// All that the selection may show, and what it needs to explain itself.
    pub summaries: Vec<Summary>,
    /// How many others there are, which the selection does not show.
    pub left_out: usize,
    /// How many of those that the selection shows are told as they were judged, without a look at their files since.
    pub not_looked_at: usize,
}

/// What is asked, and as of when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    pub(crate) selection: &'q Selection,
    pub(crate) as_of: DateTime<Utc>,
    /// Findings that do not count.
    pub(crate) accept: &'q [Code],
    /// Whose files are looked at.
    pub(crate) looks: Looks,
    /// Where files lie.
    pub(crate) stores: &'q Stores,
}

/// What was read of the overview for a question. Nothing of it is believed before the files were looked for.
#[derive(Debug)]
pub(crate) struct Sight {
    pub(super) generation: u64,
    is_settled: bool,
    pub(super) looks: Looks,
    pub(super) directories: Vec<OverviewDirectory>,
    pub(super) files: Vec<KnownFiles>,
    /// The backups in short, and what is to be known of each besides.
    pub(super) summaries: Vec<Summary>,
    pub(super) seen: Vec<Seen>,
    pub(super) left_out: usize,
}

impl Sight {
    /// Reads what a question is about; `None` when there is no overview to be believed.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub(crate) fn of(reader: &CatalogueReader<'_>, question: &Question<'_>) -> Believed<Self> {
        let Some(head) = OverviewHead::load(reader)? else {
            return Ok(None);
        };
        let Some(mut sight) = Self::of_head(&head, reader)? else {
            return Ok(None);
        };
        if !is_sound(&head) {
            return Ok(None);
        }
        let (groups, left_out) = groups(&head, question.selection);
        let Some(mut rows) = sight::rows(reader, &head, &groups)? else {
            return Ok(None);
        };
        question.looks.sort(&mut rows);
        let rows_alone = rows.iter().map(|(_, row)| row);
        let Some(calendars) = sight::calendars(reader, &head, rows_alone)? else {
            return Ok(None);
        };
        let known = rows.len();
        let Some((summaries, seen)) = seen(rows, &head, &calendars, question) else {
            return Ok(None);
        };
        let passed = known.saturating_sub(seen.len());
        sight.left_out = left_out.saturating_add(passed);
        (sight.summaries, sight.seen) = (summaries, seen);
        sight.looks = question.looks;
        let near = sight.near(question.stores);
        let looks = question.looks;
        looks.choose(&mut sight.seen, &sight.summaries, &near);
        let named = sight.seen.iter().filter(|seen| seen.is_named);
        let parts = sight.parts_of(named);
        let Some(files) = parts
            .map(|parts| sight::files(reader, &sight.directories, &parts))
            .transpose()?
            .flatten()
        else {
            return Ok(None);
        };
        sight.files = files;
        Ok(sight.with_places())
    }

    /// Of no backup: whether files have come or gone.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub(crate) fn of_files(reader: &CatalogueReader<'_>) -> Believed<Self> {
        match OverviewHead::load(reader)? {
            Some(head) => Self::of_head(&head, reader),
            None => Ok(None),
        }
    }

    fn of_head(head: &OverviewHead, reader: &CatalogueReader<'_>) -> Believed<Self> {
        let directories = sight::directories(reader, head)?;
        Ok(directories.map(|directories| Self {
            generation: head.generation,
            is_settled: head.is_settled,
            looks: Looks::All,
            files: vec![KnownFiles::default(); directories.len()],
            directories,
            summaries: Vec::new(),
            seen: Vec::new(),
            left_out: 0,
        }))
    }

    /// Nothing was left to be proven when it was drawn.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// The files of backups that were gone.
    pub(crate) fn absent(&self) -> BTreeSet<ObjectId> {
        let places = self.seen.iter().flat_map(|seen| &seen.places);
        let absent = places.filter_map(|(directory, file)| {
            let file = at(&self.files, *directory)?.get(*file)?;
            let directory = &at(&self.directories, *directory)?.path;
            let path = || ObjectId::from_bytes(directory).join(OsStr::from_bytes(&file.name));
            (!file.is_present).then(path)
        });
        absent.collect()
    }

    /// What was read, whatever has become of the files.
    pub(crate) fn into_summaries(self) -> Vec<Summary> {
        self.summaries
    }

    /// Every file that is known lies within one of these locations.
    pub(crate) fn lies_within(&self, locations: &[ObjectId]) -> bool {
        self.directories.iter().all(|directory| {
            let directory = ObjectId::from_bytes(&directory.path);
            locations.iter().any(|one| one.contains(&directory))
        })
    }

    /// Which directories are near enough to look at files in them.
    pub(super) fn near(&self, stores: &Stores) -> Vec<bool> {
        let directories = self.directories.iter();
        directories
            .map(|directory| stores.is_near(&ObjectId::from_bytes(&directory.path)))
            .collect()
    }

    /// Parts of the files of each directory that hold those of these backups.
    pub(super) fn parts_of<'s>(
        &self,
        seen: impl Iterator<Item = &'s Seen>,
    ) -> Option<Vec<BTreeSet<u32>>> {
        let mut parts = vec![BTreeSet::new(); self.directories.len()];
        for (directory, file) in seen.flat_map(|seen| &seen.places) {
            let list = parts.get_mut(usize::try_from(*directory).ok()?)?;
            list.insert(part_of(*file));
        }
        Some(parts)
    }

    fn with_places(mut self) -> Option<Self> {
        let directories = self.directories.iter();
        let directories: Vec<ObjectId> = directories
            .map(|directory| ObjectId::from_bytes(&directory.path))
            .collect();
        let files = &self.files;
        let place = |(summary, seen): (&mut Summary, &Seen)| {
            let Some((directory, file)) = seen.places.first().filter(|_| seen.is_named) else {
                return Some(());
            };
            let name = &at(files, *directory)?.get(*file)?.name;
            summary.place = Some(Place::At {
                directory: at(&directories, *directory)?.clone(),
                name: OsStr::from_bytes(name).into(),
            });
            Some(())
        };
        let pieces = self
            .summaries
            .chunks_mut(PIECE)
            .zip(self.seen.chunks(PIECE));
        let placed = parallel::share(pieces, |(), (summaries, seen)| {
            summaries.iter_mut().zip(seen).try_for_each(place)
        });
        placed.into_iter().collect::<Option<()>>()?;
        Some(self)
    }
}

/// Do all groups lead somewhere?
fn is_sound(head: &OverviewHead) -> bool {
    let leads = |group: &OverviewGroup| {
        let cluster = group.cluster.map(|number| at(&head.clusters, number));
        cluster != Some(None) && at(&head.versions, group.version).is_some()
    };
    head.groups.iter().all(leads)
}

/// The groups that a selection is about, and how many backups are in others that it does not show.
fn groups(head: &OverviewHead, selection: &Selection) -> (Vec<u32>, usize) {
    let cluster_of = |group: Option<u32>| group.and_then(|number| at(&head.clusters, number));
    if let Some(wanted) = &selection.cluster {
        let answers = |cluster: Option<u32>| {
            cluster_of(cluster).is_some_and(|cluster| cluster.answers_to(wanted))
        };
        let all = (0..).zip(&head.groups);
        let own: Vec<u32> = all
            .filter(|(_, group)| answers(group.cluster))
            .map(|(number, _)| number)
            .collect();
        if !own.is_empty() {
            return (own, 0);
        }
        // What there is instead is told of all.
    } else if let Some(target) = &selection.valid_for
        && selection.scope == Scope::Usual
    {
        let of_version = |version: u32| {
            let version = at(&head.versions, version).and_then(|known| known.openshift.as_deref());
            version.is_some_and(|version| target.is(version))
        };
        let all = (0..).zip(&head.groups);
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|(_, group)| of_version(group.version));
        let rows = others
            .into_iter()
            .filter_map(|(_, group)| usize::try_from(group.rows).ok());
        let own = own.into_iter().map(|(number, _)| number);
        return (own.collect(), rows.fold(0, usize::saturating_add));
    }
    let all = (0..).zip(&head.groups);
    (all.map(|(number, _)| number).collect(), 0)
}

/// What the selection shows; of a cluster that was named, all.
fn seen(
    mut rows: Vec<(u32, OverviewRow)>,
    head: &OverviewHead,
    calendars: &Calendars,
    question: &Question<'_>,
) -> Option<(Vec<Summary>, Vec<Seen>)> {
    let pieces = parallel::share(
        rows.chunks_mut(PIECE),
        |view: &mut Option<View<'_>>, rows| {
            let view = view.get_or_insert_with(|| View::new(head, calendars, question));
            view.all(rows)
        },
    );
    let pieces: Vec<(Vec<Summary>, Vec<Seen>)> = pieces.into_iter().collect::<Option<_>>()?;
    let count = pieces.iter().map(|(_, seen)| seen.len()).sum();
    let (mut summaries, mut seen) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for mut piece in pieces {
        summaries.append(&mut piece.0);
        seen.append(&mut piece.1);
    }
    Some((summaries, seen))
}

/// What was found and what it comes to, and what that is for a choice.
type Outcome = (Arc<Judged>, Option<UsableKind>);

/// An overview seen from one instant.
struct View<'v> {
    head: &'v OverviewHead,
    calendars: &'v Calendars,
    question: &'v Question<'v>,
    clusters: HashMap<u32, Arc<KnownCluster>, RandomState>,
    versions: HashMap<u32, Arc<Version>, RandomState>,
    judged: HashMap<(u32, u32), Outcome, RandomState>,
}

impl<'v> View<'v> {
    fn new(head: &'v OverviewHead, calendars: &'v Calendars, question: &'v Question<'v>) -> Self {
        Self {
            head,
            calendars,
            question,
            clusters: HashMap::default(),
            versions: HashMap::default(),
            judged: HashMap::default(),
        }
    }

    fn all(&mut self, rows: &mut [(u32, OverviewRow)]) -> Option<(Vec<Summary>, Vec<Seen>)> {
        let selection = self.question.selection;
        let mut summaries = Vec::with_capacity(rows.len());
        let mut seen = Vec::with_capacity(rows.len());
        for (group, row) in rows {
            let (summary, kind) = self.summary(*group, row)?;
            let is_shown = selection.would_show(&summary, self.question.as_of);
            if is_shown || selection.cluster.is_some() {
                let has_version = summary.version.openshift.is_some();
                summaries.push(summary);
                seen.push(Seen {
                    places: std::mem::take(&mut row.places),
                    group: *group,
                    cluster: at(&self.head.groups, *group)?.cluster,
                    has_version,
                    kind,
                    is_shown,
                    is_looked_at: false,
                    is_named: false,
                });
            }
        }
        Some((summaries, seen))
    }

    /// All but the name of its place, which is looked up where it is needed; and what it is for a choice.
    fn summary(&mut self, group: u32, row: &OverviewRow) -> Option<(Summary, Option<UsableKind>)> {
        let group = at(&self.head.groups, group)?;
        let cluster = match group.cluster {
            Some(number) => Some(shared(&mut self.clusters, &self.head.clusters, number)?),
            None => None,
        };
        let (outcome, kind) = self.outcome(row)?;
        let summary = Summary {
            digest: row.digest,
            halves: Halves {
                snapshot: row.snapshot,
                kuberesources: row.kuberesources,
            },
            cluster,
            version: shared(&mut self.versions, &self.head.versions, group.version)?,
            taken_at: row.taken_at,
            revision: row.revision,
            verified_as: row.verified_as,
            size_bytes: row.size_bytes,
            certificates_until: self.calendars.get(&row.calendar)?.vital_until(),
            outcome,
            place: row.places.first().map(|_| Place::Unread),
        };
        Some((summary, kind))
    }

    /// Most rows have the same few outcomes.
    fn outcome(&mut self, row: &OverviewRow) -> Option<Outcome> {
        let key = (row.marks, row.calendar);
        if let Some(known) = self.judged.get(&key) {
            return Some(known.clone());
        }
        let lasting = at(&self.head.marks, row.marks)?;
        let calendar = self.calendars.get(&row.calendar)?;
        let marks = calendar.marks(lasting, self.question.as_of, self.question.accept);
        let mut accepted = self.question.accept.to_vec();
        accepted.retain(|code| marks.iter().any(|mark| mark.0 == *code));
        accepted.sort_unstable();
        accepted.dedup();
        let verdict = verdict_of(marks.iter().copied(), &accepted);
        let judged = Judged::new(marks, accepted, verdict);
        let kind = UsableKind::of(&judged);
        let known = (Arc::new(judged), kind);
        self.judged.insert(key, known.clone());
        Some(known)
    }
}

/// What many summaries have in common, once.
fn shared<T: Clone>(
    kept: &mut HashMap<u32, Arc<T>, RandomState>,
    list: &[T],
    number: u32,
) -> Option<Arc<T>> {
    if let Some(value) = kept.get(&number) {
        return Some(Arc::clone(value));
    }
    let value = Arc::new(at(list, number)?.clone());
    kept.insert(number, Arc::clone(&value));
    Some(value)
}
