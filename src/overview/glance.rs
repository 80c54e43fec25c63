//! The backups of an overview in short, as of now: as many of them as a question is about.

use super::presence::{Shelf, are_unchanged, observe};
use super::record::{OverviewDirectory, OverviewGroup, OverviewHead, OverviewRow};
use super::sight::{self, Believed, KnownFiles, at, part_of, parts_in};
use crate::backup::Version;
use crate::catalogue::{Catalogue, CatalogueReader};
use crate::finding::{Code, Severity};
use crate::judgement::{Calendar, verdict_of, verdict_when_rewritten};
use crate::parallel::{self, PIECE};
use crate::selection::{Halves, Judged, KnownCluster, Place, Scope, Selection, Summary};
use crate::source::{ObjectId, Store};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

/// Backups in short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glance {
    /// All that the selection may show, and what it needs to explain itself.
    pub summaries: Vec<Summary>,
    /// How many others there are, which the selection does not show.
    pub left_out: usize,
}

/// What is asked, and as of when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    pub(crate) selection: &'q Selection,
    pub(crate) as_of: DateTime<Utc>,
    /// Findings that do not count.
    pub(crate) accept: &'q [Code],
}

/// What was read of the overview for a question. Nothing of it is believed before the files were looked for.
#[derive(Debug)]
pub(crate) struct Sight {
    generation: u64,
    is_settled: bool,
    directories: Vec<OverviewDirectory>,
    files: Vec<KnownFiles>,
    seen: Vec<Seen>,
    left_out: usize,
}

#[derive(Debug)]
struct Seen {
    summary: Summary,
    places: Vec<(u32, u32)>,
    /// The selection shows it, as long as its files are as they were.
    is_shown: bool,
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
        let Some(rows) = sight::rows(reader, &head, &groups)? else {
            return Ok(None);
        };
        let rows_alone = rows.iter().map(|(_, row)| row);
        let Some(calendars) = sight::calendars(reader, &head, rows_alone)? else {
            return Ok(None);
        };
        let known = rows.len();
        let Some(seen) = seen(rows, &head, &calendars, question) else {
            return Ok(None);
        };
        let passed = known.saturating_sub(seen.len());
        sight.left_out = left_out.saturating_add(passed);
        sight.seen = seen;
        let parts = sight.wanted_parts();
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
            files: vec![KnownFiles::default(); directories.len()],
            directories,
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
        self.seen.into_iter().map(|seen| seen.summary).collect()
    }

    /// Every file that is known lies within one of these locations.
    pub(crate) fn lies_within(&self, locations: &[ObjectId]) -> bool {
        self.directories.iter().all(|directory| {
            let directory = ObjectId::from_bytes(&directory.path);
            locations.iter().any(|one| one.contains(&directory))
        })
    }

    /// Parts of the files of each directory that hold those of the backups.
    fn wanted_parts(&self) -> Option<Vec<BTreeSet<u32>>> {
        let mut parts = vec![BTreeSet::new(); self.directories.len()];
        for (directory, file) in self.seen.iter().flat_map(|seen| &seen.places) {
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
        let place = |seen: &mut Seen| {
            let Some((directory, file)) = seen.places.first() else {
                return Some(());
            };
            let name = &at(files, *directory)?.get(*file)?.name;
            seen.summary.place = Some(Place {
                directory: at(&directories, *directory)?.clone(),
                name: OsStr::from_bytes(name).into(),
            });
            Some(())
        };
        let placed = parallel::share(self.seen.chunks_mut(PIECE), |(), seen| {
            seen.iter_mut().try_for_each(place)
        });
        placed.into_iter().collect::<Option<()>>()?;
        Some(self)
    }

    /// Looks for the files; `None` when some have come or gone, or when it does not make sense. Whether a file was
    /// rewritten is asked only for backups that are shown.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub(crate) fn believed(mut self, catalogue: &Catalogue, store: &dyn Store) -> Believed<Glance> {
        let unchanged = are_unchanged(&self.directories);
        if !self.read_changed(&unchanged, catalogue, store)? {
            return Ok(None);
        }
        Ok(self.observed(&unchanged, store))
    }

    /// Reads the names of all files where some may have come or gone; false when the overview is another one by now.
    fn read_changed(
        &mut self,
        unchanged: &[bool],
        catalogue: &Catalogue,
        store: &dyn Store,
    ) -> Result<bool, crate::catalogue::CatalogueError> {
        let mut parts = vec![BTreeSet::new(); self.directories.len()];
        let asked = parts.iter_mut().zip(&self.directories).zip(unchanged);
        for ((parts, directory), is_unchanged) in asked {
            if !is_unchanged && store.is_near(&ObjectId::from_bytes(&directory.path)) {
                let all = u32::try_from(parts_in(directory)).unwrap_or(u32::MAX);
                parts.extend(0..all);
            }
        }
        if parts.iter().all(BTreeSet::is_empty) {
            return Ok(true);
        }
        let reader = catalogue.reader()?;
        let head = OverviewHead::load(&reader)?;
        if head.is_none_or(|head| head.generation != self.generation) {
            return Ok(false);
        }
        let Some(read) = sight::files(&reader, &self.directories, &parts)? else {
            return Ok(false);
        };
        let kept = self.files.iter_mut().zip(read).zip(&parts);
        for ((kept, read), parts) in kept {
            if !parts.is_empty() {
                *kept = read;
            }
        }
        Ok(true)
    }

    fn observed(mut self, unchanged: &[bool], store: &dyn Store) -> Option<Glance> {
        let wanted = self.shown_files()?;
        let shelves: Vec<Shelf<'_>> = self
            .directories
            .iter()
            .zip(&self.files)
            .zip(&wanted)
            .zip(unchanged)
            .map(|(((directory, files), wanted), is_unchanged)| Shelf {
                directory,
                files,
                wanted,
                is_unchanged: *is_unchanged,
            })
            .collect();
        let rewritten = observe(&shelves, store)?;
        if !rewritten.is_empty() {
            for seen in &mut self.seen {
                if seen.places.iter().any(|place| rewritten.contains(place)) {
                    seen.rewrite()?;
                }
            }
        }
        Some(Glance {
            summaries: self.seen.into_iter().map(|seen| seen.summary).collect(),
            left_out: self.left_out,
        })
    }

    /// Of each directory the files of backups that are shown, ascending.
    fn shown_files(&self) -> Option<Vec<Vec<u32>>> {
        let mut wanted = vec![Vec::new(); self.directories.len()];
        let shown = self.seen.iter().filter(|seen| seen.is_shown);
        for (directory, file) in shown.flat_map(|seen| &seen.places) {
            wanted
                .get_mut(usize::try_from(*directory).ok()?)?
                .push(*file);
        }
        for files in &mut wanted {
            files.sort_unstable();
            files.dedup();
        }
        Some(wanted)
    }
}

