//! The documented procedure, step by step, up to two files under their final names here.

use super::cleanup::{Leftover, Remains};
use super::context::RunContext;
use super::debug_pod;
use super::error::OcError;
use super::host;
use super::plan::refuse_unforced;
use super::record::{BackupRun, RunOutcome};
use super::remote_files::remote_files;
use super::script::{FinishedScript, execute};
use super::space;
use super::transfer;
use super::transfer::FetchedFile;
use crate::oc::client::{HostAccess, RunError};
use crate::oc::cluster::{RefusalReason, live_version};
use crate::source::{AtPath as _, sync_directory};
use std::path::Path;

/// What the steps in the cluster came to.
pub(super) struct CarriedOut {
    snapshot: FetchedFile,
    kuberesources: FetchedFile,
    said: FinishedScript,
    version_after: Option<String>,
    forced: Vec<RefusalReason>,
}

impl CarriedOut {
    pub(super) fn into_run(
        self,
        context: &RunContext<'_>,
        kept_on_node: Option<String>,
        leftovers: Vec<Leftover>,
    ) -> BackupRun {
        let plan = context.plan;
        let mut commands = plan.looked.clone();
        let all = context.oc.commands();
        // The client may have served other questions before this plan.
        let begun = all
            .iter()
            .rposition(|command| Some(command) == plan.looked.last());
        commands.extend(all.into_iter().skip(begun.map_or(0, |last| last + 1)));
        BackupRun {
            outcome: RunOutcome::Fetched,
            node: plan.node.clone(),
            snapshot: self.snapshot,
            kuberesources: self.kuberesources,
            script_output: self.said.lines,
            status: self.said.output.status,
            etcdctl_version: self.said.output.etcdctl_version,
            oc_version: plan.oc_version.clone(),
            version_before: plan.target.version.clone(),
            version_after: self.version_after,
            cluster_id: plan.target.cluster_id.clone(),
            infrastructure_name: plan.target.infrastructure_name.clone(),
            forced: self.forced,
            started_at: self.said.started_at,
            script_ended_at: self.said.ended_at,
            kept_on_node,
            commands,
            leftovers,
        }
    }
}

/// Everything that needs the cluster, in order.
pub(super) fn carry_out(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<CarriedOut, OcError> {
    let plan = context.plan;
    context.check_interrupted()?;
    space::make_directories(&plan.options)?;
    if plan.is_temporary() {
        debug_pod::make_namespace(context, remains)?;
    }
    let access = if plan.is_exec {
        context
            .monitor
            .note(&format!("starting a debug pod on {}", plan.node));
        debug_pod::start(context, remains)?
    } else {
        context.monitor.note("oc exec is not allowed: a debug pod for each command, the files as text through its log");
        plan.access("")
    };
    remains.access = Some(access.clone());
    let forced = check_space(context, &access)?;
    make_directory(context, remains, &access)?;
    let said = execute(context, &access)?;
    let version_after = version_after(context)?;
    let [kuberesources, snapshot] = remote_files(context, &access, &said.output)?;
    context.monitor.expect(
        2,
        kuberesources.size_bytes.saturating_add(snapshot.size_bytes),
    );
    let kuberesources = transfer::fetch(
        context,
        &access,
        &kuberesources,
        plan.options.keys_directory(),
    )?;
    let snapshot = transfer::fetch(context, &access, &snapshot, &plan.options.to)?;
    let (kuberesources, snapshot) = name_both(context, kuberesources, snapshot)?;
    Ok(CarriedOut {
        snapshot,
        kuberesources,
        said,
        version_after,
        forced,
    })
}

/// Room on both sides, measured against the database as it is now. Gives all forced reasons of the run.
fn check_space(
    context: &RunContext<'_>,
    access: &HostAccess,
) -> Result<Vec<RefusalReason>, OcError> {
    let options = &context.plan.options;
    let sizes = context.command(access, &host::database_size())?;
    let size = sizes
        .lines()
        .find_map(|line| line.trim().parse::<u64>().ok());
    let remote_file = |path: &str, problem: &str| OcError::RemoteFile {
        node: context.plan.node.clone(),
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let size =
        size.ok_or_else(|| remote_file("/var/lib/etcd/member/snap/db", "its size is unknown"))?;
    let df = context.command(access, &host::free_space(&options.host_directory))?;
    let free = space::parse_df(&df)
        .ok_or_else(|| remote_file(&options.host_directory, "its free space is unknown"))?;
    let mut reasons = space::local_reasons(options, size)?;
    reasons.extend(space::host_reason(&options.host_directory, free, size));
    let mut forced = context.plan.forced.clone();
    forced.extend(refuse_unforced(reasons, options)?);
    Ok(forced)
}

fn make_directory(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
    access: &HostAccess,
) -> Result<(), OcError> {
    let directory = &context.plan.directory;
    // Noted first: the answer may get lost although the directory was made.
    remains.directory = Some(directory.clone());
    match context.command(access, &host::make_directory(directory)) {
        Ok(_) => Ok(()),
        Err(error) => {
            if error.stderr().contains("File exists") {
                remains.directory = None;
            }
            Err(error.into())
        }
    }
}

/// An upgrade may have begun meanwhile; an API server that does not answer now is no reason to lose the backup.
fn version_after(context: &RunContext<'_>) -> Result<Option<String>, OcError> {
    match live_version(context.oc, context.monitor) {
        Ok(version) => Ok(Some(version)),
        Err(error @ RunError::Interrupted { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Gives both their final names, or neither.
fn name_both(
    context: &RunContext<'_>,
    kuberesources: transfer::PartFile,
    snapshot: transfer::PartFile,
) -> Result<(FetchedFile, FetchedFile), OcError> {
    context.check_interrupted()?;
    let kuberesources = kuberesources.rename()?;
    let snapshot = match snapshot.rename() {
        Ok(snapshot) => snapshot,
        Err(error) => {
            remove_again(&kuberesources.path);
            return Err(error);
        }
    };
    let options = &context.plan.options;
    let directories: [&Path; 2] = [options.keys_directory(), &options.to];
    let synced = directories
        .into_iter()
        .try_for_each(|directory| sync_directory(directory).at_path("write", directory));
    if let Err(error) = synced {
        remove_again(&kuberesources.path);
        remove_again(&snapshot.path);
        return Err(error.into());
    }
    Ok((kuberesources, snapshot))
}

/// One file of the two under a final name, or what a power cut may take apart, would be worse than none.
fn remove_again(path: &Path) {
    // On the way out already; a file that stays is found and named by every later check.
    let _ = std::fs::remove_file(path);
}
