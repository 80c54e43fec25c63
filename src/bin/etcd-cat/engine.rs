//! Where the commands meet the work: each function asks for one thing and says in what form it comes back.

mod take;

pub(crate) use take::{BackupRun, RunOutcome, live_cluster, take};

use crate::args::GlobalArgs;
use crate::error::{Failure, code};
use chrono::{DateTime, Utc};
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{
    Catalogue, CatalogueError, CatalogueLocation, Forget, SnapshotKey, default_location,
};
use etcd_cat::discovery::Skipped;
use etcd_cat::finding::Code;
use etcd_cat::monitor::Monitor;
use etcd_cat::restore::{self, Encryption, Expected, Plan, PlanInput, Source, StageRequest};
use etcd_cat::selection::{Selection, Summary, TargetVersion};
use etcd_cat::source::PageCache;
use etcd_cat::survey::{self, Depth, Options, SurveyError};
use std::path::{Path, PathBuf};

/// What every request to the engine carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Catalogue, jobs, cache.
    pub(crate) global: &'a GlobalArgs,
    /// Now, or what is taken for it.
    pub(crate) as_of: DateTime<Utc>,
    /// Findings that do not count.
    pub(crate) accept: &'a [Code],
}

/// What a walk over locations found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Every backup of the locations, in no order.
    pub(crate) backups: Vec<Backup>,
    /// Files that were left out.
    pub(crate) skipped: Vec<Skipped>,
    /// Files read.
    pub(crate) files: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
    /// Files known already and not read again.
    pub(crate) unchanged: u64,
    /// The files were read, but the catalogue could not be: nothing is remembered.
    pub(crate) catalogue: Option<CatalogueError>,
    /// The same where nobody asked for a catalogue: worth a note, no failure.
    pub(crate) unremembered: Option<String>,
}

impl From<survey::Survey> for Survey {
    fn from(survey: survey::Survey) -> Self {
        let survey::Survey {
            backups,
            skipped,
            files,
            bytes,
            unchanged,
            catalogue,
        } = survey;
        Self {
            backups,
            skipped,
            files,
            bytes,
            unchanged,
            catalogue,
            unremembered: None,
        }
    }
}

/// What came of `stage`.
#[derive(Debug)]
pub(crate) struct StageRun {
    /// Where the pair is now.
    pub(crate) directory: PathBuf,
    /// The files that were written.
    pub(crate) files: Vec<PathBuf>,
    /// How to go on.
    pub(crate) plan: Option<Plan>,
}

/// What a running cluster says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct LiveCluster {
    /// ClusterVersion `spec.clusterID`.
    pub(crate) id: Option<String>,
    /// The version it runs.
    pub(crate) version: Option<TargetVersion>,
}

/// Reads what is new below `locations` (without any: below the remembered ones) and remembers it.
pub(crate) fn index(
    request: &Request<'_>,
    locations: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let catalogue = catalogue(request.global)?;
    let now = Utc::now();
    for location in locations {
        let absolute = std::path::absolute(location).unwrap_or_else(|_| location.clone());
        if absolute.exists() {
            catalogue.remember_location(absolute, now)?;
        }
    }
    let locations = given_or_remembered(locations, &catalogue)?;
    let options = request.options(Depth::New);
    Ok(survey::examine(&locations, &catalogue, &options, monitor)?.into())
}

/// Reads every byte below `locations` (without any: below the remembered ones).
///
/// What can be verified is verified even when the catalogue cannot be used.
pub(crate) fn verify(
    request: &Request<'_>,
    locations: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let catalogue = catalogue(request.global)?;
    let locations = given_or_remembered(locations, &catalogue)?;
    let options = request.options(Depth::Everything);
    let survey = survey::examine(&locations, &catalogue, &options, monitor)?;
    Ok(only_noted_by_default(survey.into(), request.global))
}

/// Reads a snapshot from standard input. The catalogue has no part in it.
pub(crate) fn verify_stream(
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let options = request.options(Depth::Everything);
    let stream = std::io::stdin();
    Ok(survey::examine_stream(stream, &options, monitor)?.into())
}

