//! Where the commands meet the work: each function asks for one thing and says in what form it comes back.

mod cluster;
mod inside;
mod stores;
mod take;

pub(crate) use cluster::live_cluster;
pub(crate) use inside::{differences, kinds, live_differences, objects, sizes};
pub(crate) use stores::stores;
pub(crate) use take::take;

use crate::args::GlobalArgs;
use crate::error::{Failure, code};
use chrono::{DateTime, Utc};
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{
    Catalogue, CatalogueDamage, CatalogueError, CatalogueLocation, RebuiltCatalogue, Run,
    RunRecord, default_location,
};
use etcd_cat::discovery::Shard;
use etcd_cat::finding::Code;
use etcd_cat::fleet::{self, Done, FleetRun, Merged, Plan, PlanOptions, WorkOptions};
use etcd_cat::monitor::Monitor;
use etcd_cat::overview::Glance;
use etcd_cat::restore::{ClusterUnclear, HostError, SeveralClusters};
use etcd_cat::selection::{ClusterAmbiguous, KnownCluster, Selection, Summary, TargetVersion};
use etcd_cat::source::{ObjectId, PageCache, Stores};
use etcd_cat::survey::{
    self, CheckError, Checked, Decrypt, Depth, Indexed, MissingRecords, RememberedLocation, Survey,
    SurveyError, SurveyOptions, Unchanged,
};
use std::collections::BTreeMap;

/// What every request to the engine carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Catalogue, jobs, cache.
    pub(crate) global: &'a GlobalArgs,
    /// Now, or what is taken for it.
    pub(crate) as_of: DateTime<Utc>,
    /// Collects what in the catalogue is not as it was written.
    pub(crate) damage: &'a CatalogueDamage,
    /// Findings that do not count.
    pub(crate) accept: &'a [Code],
    /// How many encrypted values keys are tried on.
    pub(crate) decrypt: Decrypt,
    /// Only this part of what lies at locations.
    pub(crate) shard: Option<Shard>,
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
    locations: &[ObjectId],
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::index(locations, &catalogue, &options, monitor)?)
}

/// The same, in short where nothing is new and `is_enough`.
pub(crate) fn index_in_short(
    locations: &[ObjectId],
    is_enough: impl FnOnce(&Unchanged) -> bool,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Indexed, Failure> {
    let (catalogue, options) = request.opened()?;
    let indexed = survey::index_in_short(locations, &catalogue, &options, is_enough, monitor);
    Ok(indexed?)
}

/// Makes the catalogue anew and reads everything at `locations` and at the remembered ones.
pub(crate) fn rebuild(
    locations: &[ObjectId],
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<(RebuiltCatalogue, Survey), Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::rebuild(locations, &catalogue, &options, monitor)?)
}

/// Reads every byte below `locations` (without any: below the remembered ones).
pub(crate) fn verify(
    locations: &[ObjectId],
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::verify(locations, &catalogue, &options, monitor)?)
}

/// Reads a snapshot from standard input. The catalogue has no part in it.
pub(crate) fn verify_stream(
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let options = request.options(Depth::Everything);
    let stream = std::io::stdin();
    Ok(survey::examine_stream(stream, &options, monitor)?)
}

/// Chooses a backup to restore `version` from, among what lies at `locations` or else what the catalogue holds.
pub(crate) fn check(
    locations: &[ObjectId],
    version: &TargetVersion,
    selection: &Selection,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Checked, Failure> {
    let (catalogue, options) = request.opened()?;
    let checked = if locations.is_empty() {
        survey::check_remembered(version, selection, &catalogue, &options, monitor)
    } else {
        survey::check_locations(locations, version, selection, &catalogue, &options, monitor)
    };
    Ok(checked?)
}

/// Everything in the catalogue, judged as of the request.
pub(crate) fn recall(request: &Request<'_>) -> Result<Vec<Backup>, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::recall(&catalogue, &options)?)
}

/// The same in short, as much as a plain list shows. What `selection` does not show is known only roughly, if at all.
pub(crate) fn glance(selection: &Selection, request: &Request<'_>) -> Result<Glance, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::glance(&catalogue, selection, &options)?)
}

/// The same for a list that leaves choosing to who reads it.
pub(crate) fn glance_to_list(
    selection: &Selection,
    request: &Request<'_>,
) -> Result<Glance, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::glance_to_list(&catalogue, selection, &options)?)
}

/// What [`glance`] finds, if it need not be judged for it.
pub(crate) fn kept_glance(
    selection: &Selection,
    request: &Request<'_>,
) -> Result<Option<Glance>, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::kept_glance(&catalogue, selection, &options)?)
}

/// All that is known of one backup that was seen in short; `None` where only [`recall`] can tell.
pub(crate) fn recall_one(
    summary: &Summary,
    request: &Request<'_>,
) -> Result<Option<Backup>, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::recall_one(&catalogue, summary, &options)?)
}

/// What came of the last run of each kind, by its name.
pub(crate) fn runs(request: &Request<'_>) -> Result<BTreeMap<String, RunRecord>, Failure> {
    let (catalogue, _) = request.opened()?;
    Ok(catalogue.runs()?)
}

