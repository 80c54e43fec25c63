//! The documented procedure, step by step, up to two files under their final names here.

use super::cleanup::Remains;
use super::context::{RunContext, Volume};
use super::debug_pod;
use super::earlier;
use super::error::OcError;
use super::host;
use super::host_shell::HostShell;
use super::leftover::Leftover;
use super::options::BackupTask;
use super::plan::refuse_unforced;
use super::policy::{self, Found, FoundVolume};
use super::record::{BackupRun, RunOutcome};
use super::remote_files::remote_files;
use super::script::{FinishedScript, execute};
use super::space;
use super::transfer;
use super::transfer::{FetchedFile, PartFile, RemoteFile};
use crate::oc::client::{OutputChunk, RunError, RunLimits, Wait, one_line};
use crate::oc::cluster::{RefusalReason, live_version};
use crate::source::{AtPath as _, sync_directory};
use std::path::Path;

/// What the steps in the cluster came to.
pub(super) struct CarriedOut {
    node: String,
    policy: Option<String>,
    snapshot: FetchedFile,
    kuberesources: FetchedFile,
    said: FinishedScript,
    version_after: Option<String>,
    forced: Vec<RefusalReason>,
    earlier: Vec<Leftover>,
}

impl CarriedOut {
    pub(super) fn into_run(
        self,
        context: &RunContext<'_>,
        kept_on_node: Option<String>,
    ) -> BackupRun {
        let plan = context.plan;
        let asked = self.said.output.endpoint;
        let asked_node = asked.and_then(|address| plan.node_at(address));
        BackupRun {
            outcome: RunOutcome::Fetched,
            node: self.node,
            pod: self.said.pod,
            image: self.said.image,
            snapshot: self.snapshot,
            kuberesources: self.kuberesources,
            script_output: self.said.lines,
            status: self.said.output.status,
            asked_node: asked_node.map(str::to_owned),
            static_pods: self.said.output.static_pods,
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
            policy: self.policy,
            commands: commands_of(context),
            leftovers: Vec::new(),
            earlier: self.earlier,
        }
    }
}

/// Every command so far: those of the look beforehand, and of the run.
pub(super) fn commands_of(context: &RunContext<'_>) -> Vec<Vec<String>> {
    let looked = &context.plan.looked;
    let mut commands = looked.clone();
    let all = context.oc.commands();
    // The client may have served other questions before this plan.
    let begun = all
        .iter()
        .rposition(|command| Some(command) == looked.last());
    commands.extend(all.into_iter().skip(begun.map_or(0, |last| last + 1)));
    commands
}