impl Seen {
    /// One of its files was; which half has a copy that is as it was, only the whole backup tells: then `None`.
    fn rewrite(&mut self) -> Option<()> {
        let Halves {
            snapshot,
            kuberesources,
        } = self.summary.halves;
        let halves = [snapshot, kuberesources];
        if self.places.len() > halves.iter().flatten().count().max(1) {
            return None;
        }
        self.summary.outcome = Arc::new(rewritten(&self.summary.outcome));
        Some(())
    }
}

/// As [`recall`](crate::survey) marks it.
fn rewritten(judged: &Judged) -> Judged {
    let mut marks = judged.marks.clone();
    marks.push((Code::FileChanged, Severity::Warning));
    let verdict = verdict_when_rewritten(judged.verdict);
    Judged::new(marks, judged.accepted.clone(), verdict)
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
    calendars: &HashMap<u32, Calendar>,
    question: &Question<'_>,
) -> Option<Vec<Seen>> {
    let seen = parallel::share(
        rows.chunks_mut(PIECE),
        |view: &mut Option<View<'_>>, rows| {
            let view = view.get_or_insert_with(|| View::new(head, calendars, question));
            view.all(rows)
        },
    );
    let seen: Option<Vec<Vec<Seen>>> = seen.into_iter().collect();
    Some(seen?.into_iter().flatten().collect())
}

/// An overview seen from one instant.
struct View<'v> {
    head: &'v OverviewHead,
    calendars: &'v HashMap<u32, Calendar>,
    question: &'v Question<'v>,
    clusters: HashMap<u32, Arc<KnownCluster>>,
    versions: HashMap<u32, Arc<Version>>,
    judged: HashMap<(u32, u32), Arc<Judged>>,
}

impl<'v> View<'v> {
    fn new(
        head: &'v OverviewHead,
        calendars: &'v HashMap<u32, Calendar>,
        question: &'v Question<'v>,
    ) -> Self {
        Self {
            head,
            calendars,
            question,
            clusters: HashMap::new(),
            versions: HashMap::new(),
            judged: HashMap::new(),
        }
    }

    fn all(&mut self, rows: &mut [(u32, OverviewRow)]) -> Option<Vec<Seen>> {
        let selection = self.question.selection;
        let mut seen = Vec::with_capacity(rows.len());
        for (group, row) in rows {
            let summary = self.summary(*group, row)?;
            let is_shown = selection.would_show(&summary, self.question.as_of);
            if is_shown || selection.cluster.is_some() {
                seen.push(Seen {
                    summary,
                    places: std::mem::take(&mut row.places),
                    is_shown,
                });
            }
        }
        Some(seen)
    }

    /// All but the name of its place, which is looked up for what is shown.
    fn summary(&mut self, group: u32, row: &OverviewRow) -> Option<Summary> {
        let group = at(&self.head.groups, group)?;
        let cluster = match group.cluster {
            Some(number) => Some(shared(&mut self.clusters, &self.head.clusters, number)?),
            None => None,
        };
        Some(Summary {
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
            outcome: self.outcome(row)?,
            place: row.places.first().map(|_| Place {
                directory: ObjectId::from(Path::new("")),
                name: OsStr::new("").into(),
            }),
        })
    }

    /// Most rows have the same few outcomes.
    fn outcome(&mut self, row: &OverviewRow) -> Option<Arc<Judged>> {
        let key = (row.marks, row.calendar);
        if let Some(judged) = self.judged.get(&key) {
            return Some(Arc::clone(judged));
        }
        let lasting = at(&self.head.marks, row.marks)?;
        let calendar = self.calendars.get(&row.calendar)?;
        let marks = calendar.marks(lasting, self.question.as_of, self.question.accept);
        let mut accepted = self.question.accept.to_vec();
        accepted.retain(|code| marks.iter().any(|mark| mark.0 == *code));
        accepted.sort_unstable();
        accepted.dedup();
        let verdict = verdict_of(marks.iter().copied(), &accepted);
        let judged = Arc::new(Judged::new(marks, accepted, verdict));
        self.judged.insert(key, Arc::clone(&judged));
        Some(judged)
    }
}

/// What many summaries have in common, once.
fn shared<T: Clone>(kept: &mut HashMap<u32, Arc<T>>, list: &[T], number: u32) -> Option<Arc<T>> {
    if let Some(value) = kept.get(&number) {
        return Some(Arc::clone(value));
    }
    let value = Arc::new(at(list, number)?.clone());
    kept.insert(number, Arc::clone(&value));
    Some(value)
}
