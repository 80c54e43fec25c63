//! Runs a plan: pod, script, transfer, clean-up, verification, in this order, each step once.

use super::cleanup::{Leftover, Remains};
use super::client::{Chunk, Limits, Oc};
use super::commands::{self, HostAccess};
use super::debug_pod;
use super::error::{OcError, RunError};
use super::host;
use super::options::Timeouts;
use super::plan::{BackupPlan, refuse_unforced};
use super::quarantine::{self, put_aside};
use super::reason::Reason;
use super::script_output::{ScriptOutput, SnapshotStatus, parse_script_output};
use super::space;
use super::transfer::{self, Fetched, RemoteFile};
use super::types::ClusterVersion;
use crate::digest::Sha256Digest;
use crate::monitor::Monitor;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The script prints some twenty lines; more than this is not kept.
const SCRIPT_OUTPUT_LIMIT_BYTES: usize = 1 << 20;

/// What the caller found when it verified the two files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verification {
    /// It may be believed.
    Passed,
    /// It may not: the files are put aside as `.failed-verification`.
    Failed,
    /// It was not finished, for this reason: the files are put aside as `.not-verified`.
    Unfinished(String),
}

/// How the run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Not verified yet: what the caller's closure sees.
    Fetched,
    /// A verified backup lies under its final names. Exit code 0.
    Verified,
    /// It failed verification and was put aside. Exit code 1.
    Rejected,
}

/// A backup that was taken and brought here, with its provenance.
#[derive(Clone, Debug)]
pub struct BackupRun {
    /// How it ended.
    pub outcome: Outcome,
    /// The host that it was taken on.
    pub node: String,
    /// The `.db`, where it lies now.
    pub snapshot: Fetched,
    /// The `.tar.gz`, where it lies now.
    pub kuberesources: Fetched,
    /// Every line that the script printed, stdout first, then stderr.
    pub script_output: Vec<String>,
    /// The script's status line; `None` before 4.6.
    pub status: Option<SnapshotStatus>,
    /// etcdctl that saved it; `None` when the script did not say.
    pub etcdctl_version: Option<String>,
    /// `oc` that was used.
    pub oc_version: Option<String>,
    /// ClusterVersion before the script ran.
    pub version_before: String,
    /// ClusterVersion after it; `None` when it could not be read again.
    pub version_after: Option<String>,
    /// ClusterVersion `spec.clusterID`.
    pub cluster_id: String,
    /// Infrastructure `status.infrastructureName`.
    pub infrastructure_name: Option<String>,
    /// Reasons against it that were overridden.
    pub forced: Vec<Reason>,
    /// When the script was started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub script_ended_at: DateTime<Utc>,
    /// `--keep-on-node`: the directory that stays on the host.
    pub kept_on_node: Option<String>,
    /// Every `oc` command line of this run, the look beforehand included.
    pub commands: Vec<Vec<String>>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
}

/// No backup, and what is left of the attempt.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct BackupFailure {
    /// Why. Its own causes are below it.
    #[source]
    pub error: OcError,
    /// What could not be removed from the cluster.
    pub leftovers: Vec<Leftover>,
    /// Every `oc` command line so far.
    pub commands: Vec<Vec<String>>,
}

/// What every step needs.
#[derive(Clone, Copy)]
pub(super) struct Context<'r> {
    pub(super) oc: &'r Oc,
    pub(super) plan: &'r BackupPlan,
    pub(super) timeouts: &'r Timeouts,
    pub(super) monitor: &'r dyn Monitor,
}

