//! Backups in short, from the overview as long as it holds.

use super::presence::observe;
use super::{Options, SurveyError, recall};
use crate::backup::Verdict;
use crate::catalogue::{Catalogue, Overview, Row};
use crate::finding::{Code, Severity};
use crate::judgement::verdict_of;
use crate::selection::{Halves, Judged, Place, Selection, Summary};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

/// Every backup that the catalogue knows, in short: what [`recall`] finds, in a fraction of the time.
///
/// Whether a file was rewritten is asked only for backups that `selection` would show.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn glance(
    catalogue: &Catalogue,
    options: &Options,
    selection: &Selection,
) -> Result<Vec<Summary>, SurveyError> {
    let overview = catalogue.reader()?.overview()?;
    let known = overview.and_then(|overview| still_holds(&overview, options, selection));
    match known {
        Some(summaries) => Ok(summaries),
        None => Ok(recall(catalogue, options)?
            .iter()
            .map(Summary::from)
            .collect()),
    }
}

/// The backups of an overview as of now; `None` when files have come or gone, or when it does not make sense.
fn still_holds(
    overview: &Overview,
    options: &Options,
    selection: &Selection,
) -> Option<Vec<Summary>> {
    let mut summaries = Glance::new(overview, options).summaries()?;
    let mut wanted = vec![Vec::new(); overview.directories.len()];
    for (row, _) in overview
        .rows
        .iter()
        .zip(&summaries)
        .filter(|(_, summary)| selection.would_show(*summary, options.as_of))
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
    let observed = observe(&overview.directories, &wanted)?;
    if !observed.rewritten.is_empty() {
        for (row, summary) in overview.rows.iter().zip(&mut summaries) {
            if row
                .places
                .iter()
                .any(|place| observed.rewritten.contains(place))
            {
                summary.outcome = Arc::new(rewritten(&summary.outcome));
            }
        }
    }
    Some(summaries)
}

/// As [`recall`] marks it.
fn rewritten(judged: &Judged) -> Judged {
    let mut marks = judged.marks.clone();
    marks.push((Code::FileChanged, Severity::Warning));
    let verdict = match judged.verdict {
        Verdict::Invalid => Verdict::Invalid,
        _ => Verdict::Unknown,
    };
    Judged::new(marks, judged.accepted.clone(), verdict)
}

/// An overview seen from one instant.
struct Glance<'o> {
    overview: &'o Overview,
    accept: &'o [Code],
    clusters: Vec<Arc<crate::selection::KnownCluster>>,
    versions: Vec<Arc<crate::backup::Version>>,
    directories: Vec<Arc<Path>>,
    /// What each calendar adds.
    expired: Vec<Vec<(Code, Severity)>>,
    judged: HashMap<(u32, u32), Arc<Judged>>,
}

impl<'o> Glance<'o> {
    fn new(overview: &'o Overview, options: &'o Options) -> Self {
        let head = &overview.head;
        let directories = overview.directories.iter();
        let calendars = head.calendars.iter();
        Self {
            overview,
            accept: &options.accept,
            clusters: head.clusters.iter().cloned().map(Arc::new).collect(),
            versions: head.versions.iter().cloned().map(Arc::new).collect(),
            directories: directories
                .map(|directory| Path::new(OsStr::from_bytes(&directory.path)).into())
                .collect(),
            expired: calendars
                .map(|calendar| calendar.marks(options.as_of))
                .collect(),
            judged: HashMap::new(),
        }
    }

    fn summaries(mut self) -> Option<Vec<Summary>> {
        let overview = self.overview;
        overview.rows.iter().map(|row| self.summary(row)).collect()
    }

    fn summary(&mut self, row: &Row) -> Option<Summary> {
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
            directory: Arc::clone(at(&self.directories, directory)?),
            name: OsStr::from_bytes(name).into(),
        })
    }

    /// Most rows have the same few outcomes.
    fn outcome(&mut self, row: &Row) -> Option<Arc<Judged>> {
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
