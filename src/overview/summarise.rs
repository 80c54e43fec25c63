//! The backups of an overview in short, as of now.

use super::presence::observe;
use super::record::{Overview, OverviewRow};
use crate::backup::Version;
use crate::finding::{Code, Severity};
use crate::judgement::{verdict_of, verdict_when_rewritten};
use crate::selection::{Halves, Judged, KnownCluster, Place, Selection, Summary};
use crate::source::{ObjectId, Store};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

impl Overview {
    /// Is what was judged true still, of whatever instant?
    pub(crate) fn is_current(&self, store: &dyn Store) -> bool {
        let nothing = vec![Vec::new(); self.directories.len()];
        observe(&self.directories, &nothing, store).is_some()
    }

    /// Its backups as of an instant; `None` when files have come or gone, or when it does not make sense.
    ///
    /// Whether a file was rewritten is asked only for backups that `selection` would show.
    pub(crate) fn summaries(
        &self,
        selection: &Selection,
        store: &dyn Store,
        as_of: DateTime<Utc>,
        accept: &[Code],
    ) -> Option<Vec<Summary>> {
        let mut summaries = OverviewAt::new(self, as_of, accept).summaries()?;
        let mut wanted = vec![Vec::new(); self.directories.len()];
        for (row, _) in self
            .rows
            .iter()
            .zip(&summaries)
            .filter(|(_, summary)| selection.would_show(*summary, as_of))
        {
            for (directory, file) in &row.places {
                wanted
                    .get_mut(usize::try_from(*directory).ok()?)?
                    .push(*file);
            }
        }
        for files in &mut wanted {
            files.sort_unstable();
            files.dedup();
        }
        let observed = observe(&self.directories, &wanted, store)?;
        if !observed.rewritten.is_empty() {
            for (row, summary) in self.rows.iter().zip(&mut summaries) {
                if row
                    .places
                    .iter()
                    .any(|place| observed.rewritten.contains(place))
                {
                    // Which half has a copy that is as it was, only the whole backup tells.
                    let halves = [row.snapshot, row.kuberesources];
                    if row.places.len() > halves.iter().flatten().count().max(1) {
                        return None;
                    }
                    summary.outcome = Arc::new(rewritten(&summary.outcome));
                }
            }
        }
        Some(summaries)
    }
}

/// As [`recall`](crate::survey) marks it.
fn rewritten(judged: &Judged) -> Judged {
    let mut marks = judged.marks.clone();
    marks.push((Code::FileChanged, Severity::Warning));
    let verdict = verdict_when_rewritten(judged.verdict);
    Judged::new(marks, judged.accepted.clone(), verdict)
}

/// An overview seen from one instant.
struct OverviewAt<'o> {
    overview: &'o Overview,
    accept: &'o [Code],
    clusters: Vec<Arc<KnownCluster>>,
    versions: Vec<Arc<Version>>,
    directories: Vec<ObjectId>,
    /// What each calendar adds.
    expired: Vec<Vec<(Code, Severity)>>,
    judged: HashMap<(u32, u32), Arc<Judged>>,
}

impl<'o> OverviewAt<'o> {
    fn new(overview: &'o Overview, as_of: DateTime<Utc>, accept: &'o [Code]) -> Self {
        let head = &overview.head;
        let directories = overview.directories.iter();
        let calendars = head.calendars.iter();
        Self {
            overview,
            accept,
            clusters: head.clusters.iter().cloned().map(Arc::new).collect(),
            versions: head.versions.iter().cloned().map(Arc::new).collect(),
            directories: directories
                .map(|directory| ObjectId::from_bytes(&directory.path))
                .collect(),
            expired: calendars.map(|calendar| calendar.marks(as_of)).collect(),
            judged: HashMap::new(),
        }
    }

    fn summaries(mut self) -> Option<Vec<Summary>> {
        let overview = self.overview;
        overview.rows.iter().map(|row| self.summary(row)).collect()
    }

    fn summary(&mut self, row: &OverviewRow) -> Option<Summary> {
        let cluster = match row.cluster {
            Some(number) => Some(Arc::clone(at(&self.clusters, number)?)),
            None => None,
        };
        Some(Summary {
            digest: row.digest,
            halves: Halves {
                snapshot: row.snapshot,
                kuberesources: row.kuberesources,
            },
            cluster,
            version: Arc::clone(at(&self.versions, row.version)?),
            taken_at: row.taken_at,
            revision: row.revision,
            size_bytes: row.size_bytes,
            outcome: self.outcome(row)?,
            place: match row.places.first() {
                Some(place) => Some(self.place(*place)?),
                None => None,
            },
        })
    }

    fn place(&self, (directory, file): (u32, u32)) -> Option<Place> {
        let name = &at(&at(&self.overview.directories, directory)?.files, file)?.name;
        Some(Place {
            directory: at(&self.directories, directory)?.clone(),
            name: OsStr::from_bytes(name).into(),
        })
    }

    /// Most rows have the same few outcomes.
    fn outcome(&mut self, row: &OverviewRow) -> Option<Arc<Judged>> {
        let key = (row.marks, row.calendar);
        if let Some(judged) = self.judged.get(&key) {
            return Some(Arc::clone(judged));
        }
        let lasting = at(&self.overview.head.marks, row.marks)?;
        let marks = [lasting.as_slice(), at(&self.expired, row.calendar)?].concat();
        let mut accepted = self.accept.to_vec();
        accepted.retain(|code| marks.iter().any(|mark| mark.0 == *code));
        accepted.sort_unstable();
        accepted.dedup();
        let verdict = verdict_of(marks.iter().copied(), &accepted);
        let judged = Arc::new(Judged::new(marks, accepted, verdict));
        self.judged.insert(key, Arc::clone(&judged));
        Some(judged)
    }
}

fn at<T>(list: &[T], number: u32) -> Option<&T> {
    list.get(usize::try_from(number).ok()?)
}