impl Context<'_> {
    pub(super) fn check_interrupted(&self) -> Result<(), OcError> {
        if self.monitor.is_interrupted() {
            Err(OcError::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Sleeps, and wakes up for Ctrl-C.
    pub(super) fn pause(&self, pause: Duration) -> Result<(), OcError> {
        let until = Instant::now() + pause;
        loop {
            self.check_interrupted()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// A short command on the host.
    fn command(&self, access: &HostAccess, words: &[&str]) -> Result<String, RunError> {
        let mut deadline = self.timeouts.command;
        if !access.is_binary_safe() {
            deadline += self.timeouts.pod_start;
        }
        let limits = Limits {
            deadline,
            silence: None,
        };
        self.oc.capture(&access.run(words), limits, self.monitor)
    }
}

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
    after_fetch: &mut dyn FnMut(&BackupRun) -> Verification,
) -> Result<BackupRun, BackupFailure> {
    let context = Context {
        oc,
        plan,
        timeouts: &plan.options.timeouts,
        monitor,
    };
    let mut remains = Remains::new(oc, &plan.node, &plan.namespace, context.timeouts.cleanup);
    let result = take(&context, &mut remains);
    let kept_on_node = (result.is_ok() && plan.options.keep_on_node)
        .then(|| remains.directory.take())
        .flatten();
    let leftovers = remains.clean_up(monitor);
    let failure = |error, leftovers| BackupFailure {
        error,
        leftovers,
        commands: oc.commands(),
    };
    let taken = match result {
        Ok(taken) => taken,
        Err(error) => return Err(failure(error, leftovers)),
    };
    let mut run = taken.into_run(&context, kept_on_node, leftovers);
    match judge(&mut run, monitor, after_fetch) {
        Ok(()) => Ok(run),
        Err(error) => Err(failure(error, run.leftovers)),
    }
}

/// Lets the caller verify, and puts aside what is not believed.
fn judge(
    run: &mut BackupRun,
    monitor: &dyn Monitor,
    after_fetch: &mut dyn FnMut(&BackupRun) -> Verification,
) -> Result<(), OcError> {
    let verification = after_fetch(run);
    let suffix = match &verification {
        Verification::Passed => {
            run.outcome = Outcome::Verified;
            return Ok(());
        }
        Verification::Failed => quarantine::FAILED,
        Verification::Unfinished(_) => quarantine::UNFINISHED,
    };
    let paths = [run.snapshot.path.clone(), run.kuberesources.path.clone()];
    let aside = put_aside(&paths, suffix)?;
    if let [snapshot, kuberesources] = aside.as_slice() {
        run.snapshot.path.clone_from(snapshot);
        run.kuberesources.path.clone_from(kuberesources);
    }
    run.outcome = Outcome::Rejected;
    match verification {
        Verification::Unfinished(_) if monitor.is_interrupted() => Err(OcError::Interrupted),
        Verification::Unfinished(reason) => Err(OcError::NotVerified(reason)),
        Verification::Passed | Verification::Failed => Ok(()),
    }
}

/// What the steps in the cluster came to.
struct Taken {
    snapshot: Fetched,
    kuberesources: Fetched,
    said: Said,
    version_after: Option<String>,
    forced: Vec<Reason>,
}

impl Taken {
    fn into_run(
        self,
        context: &Context<'_>,
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
            outcome: Outcome::Fetched,
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
fn take(context: &Context<'_>, remains: &mut Remains<'_>) -> Result<Taken, OcError> {
    let plan = context.plan;
    context.check_interrupted()?;
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
    let said = run_script(context, &access)?;
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
    Ok(Taken {
        snapshot,
        kuberesources,
        said,
        version_after,
        forced,
    })
}

/// Room on both sides, measured against the database as it is now. Gives all forced reasons of the run.
fn check_space(context: &Context<'_>, access: &HostAccess) -> Result<Vec<Reason>, OcError> {
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
    context: &Context<'_>,
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

/// What the script said, and when.
struct Said {
    output: ScriptOutput,
    lines: Vec<String>,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
}

/// Runs the script with its output shown live; its final line decides.
fn run_script(context: &Context<'_>, access: &HostAccess) -> Result<Said, OcError> {
    let started_at = Utc::now();
    let words = context.plan.script();
    let call = access.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let limits = Limits {
        deadline: context.timeouts.script,
        silence: None,
    };
    let mut stdout = LiveText::default();
    let mut stderr = LiveText::default();
    let result = context
        .oc
        .stream(&call, limits, context.monitor, &mut |chunk| {
            match chunk {
                Chunk::Stdout(bytes) => stdout.push(bytes, context.monitor),
                Chunk::Stderr(bytes) => stderr.push(bytes, context.monitor),
            }
            Ok(())
        });
    let status = match &result {
        Ok(_) => "exit code 0".to_owned(),
        Err(RunError::Failed { status, .. }) => status.clone(),
        // Stopped by us: whatever it printed, it was not done.
        Err(_) => {
            return Err(result
                .map(drop)
                .err()
                .map_or(OcError::Interrupted, OcError::from));
        }
    };
    let (stdout, stderr) = (
        stdout.finish(context.monitor),
        stderr.finish(context.monitor),
    );
    let output = parse_script_output(&stdout, &stderr, &context.plan.directory, &status);
    let output = match (output, result) {
        (Ok(output), _) => output,
        // `oc` itself failed before the script said a word.
        (Err(_), Err(error)) if stdout.trim().is_empty() && is_about_oc(&error) => {
            return Err(error.into());
        }
        (Err(failure), _) => return Err(failure.into()),
    };
    Ok(Said {
        output,
        lines: stdout
            .lines()
            .chain(stderr.lines())
            .map(str::to_owned)
            .collect(),
        started_at,
        ended_at: Utc::now(),
    })
}

/// `Error from server (NotFound): pods "p" not found`, `Unable to connect to the server: ...`
fn is_about_oc(error: &RunError) -> bool {
    let stderr = error.stderr();
    stderr.contains("Error from server") || stderr.contains("Unable to connect to the server")
}

/// Text that is told line by line as it comes, and kept.
#[derive(Default)]
struct LiveText {
    text: Vec<u8>,
    told: usize,
}

impl LiveText {
    fn push(&mut self, bytes: &[u8], monitor: &dyn Monitor) {
        if self.text.len().saturating_add(bytes.len()) > SCRIPT_OUTPUT_LIMIT_BYTES {
            return;
        }
        self.text.extend_from_slice(bytes);
        while let Some(rest) = self.text.get(self.told..)
            && let Some(length) = rest.iter().position(|&byte| byte == b'\n')
        {
            let line = rest.get(..length).unwrap_or_default();
            monitor.note(&printable(line));
            self.told += length + 1;
        }
    }

    fn finish(self, monitor: &dyn Monitor) -> String {
        let rest = self.text.get(self.told..).unwrap_or_default();
        if !rest.is_empty() {
            monitor.note(&printable(rest));
        }
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// A host's output cannot steer the terminal.
fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.chars()
        .filter(|character| !character.is_control())
        .collect()
}

/// An upgrade may have begun meanwhile; an API server that does not answer now is no reason to lose the backup.
fn version_after(context: &Context<'_>) -> Result<Option<String>, OcError> {
    match context
        .oc
        .json::<ClusterVersion>(&commands::cluster_version(), context.monitor)
    {
        Ok(cluster) => Ok(Some(cluster.status.desired.version)),
        Err(error @ RunError::Interrupted { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Size and digest of both files, as the host sees them: kuberesources, snapshot.
fn remote_files(
    context: &Context<'_>,
    access: &HostAccess,
    output: &ScriptOutput,
) -> Result<[RemoteFile; 2], OcError> {
    let path = |name: &str| format!("{}/{name}", context.plan.directory);
    let snapshot = path(&output.snapshot_name);
    let kuberesources = path(&output.kuberesources_name);
    let sizes = context.command(access, &host::sizes(&snapshot, &kuberesources))?;
    let digests = context.command(access, &host::digests(&snapshot, &kuberesources))?;
    let describe = |path: String, name: &str| -> Result<RemoteFile, OcError> {
        let missing = |problem: &str| OcError::RemoteFile {
            node: context.plan.node.clone(),
            path: path.clone(),
            problem: problem.to_owned(),
        };
        let size_bytes = value_before(&sizes, &path).and_then(|size| size.parse().ok());
        let digest = value_before(&digests, &path).and_then(parse_digest);
        Ok(RemoteFile {
            size_bytes: size_bytes.ok_or_else(|| missing("the host did not tell its size"))?,
            digest: digest.ok_or_else(|| missing("the host did not tell its SHA-256"))?,
            name: name.to_owned(),
            path: path.clone(),
        })
    };
    Ok([
        describe(kuberesources, &output.kuberesources_name)?,
        describe(snapshot, &output.snapshot_name)?,
    ])
}

/// The first word of the line that ends with the path, among other lines: `<size> <path>`, `<sha256>  <path>`.
fn value_before<'t>(text: &'t str, path: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let value = line
            .trim_end()
            .strip_suffix(path)?
            .strip_suffix(' ')?
            .trim();
        (!value.is_empty() && !value.contains(' ')).then_some(value)
    })
}

fn parse_digest(hex: &str) -> Option<Sha256Digest> {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?;
    Some(Sha256Digest(bytes.try_into().ok()?))
}

/// Gives both their final names, or neither.
fn name_both(
    context: &Context<'_>,
    kuberesources: transfer::PartFile,
    snapshot: transfer::PartFile,
) -> Result<(Fetched, Fetched), OcError> {
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
    directories
        .into_iter()
        .try_for_each(transfer::sync_directory)?;
    Ok((kuberesources, snapshot))
}

/// Half a backup under a final name would be worse than none.
fn remove_again(path: &PathBuf) {
    // On the way out already; a half that stays is found and named by every later check.
    let _ = std::fs::remove_file(path);
}