/// Everything that needs the cluster, in order.
pub(super) fn carry_out(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<CarriedOut, OcError> {
    let plan = context.plan;
    context.check_interrupted()?;
    space::make_directories(&plan.options)?;
    let earlier = earlier::remove_from_cluster(context)?;
    if plan.is_temporary() {
        debug_pod::make_namespace(context, remains)?;
    }
    match plan.options.task {
        BackupTask::FromPolicy => bring_policy_backup(context, remains),
        BackupTask::Resume => resume_backup(context, remains, earlier),
        BackupTask::Take | BackupTask::Clean => take_backup(context, remains, earlier),
    }
}

/// A new one, from the look at the room for it on.
fn take_backup(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
    mut earlier: Vec<Leftover>,
) -> Result<CarriedOut, OcError> {
    let mut shell = HostShell::open(*context, remains)?;
    let forced = check_space(&mut shell)?;
    let directories = earlier::stale_directories(&mut shell)?;
    earlier.extend(earlier::tell(&shell, &directories));
    make_directory(&mut shell)?;
    let said = execute(&mut shell)?;
    bring_finished(&mut shell, &context.plan.directory, said, forced, earlier)
}

/// What an earlier run had finished, and could not bring here.
fn resume_backup(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
    earlier: Vec<Leftover>,
) -> Result<CarriedOut, OcError> {
    let mut shell = HostShell::open(*context, remains)?;
    let (directory, said) = earlier::finished(&mut shell)?;
    context.monitor.note(&format!(
        "bringing in what an earlier run left in {directory} on {}",
        context.plan.node
    ));
    shell.remains.directory = Some(directory.clone());
    // From here on somebody is at work in it: no `--clean` of another machine takes it away.
    shell.beat_beside_files(&directory)?;
    let forced = context.plan.forced.clone();
    bring_finished(&mut shell, &directory, said, forced, earlier)
}

/// Brings in what lies in a directory in which the script has done its work.
fn bring_finished(
    shell: &mut HostShell<'_, '_>,
    directory: &str,
    said: FinishedScript,
    mut forced: Vec<RefusalReason>,
    earlier: Vec<Leftover>,
) -> Result<CarriedOut, OcError> {
    let context = shell.context;
    let node = &context.plan.node;
    forced.extend(said.forced.clone());
    let version_after = version_after(&context)?;
    let brought = remote_files(shell, directory, &said.output)
        .and_then(|files| {
            if context.plan.options.task == BackupTask::Resume {
                forced.extend(check_local_space(&context, &files)?);
            }
            bring(shell, &files)
        })
        .map_err(|error| error.behind_the_script(node, directory));
    let (kuberesources, snapshot) = brought?;
    Ok(CarriedOut {
        node: node.clone(),
        policy: None,
        snapshot,
        kuberesources,
        said,
        version_after,
        forced,
        earlier,
    })
}

/// The newest that the cluster's own policy left, read and left where it is.
fn bring_policy_backup(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<CarriedOut, OcError> {
    let options = &context.plan.options;
    let Found {
        backup: found,
        volume,
    } = policy::newest(context, remains)?;
    let (node, directory) = (&found.node, &found.directory);
    let note = format!("bringing in the newest, {directory} on {node}");
    context.monitor.note(&note);
    let mut shell = match &volume {
        Some(FoundVolume { claim, image, pod }) => {
            let context = context.in_volume(node, Volume { claim, image });
            HostShell::through(pod.clone(), context, remains)
        }
        None => HostShell::open(context.on(node), remains)?,
    };
    let files = remote_files(&mut shell, directory, &found.output)?;
    if let Some(path) = policy::present(options, &files)? {
        return Err(OcError::AlreadyHere { path });
    }
    let mut forced = context.plan.forced.clone();
    forced.extend(check_local_space(context, &files)?);
    let (kuberesources, snapshot) = bring(&mut shell, &files)?;
    Ok(CarriedOut {
        node: found.node,
        policy: Some(found.directory),
        snapshot,
        kuberesources,
        said: FinishedScript::of_policy(found.output, found.taken_at),
        version_after: None,
        forced,
        earlier: Vec::new(),
    })
}

/// Both files, under their final names.
fn bring(
    shell: &mut HostShell<'_, '_>,
    [kuberesources, snapshot]: &[RemoteFile; 2],
) -> Result<(FetchedFile, FetchedFile), OcError> {
    let context = shell.context;
    let options = &context.plan.options;
    let bytes = kuberesources.size_bytes.saturating_add(snapshot.size_bytes);
    context.monitor.expect(2, bytes);
    let kuberesources = transfer::fetch(shell, kuberesources, options.keys_directory())?;
    let snapshot = transfer::fetch(shell, snapshot, &options.to)?;
    name_both(&context, kuberesources, snapshot)
}

/// Room on both sides, measured against the database as it is now. Gives all forced reasons of the run.
fn check_space(shell: &mut HostShell<'_, '_>) -> Result<Vec<RefusalReason>, OcError> {
    let plan = shell.context.plan;
    let options = &plan.options;
    let sizes = shell.command(&host::database_size())?;
    let size = sizes
        .lines()
        .find_map(|line| line.trim().parse::<u64>().ok());
    let remote_file = |path: &str, problem: &str| OcError::RemoteFile {
        node: plan.node.clone(),
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    // Where streams are merged and statuses get lost, the reason is among what was said.
    let unknown = |what: &str, said: &str| format!("its {what} is unknown: {}", one_line(said));
    let size =
        size.ok_or_else(|| remote_file("/var/lib/etcd/member/snap/db", &unknown("size", &sizes)))?;
    let df = shell.command(&host::free_space(&options.host_directory))?;
    let free = space::parse_df(&df)
        .ok_or_else(|| remote_file(&options.host_directory, &unknown("free space", &df)))?;
    let mut reasons = space::local_reasons(options, size)?;
    reasons.extend(space::host_reason(&options.host_directory, free, size));
    let mut forced = plan.forced.clone();
    forced.extend(refuse_unforced(reasons, options)?);
    Ok(forced)
}

/// Room here for files that are there already. Gives the forced reasons.
fn check_local_space(
    context: &RunContext<'_>,
    [_, snapshot]: &[RemoteFile; 2],
) -> Result<Vec<RefusalReason>, OcError> {
    let options = &context.plan.options;
    let reasons = space::local_reasons(options, snapshot.size_bytes)?;
    refuse_unforced(reasons, options)
}

fn make_directory(shell: &mut HostShell<'_, '_>) -> Result<(), OcError> {
    let directory = shell.context.plan.directory.as_str();
    let mut wait = Wait::new(shell.context.patience());
    let mut is_first = true;
    // Noted first: the answer may get lost although the directory was made.
    shell.remains.directory = Some(directory.to_owned());
    loop {
        let limits = RunLimits {
            deadline: shell.context.oc.patient(shell.context.timeouts.command),
            silence: None,
        };
        let words = host::make_directory(directory);
        let mut said = String::new();
        let made = shell.stream_once(&words, limits, &mut |chunk| {
            let (OutputChunk::Stdout(bytes) | OutputChunk::Stderr(bytes)) = chunk;
            said.push_str(&String::from_utf8_lossy(bytes));
            Ok(())
        });
        let exists = said.contains("File exists");
        match made {
            Ok(()) if !exists => break,
            // An earlier try of ours made it, and only its answer was lost.
            _ if exists && !is_first => break,
            _ if exists => {
                shell.remains.directory = None;
                let node = shell.context.plan.node.clone();
                return Err(OcError::RemoteFile {
                    node,
                    path: directory.to_owned(),
                    problem: "it exists already, expected a fresh directory".to_owned(),
                });
            }
            Ok(()) => break,
            Err(error) => shell.mend(error, &mut wait)?,
        }
        is_first = false;
    }
    wait.over(shell.context.monitor);
    Ok(())
}

/// An upgrade may have begun meanwhile; an API server that does not answer now is no reason to lose the backup.
fn version_after(context: &RunContext<'_>) -> Result<Option<String>, OcError> {
    match live_version(context.oc, context.patience(), context.monitor) {
        Ok(version) => Ok(Some(version)),
        Err(error @ RunError::Interrupted { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Gives both their final names, or neither.
fn name_both(
    context: &RunContext<'_>,
    kuberesources: PartFile,
    snapshot: PartFile,
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
