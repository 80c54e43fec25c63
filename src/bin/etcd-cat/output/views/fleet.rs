//! The parts of a run over a fleet as documents.

use super::API_VERSION;
use crate::output::text;
use etcd_cat::backup::Verdict;
use etcd_cat::fleet::{Done, FleetRun, LeftOut, Merged, Plan};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::selection::{Candidate as _, Summary};
use serde::Serialize;

/// `kind: FleetPlan`, of `fleet plan`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FleetPlanView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `FleetPlan`.
    kind: &'static str,
    /// What the run is called.
    run: String,
    /// The file with the plan.
    plan: String,
    /// When it was planned.
    created_at: String,
    /// Number of workers.
    shards: u32,
    /// What was listed.
    locations: Vec<String>,
    /// Objects to read.
    objects: u64,
    /// Their bytes.
    bytes: u64,
    /// Left out, as it was proven recently and is unchanged.
    recent: LeftOutView,
    /// Left out, as it goes beyond the budget.
    over_budget: LeftOutView,
}

/// What is not read in this run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LeftOutView {
    /// Objects.
    objects: u64,
    /// Their bytes.
    bytes: u64,
}

/// `kind: FleetWork`, of `fleet work`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FleetWorkView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `FleetWork`.
    kind: &'static str,
    /// Which share, counted from 0.
    shard: u32,
    /// Of how many.
    shards: u32,
    /// Objects that were read.
    objects: u64,
    /// Their bytes.
    bytes: u64,
    /// Of these, objects that a worker before had read.
    resumed: u64,
    /// Objects that are gone since they were planned.
    gone: u64,
    /// Objects that others have taken the place of since: they are for the next plan.
    replaced: u64,
}

/// `kind: FleetMerge`, of `fleet merge`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FleetMergeView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `FleetMerge`.
    kind: &'static str,
    /// What the run is called.
    run: String,
    /// When it was planned.
    created_at: String,
    /// Number of workers.
    shards: u32,
    /// Objects that were read.
    objects: u64,
    /// Their bytes.
    bytes: u64,
    /// Objects that are gone since they were planned.
    gone: u64,
    /// Objects that others have taken the place of since: they are for the next plan.
    replaced: u64,
    /// Files of which the catalogue has learnt something.
    remembered: u64,
    /// Backups at the locations of the run that are valid.
    valid: usize,
    /// Those with warnings.
    warning: usize,
    /// Those that are invalid.
    invalid: usize,
    /// Those that could not be read, or are gone.
    unknown: usize,
}

impl From<LeftOut> for LeftOutView {
    fn from(left_out: LeftOut) -> Self {
        Self {
            objects: left_out.objects,
            bytes: left_out.bytes,
        }
    }
}

impl FleetPlanView {
    /// What was planned.
    pub(crate) fn new(run: &FleetRun, plan: &Plan) -> Self {
        let head = &plan.head;
        Self {
            api_version: API_VERSION,
            kind: "FleetPlan",
            run: head.run.clone(),
            plan: text::path(run.plan()),
            created_at: rfc3339_seconds(head.created_at),
            shards: head.shards,
            locations: head.locations.iter().map(text::path).collect(),
            objects: plan.objects(),
            bytes: plan.bytes(),
            recent: head.recent.into(),
            over_budget: head.over_budget.into(),
        }
    }
}

impl FleetWorkView {
    /// What was done.
    pub(crate) fn new(done: &Done) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "FleetWork",
            shard: done.shard,
            shards: done.shards,
            objects: done.objects,
            bytes: done.bytes,
            resumed: done.resumed,
            gone: done.gone,
            replaced: done.replaced,
        }
    }
}

impl FleetMergeView {
    /// What was merged.
    pub(crate) fn new(merged: &Merged, backups: &[Summary]) -> Self {
        let plan = &merged.plan;
        let sum = |of: fn(&Done) -> u64| merged.done.iter().map(of).sum();
        let number = |verdict| {
            backups
                .iter()
                .filter(|one| one.verdict() == verdict)
                .count()
        };
        Self {
            api_version: API_VERSION,
            kind: "FleetMerge",
            run: plan.run.clone(),
            created_at: rfc3339_seconds(plan.created_at),
            shards: plan.shards,
            objects: sum(|done| done.objects),
            bytes: sum(|done| done.bytes),
            gone: sum(|done| done.gone),
            replaced: sum(|done| done.replaced),
            remembered: merged.files,
            valid: number(Verdict::Valid),
            warning: number(Verdict::Warning),
            invalid: number(Verdict::Invalid),
            unknown: number(Verdict::Unknown),
        }
    }
}
