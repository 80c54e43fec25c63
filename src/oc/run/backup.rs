//! Runs a plan: what happens in the cluster, clean-up, verification, in this order.

use super::cleanup::Remains;
use super::context::RunContext;
use super::debug_pod;
use super::earlier;
use super::error::OcError;
use super::host_shell::HostShell;
use super::leftover::Leftover;
use super::options::BackupTask;
use super::planned::BackupPlan;
use super::procedure::{carry_out, commands_of};
use super::put_aside::rename_aside;
use super::record::{BackupFailure, BackupRun, RunOutcome, VerificationResult};
use crate::monitor::Monitor;
use crate::names::PutAside;
use crate::oc::client::Oc;

/// Runs the plan. `after_fetch` verifies the two files and says whether they may be believed.
///
/// Whatever happens, the cluster is cleaned up before this returns, and no `.part` file is left here.
///
/// # Errors
/// [`BackupFailure`]: there is no backup under a final name. Interruptions are told by
/// [`OcError::is_interrupted`].
pub fn run(
    oc: &Oc,
    plan: &BackupPlan,
    monitor: &dyn Monitor,
    after_fetch: &mut dyn FnMut(&BackupRun) -> VerificationResult,
) -> Result<BackupRun, Box<BackupFailure>> {
    let context = RunContext::new(oc, plan, monitor);
    let mut remains = Remains::new(oc, plan);
    let result = carry_out(&context, &mut remains);
    let kept_on_node = (result.is_ok() && plan.options.keep_on_node)
        .then(|| remains.directory.take())
        .flatten();
    let is_resumed = plan.options.task == BackupTask::Resume;
    if result
        .as_ref()
        .is_err_and(|error| is_resumed || error.is_kept_on_host())
    {
        remains.keep_directory();
    }
    // What is in hand is proven before anything is waited for.
    let is_clean = remains.clean_up_once(monitor);
    let result = result.and_then(|taken| {
        let mut run = taken.into_run(&context, kept_on_node);
        judge(&mut run, monitor, after_fetch).map(|()| run)
    });
    if !is_clean {
        remains.clean_up(monitor);
    }
    let leftovers = remains.leftovers();
    remains.forget();
    match result {
        Ok(mut run) => {
            run.commands = commands_of(&context);
            run.leftovers = leftovers;
            Ok(run)
        }
        Err(error) => Err(Box::new(BackupFailure {
            error,
            leftovers,
            commands: oc.commands(),
        })),
    }
}

/// Removes what runs left whose heartbeat is over an hour old: in the cluster, and on each of its control-plane hosts.
/// Says what was removed from the hosts.
///
/// # Errors
/// [`BackupFailure`]: not all of it is removed.
pub fn clean(
    oc: &Oc,
    plan: &mut BackupPlan,
    monitor: &dyn Monitor,
) -> Result<Vec<String>, Box<BackupFailure>> {
    let mut remains = Remains::new(oc, plan);
    let result = clean_all(oc, plan, monitor, &mut remains);
    remains.clean_up(monitor);
    let leftovers = remains.leftovers();
    remains.forget();
    match result {
        Ok((removed, stay)) if leftovers.is_empty() && stay.is_empty() => Ok(removed),
        Ok((_, stay)) => Err(Box::new(BackupFailure {
            error: OcError::NotCleaned,
            leftovers: stay.into_iter().chain(leftovers).collect(),
            commands: oc.commands(),
        })),
        Err(error) => Err(Box::new(BackupFailure {
            error,
            leftovers,
            commands: oc.commands(),
        })),
    }
}

/// One host after the other. One that cannot be reached keeps nobody from the next.
fn clean_all(
    oc: &Oc,
    plan: &mut BackupPlan,
    monitor: &dyn Monitor,
    remains: &mut Remains<'_>,
) -> Result<(Vec<String>, Vec<Leftover>), OcError> {
    let context = RunContext::new(oc, plan, monitor);
    let stay = earlier::remove_from_cluster(&context)?;
    if context.plan.is_temporary() {
        debug_pod::make_namespace(&context, remains)?;
    }
    let mut removed = Vec::new();
    let mut failed = None;
    for node in plan.nodes.clone() {
        plan.node = node;
        match clean_host(&RunContext::new(oc, plan, monitor), remains) {
            Ok(directories) => {
                let told = directories.iter();
                removed.extend(told.map(|directory| format!("{directory} on {}", plan.node)));
            }
            Err(error) if error.is_interrupted() => return Err(error),
            Err(error) => {
                monitor.note(&format!("{} is not cleaned: {error}", plan.node));
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok((removed, stay)), Err)
}

fn clean_host(context: &RunContext<'_>, remains: &mut Remains<'_>) -> Result<Vec<String>, OcError> {
    remains.go_to(&context.plan.node, context.monitor);
    let mut shell = HostShell::open(*context, remains)?;
    let directories = earlier::stale_directories(&mut shell)?;
    earlier::remove(&mut shell, &directories)?;
    Ok(directories)
}

/// Lets the caller verify, and puts aside what is not believed.
fn judge(
    run: &mut BackupRun,
    monitor: &dyn Monitor,
    after_fetch: &mut dyn FnMut(&BackupRun) -> VerificationResult,
) -> Result<(), OcError> {
    let verification = after_fetch(run);
    let why = match &verification {
        VerificationResult::Passed => {
            run.outcome = RunOutcome::Verified;
            return Ok(());
        }
        VerificationResult::Failed => PutAside::Failed,
        VerificationResult::Unfinished(_) => PutAside::Unfinished,
    };
    let paths = [run.snapshot.path.clone(), run.kuberesources.path.clone()];
    let renamed = rename_aside(&paths, why)?;
    if let [snapshot, kuberesources] = renamed.as_slice() {
        run.snapshot.path.clone_from(snapshot);
        run.kuberesources.path.clone_from(kuberesources);
    }
    run.outcome = RunOutcome::Rejected;
    match verification {
        VerificationResult::Unfinished(_) if monitor.is_interrupted() => Err(OcError::Interrupted),
        VerificationResult::Unfinished(reason) => Err(OcError::NotVerified(reason)),
        VerificationResult::Passed | VerificationResult::Failed => Ok(()),
    }
}
