//! `etcd-cat fleet`: one proof by many machines.

use super::recorded::recorded;
use super::{Invocation, metrics, report};
use crate::args::{
    FleetArgs, FleetCommand, FleetMergeArgs, FleetPlanArgs, FleetWorkArgs, ShardArg,
};
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{FleetMerge, FleetPlan, FleetWork};
use crate::reply::Reply;
use etcd_cat::fleet::{FleetError, FleetErrorClass, FleetRun, PlanOptions, WorkOptions};
use etcd_cat::instant::compact;
use etcd_cat::monitor::Monitor as _;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// How long to wait before looking again whether workers are done.
const PAUSE: Duration = Duration::from_secs(1);

/// Set by Kubernetes in each pod of an Indexed Job.
const JOB_COMPLETION_INDEX: &str = "JOB_COMPLETION_INDEX";

pub(super) fn run(args: &FleetArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    match &args.command {
        FleetCommand::Plan(args) => plan(args, invocation).map_err(Failure::of_job),
        FleetCommand::Work(args) => work(args, invocation).map_err(Failure::of_job),
        FleetCommand::Merge(args) => merge(args, invocation).map_err(Failure::of_no_job),
    }
}

fn plan(args: &FleetPlanArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let now = invocation.style.now;
    let name = args.run.clone();
    let options = PlanOptions {
        run: name.unwrap_or_else(|| compact(now)),
        shards: args.shards.get(),
        proven_within: args.proven_within,
        budget: args.budget.map(|budget| budget.at(args.rate)),
        now,
        stores: engine::stores(invocation.global),
    };
    let progress = invocation.progress;
    let (run, plan) = engine::fleet_plan(&args.locations, &args.to, &options, &request, progress)?;
    let answer = FleetPlan {
        run: &run,
        plan: &plan,
    };
    Reply::new(&answer, &invocation.style, Exit::Good)
}

fn work(args: &FleetWorkArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let shard = match args.shard {
        Some(shard) => shard,
        None => shard_of_job()?,
    };
    let options = WorkOptions {
        shard: shard.index,
        shards: shard.of,
        flush: args.flush.to_std().unwrap_or_default(),
        survey: invocation.request(&[]).survey_options(),
    };
    let run = FleetRun::of_plan(&args.plan, &engine::stores(invocation.global))?;
    let done = engine::fleet_work(&run, &options, invocation.progress)?;
    Reply::new(&FleetWork(&done), &invocation.style, Exit::Good)
}

/// The share of this pod.
fn shard_of_job() -> Result<ShardArg, Failure> {
    let index = std::env::var(JOB_COMPLETION_INDEX).ok();
    let shard = index.and_then(|index| index.parse().ok());
    shard.ok_or_else(|| {
        let message = format!("which share is not said: no --shard, and no {JOB_COMPLETION_INDEX}");
        Failure::new(code::USAGE, message).hint("give it: --shard 0, or run it in an Indexed Job")
    })
}

/// Remembers it, and has it told wherever somebody looks: the metrics tell of this run, too.
fn merge(args: &FleetMergeArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let mut reply = recorded("fleet", invocation, || merged(args, invocation))?;
    if let Some(path) = &args.metrics {
        metrics::write(path, &[], None, invocation)?;
    }
    if let Some(path) = &args.report {
        reply.notes.extend(report::write(path, invocation)?);
    }
    Ok(reply)
}

fn merged(args: &FleetMergeArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let run = FleetRun::of_plan(&args.plan, &engine::stores(invocation.global))?;
    if let Some(wait) = args.wait.and_then(|wait| wait.to_std().ok()) {
        await_workers(&run, wait, invocation)?;
    }
    let (merged, backups) = engine::fleet_merge(&run, &invocation.request(&[]))?;
    let exit = Exit::of_backups(&backups);
    let answer = FleetMerge {
        merged: &merged,
        backups: &backups,
    };
    let mut reply = Reply::new(&answer, &invocation.style, exit)?;
    reply.tally.bytes = merged.done.iter().map(|done| done.bytes).sum();
    let replaced: u64 = merged.done.iter().map(|done| done.replaced).sum();
    if replaced > 0 {
        reply.notes.push(format!(
            "{replaced} objects were replaced since they were planned: plan again to have them read"
        ));
    }
    Ok(reply)
}

/// Waits until all workers are done, or for so long.
fn await_workers(
    run: &FleetRun,
    wait: Duration,
    invocation: &Invocation<'_>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let shards = engine::fleet_shards(run)?;
    while begun.elapsed() < wait
        && !invocation.progress.is_interrupted()
        && !engine::fleet_is_done(run, shards)?
    {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

impl From<FleetError> for Failure {
    fn from(error: FleetError) -> Self {
        let hint = match &error {
            FleetError::RunExists { .. } => "give another name: --run NAME",
            FleetError::NotAPlan { .. } => {
                "name the plan.jsonl that fleet plan wrote, or plan again"
            }
            FleetError::ResultsInLocation { .. } | FleetError::ResultsAroundLocation { .. } => {
                "keep results in a place of their own: --to DIRECTORY"
            }
            FleetError::NotListed {
                kind: ErrorKind::NotFound,
                ..
            } => "correct the name of the location",
            FleetError::Away { .. } => {
                "mount it, or try again later; what is gone for good is dropped with etcd-cat locations --drop"
            }
            FleetError::NotDone { .. } => "start these workers again, or wait for them: --wait 2h",
            FleetError::Later { .. } => "merge with the etcd-cat that the workers have",
            FleetError::Fragment { .. } => {
                "remove this file and the done.json beside it, and start the worker of its shard again"
            }
            _ => "",
        };
        let (code, exit) = match error.class() {
            FleetErrorClass::Interrupted => return Self::new(code::INTERRUPTED, error),
            FleetErrorClass::Hopeless => (code::USAGE, Exit::Misused),
            FleetErrorClass::TryAgain => (code::IO, Exit::Troubled),
        };
        let failure = match error {
            FleetError::Catalogue(error) => error.into(),
            error => Self::new(code, error),
        };
        let failure = failure.exit(exit);
        if hint.is_empty() {
            return failure;
        }
        failure.hint(hint)
    }
}