/// Everything in the catalogue, after the remembered locations were searched for what is new or was rewritten.
pub(crate) fn remembered(
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Vec<Backup>, Failure> {
    let catalogue = catalogue(request.global)?;
    let locations = catalogue.locations()?;
    if !locations.is_empty() {
        let locations: Vec<PathBuf> = locations.into_iter().map(|(path, _)| path).collect();
        survey::examine(
            &locations,
            &catalogue,
            &request.options(Depth::New),
            monitor,
        )?;
    }
    recall(request)
}

/// A machine without a place for the default catalogue is as good as any to verify on.
fn only_noted_by_default(mut survey: Survey, global: &GlobalArgs) -> Survey {
    let is_default = global.catalogue.is_none();
    let is_no_place = |error: &mut CatalogueError| matches!(error, CatalogueError::Io { .. });
    if let Some(error) = survey
        .catalogue
        .take_if(|error| is_default && is_no_place(error))
    {
        let note = format!("nothing is remembered: {}", Failure::from(error));
        survey.unremembered = Some(note);
    }
    survey
}

/// Everything in the catalogue, judged as of the request.
pub(crate) fn recall(request: &Request<'_>) -> Result<Vec<Backup>, Failure> {
    let catalogue = catalogue(request.global)?;
    Ok(survey::recall(&catalogue, &request.options(Depth::New))?)
}

/// The same in short, as much as a plain list shows. What `selection` does not show is known only roughly.
pub(crate) fn glance(
    request: &Request<'_>,
    selection: &Selection,
) -> Result<Vec<Summary>, Failure> {
    let catalogue = catalogue(request.global)?;
    let options = request.options(Depth::New);
    Ok(survey::glance(&catalogue, selection, &options)?)
}

/// The plan that restores `backup`; `staged` is the directory that holds the pair already.
pub(crate) fn restore_plan(
    backup: &Backup,
    staged: Option<&Path>,
    now: DateTime<Utc>,
) -> Option<Plan> {
    let snapshot = backup.snapshot.as_ref()?;
    let archive = backup.kuberesources.as_ref().map(|half| &half.facts);
    let encryption = match snapshot
        .facts
        .encryption
        .iter()
        .find(|usage| usage.is_encrypted())
    {
        None => Encryption::None,
        Some(usage) if usage.provider == "kms" => Encryption::Kms,
        Some(_) => Encryption::Keys,
    };
    let id = backup.id();
    Some(restore::plan(&PlanInput {
        version: backup.version.openshift.as_deref()?,
        topology: snapshot.facts.cluster.topology.as_ref(),
        staged_directory: staged,
        backup_id: id.as_deref(),
        snapshot_bytes: snapshot.facts.size_bytes,
        kuberesources_bytes: archive.map(|facts| facts.size_bytes),
        has_trailer: snapshot.facts.trailer.is_some(),
        control_plane_nodes: archive.map_or(&[], |facts| facts.control_plane_nodes.as_slice()),
        recovery_node: archive.and_then(|facts| facts.node.as_deref()),
        taken_at: backup.taken_at,
        now,
        encryption,
    }))
}

/// Copies a verified pair.
pub(crate) fn stage(
    backup: &Backup,
    to: &Path,
    now: DateTime<Utc>,
    monitor: &dyn Monitor,
) -> Result<StageRun, Failure> {
    let nothing = || Failure::new(code::REFERENCE, "there is no snapshot to stage");
    let snapshot = backup.snapshot.as_ref().ok_or_else(nothing)?;
    let archive = backup.kuberesources.as_ref();
    let request = StageRequest {
        snapshot: Source {
            path: &snapshot.path,
            expected: Expected::from(&snapshot.facts),
        },
        kuberesources: archive.map(|half| Source {
            path: &half.path,
            expected: Expected::from(&half.facts),
        }),
        taken_at: backup.taken_at,
        to,
    };
    let staged =
        restore::stage(&request, monitor).map_err(|error| Failure::new(code::IO, error))?;
    let plan = restore_plan(backup, Some(&staged.directory), now);
    let files = std::iter::once(staged.snapshot)
        .chain(staged.kuberesources)
        .collect();
    Ok(StageRun {
        directory: staged.directory,
        files,
        plan,
    })
}

/// Drops the records of these backups.
pub(crate) fn forget(request: &Request<'_>, backups: &[&Backup]) -> Result<(), Failure> {
    let mut forget = Forget::default();
    for backup in backups {
        let snapshot = backup.snapshot.as_ref();
        let archive = backup.kuberesources.as_ref();
        forget
            .snapshots
            .extend(snapshot.map(|half| SnapshotKey::of(&half.facts)));
        forget
            .kuberesources
            .extend(archive.map(|half| half.facts.sha256));
        forget.paths.extend(backup.unreadable_path.clone());
    }
    let catalogue = catalogue(request.global)?;
    catalogue.forget(&forget)?;
    Ok(survey::refresh(&catalogue)?)
}

/// The catalogue that the options name. Nothing is opened yet.
fn catalogue(global: &GlobalArgs) -> Result<Catalogue, Failure> {
    let location = match &global.catalogue {
        _ if global.no_catalogue => CatalogueLocation::Memory,
        Some(text) => CatalogueLocation::parse(text.as_ref())
            .map_err(|error| Failure::new(code::USAGE, error))?,
        // Without a home directory there is nowhere to remember anything.
        None => default_location().unwrap_or(CatalogueLocation::Memory),
    };
    Ok(Catalogue::new(location))
}

fn given_or_remembered(given: &[PathBuf], catalogue: &Catalogue) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let remembered: Vec<PathBuf> = catalogue
        .locations()?
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    if remembered.is_empty() {
        let nowhere = Failure::new(code::USAGE, "no location is given, and none is remembered");
        return Err(nowhere.hint("name a directory or a file: etcd-cat verify /backup"));
    }
    Ok(remembered)
}

impl Request<'_> {
    fn options(&self, depth: Depth) -> Options {
        Options {
            depth,
            jobs: self
                .global
                .jobs
                .map_or_else(survey::default_jobs, usize::from),
            as_of: self.as_of,
            accept: self.accept.to_vec(),
            page_cache: if self.global.drop_cache {
                PageCache::Drop
            } else {
                PageCache::Keep
            },
        }
    }
}

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        Self::new(code::CATALOGUE, error)
    }
}

impl From<SurveyError> for Failure {
    fn from(error: SurveyError) -> Self {
        match error {
            SurveyError::Catalogue(error) => error.into(),
            // The signal's own number is put in where the program ends.
            error => Self::new(code::INTERRUPTED, error),
        }
    }
}