/// Remembers what came of a run.
pub(crate) fn record_run(name: &str, run: &Run, global: &GlobalArgs) -> Result<(), Failure> {
    Ok(catalogue(global)?.record_run(name, run)?)
}

/// Drops the records of these backups.
pub(crate) fn forget(backups: &[&Backup], request: &Request<'_>) -> Result<(), Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::forget(backups, &catalogue, &options.stores)?)
}

/// The name that somebody typed, absolute, as that of a member where an archive lies in front of a `!/` in it.
pub(crate) fn resolve(name: &str, stores: &Stores) -> ObjectId {
    stores.resolve(&ObjectId::from(name).absolute())
}

/// Records whose files are gone.
pub(crate) fn missing(request: &Request<'_>) -> Result<MissingRecords, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::missing(&catalogue, &options)?)
}

/// Drops them.
pub(crate) fn forget_missing(
    missing: &MissingRecords,
    request: &Request<'_>,
) -> Result<(), Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::forget_missing(
        missing,
        &catalogue,
        &options.stores,
    )?)
}

/// The remembered locations.
pub(crate) fn locations(request: &Request<'_>) -> Result<Vec<RememberedLocation>, Failure> {
    let (catalogue, options) = request.opened()?;
    Ok(survey::locations(&catalogue, &options)?)
}

/// Forgets a location; false when it is none.
pub(crate) fn drop_location(location: &ObjectId, request: &Request<'_>) -> Result<bool, Failure> {
    let (catalogue, _) = request.opened()?;
    Ok(survey::drop_location(&catalogue, location)?)
}

/// Plans a run over a fleet.
pub(crate) fn fleet_plan(
    locations: &[ObjectId],
    results: &ObjectId,
    options: &PlanOptions,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<(FleetRun, Plan), Failure> {
    let (catalogue, _) = request.opened()?;
    let known = catalogue.load_files()?;
    Ok(fleet::plan(locations, results, &known, options, monitor)?)
}

/// Works on one share of a plan.
pub(crate) fn fleet_work(
    run: &FleetRun,
    options: &WorkOptions,
    monitor: &dyn Monitor,
) -> Result<Done, Failure> {
    Ok(fleet::work(run, options, monitor)?)
}

/// How many shares a run has.
pub(crate) fn fleet_shards(run: &FleetRun) -> Result<u32, Failure> {
    Ok(fleet::shards(run)?)
}

/// Are all of so many shares done?
pub(crate) fn fleet_is_done(run: &FleetRun, shards: u32) -> Result<bool, Failure> {
    Ok(fleet::not_done(run, shards)?.is_empty())
}

/// Remembers the results of a run, and says how the backups at its locations stand then.
pub(crate) fn fleet_merge(
    run: &FleetRun,
    request: &Request<'_>,
) -> Result<(Merged, Vec<Summary>), Failure> {
    let (catalogue, options) = request.opened()?;
    let merged = fleet::merge(run, &catalogue, &options.stores)?;
    let backups = survey::within(&catalogue, &merged.plan.locations, &options)?;
    Ok((merged, backups))
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

impl Request<'_> {
    /// How a survey is made for it.
    pub(crate) fn survey_options(&self) -> SurveyOptions {
        self.options(Depth::Everything)
    }

    /// The catalogue, and how to ask it.
    fn opened(&self) -> Result<(Catalogue, SurveyOptions), Failure> {
        Ok((
            catalogue(self.global)?.telling(self.damage.clone()),
            self.options(Depth::New),
        ))
    }

    fn options(&self, depth: Depth) -> SurveyOptions {
        SurveyOptions {
            depth,
            decrypt: self.decrypt,
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
            stores: stores(self.global),
            shard: self.shard,
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
            SurveyError::NoLocation => Self::new(code::USAGE, error)
                .hint("name a directory or a file: etcd-cat verify /backup"),
            // The signal's own number is put in where the program ends.
            error => Self::new(code::INTERRUPTED, error),
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Survey(error) => error.into(),
            CheckError::Cluster(ClusterUnclear::Several(error)) => error.into(),
            CheckError::Cluster(ClusterUnclear::Ambiguous(error)) => error.into(),
            error => Self::new(code::USAGE, error),
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let hint = "name control-plane hosts as the nodes are called, or by their address: --lost HOST, --recovery-host HOST";
        Self::new(code::USAGE, error).hint(hint)
    }
}

impl From<ClusterAmbiguous> for Failure {
    fn from(error: ClusterAmbiguous) -> Self {
        Self::new(code::USAGE, error).hint("give the id of one of them, or its whole name")
    }
}

impl From<SeveralClusters> for Failure {
    fn from(error: SeveralClusters) -> Self {
        let named = |cluster: &KnownCluster| cluster.name.clone().or_else(|| cluster.id.clone());
        let example = error.clusters.iter().find_map(named);
        let example = example.unwrap_or_else(|| "NAME".to_owned());
        Self::new(code::USAGE, error).hint(format!(
            "say which one is to be restored, such as --cluster {example}"
        ))
    }
}
