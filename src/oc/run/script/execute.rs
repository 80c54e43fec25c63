//! Runs `cluster-backup.sh` on the host and shows its output as it comes.

use super::failure::ScriptFailure;
use super::output::{ScriptOutput, parse_script_output};
use crate::monitor::Monitor;
use crate::oc::client::{OutputChunk, RunError, RunLimits, Wait};
use crate::oc::cluster::RefusalReason;
use crate::oc::run::error::OcError;
use crate::oc::run::host;
use crate::oc::run::host_shell::HostShell;
use chrono::{DateTime, Utc};
use std::time::Instant;

/// The script prints some twenty lines; of more than this the older half is dropped, for the last lines decide.
const SCRIPT_OUTPUT_LIMIT_BYTES: usize = 1 << 20;

/// A cluster in which the way to the script breaks more often than this has other worries.
const ATTEMPTS: u32 = 3;

/// What the script said, and when.
pub(crate) struct FinishedScript {
    pub(crate) output: ScriptOutput,
    pub(crate) lines: Vec<String>,
    /// The pod that it ran in, and the image of that.
    pub(crate) pod: Option<String>,
    pub(crate) image: Option<String>,
    /// What the script itself saw and was forced to overlook.
    pub(crate) forced: Option<RefusalReason>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) ended_at: DateTime<Utc>,
}

impl FinishedScript {
    /// Somebody else's: its name tells when.
    pub(crate) fn of_policy(output: ScriptOutput, at: DateTime<Utc>) -> Self {
        Self {
            started_at: at,
            ended_at: at,
            ..Self::of_an_earlier_run(output)
        }
    }

    /// Nobody heard it: the files speak for themselves.
    pub(crate) fn of_an_earlier_run(output: ScriptOutput) -> Self {
        let now = crate::instant::now();
        Self {
            output,
            lines: Vec::new(),
            pod: None,
            image: None,
            forced: None,
            started_at: now,
            ended_at: now,
        }
    }
}

/// What became of one run of the script.
enum Attempt {
    Finished(Box<FinishedScript>),
    /// It was cut off from us: it may have done its work, or not, or be at it.
    CutOff(RunError),
}

/// Runs the script with its output shown live; its final line decides. Where the way to it broke off, it is ended, what
/// it left is removed, and it is run again.
pub(crate) fn execute(shell: &mut HostShell<'_, '_>) -> Result<FinishedScript, OcError> {
    let mut attempts = 1;
    let mut is_forced = shell.context.plan.is_script_forced();
    let mut forced = None;
    loop {
        match attempt(shell, is_forced) {
            Ok(Attempt::Finished(said)) => return Ok(FinishedScript { forced, ..*said }),
            Ok(Attempt::CutOff(source)) if attempts >= ATTEMPTS => {
                return Err(OcError::CutOff { attempts, source });
            }
            Ok(Attempt::CutOff(error)) => start_over(shell, error)?,
            Err(OcError::Script(failure)) if !is_forced => {
                let reason = overridden(shell, failure)?;
                let monitor = shell.context.monitor;
                monitor.note(&format!("overridden: {reason}: the script is forced"));
                forced = Some(reason);
                is_forced = true;
                continue;
            }
            Err(error) => return Err(error),
        }
        attempts += 1;
    }
}

/// What the script saw for itself when nothing had been seen beforehand; it has made nothing then.
fn overridden(
    shell: &HostShell<'_, '_>,
    failure: ScriptFailure,
) -> Result<RefusalReason, ScriptFailure> {
    let forced = &shell.context.plan.options.forced;
    match failure.reason().filter(|code| forced.contains(code)) {
        Some(code) => Ok(RefusalReason::new(code, failure.to_string())),
        None => Err(failure),
    }
}

/// Waits until nothing of the last attempt runs any more, and makes its directory a fresh one.
fn start_over(shell: &mut HostShell<'_, '_>, error: RunError) -> Result<(), OcError> {
    let context = shell.context;
    let directory = context.plan.directory.as_str();
    context.monitor.note(&format!(
        "cluster-backup.sh was cut off ({}): it is run again",
        error.reason()
    ));
    let mut wait = Wait::new(context.patience());
    shell.mend(error, &mut wait)?;
    let begun = Instant::now();
    // Each command of it has the directory among its arguments.
    let running = host::running(directory);
    let running = running.each_ref().map(String::as_str);
    while !shell.command(&running)?.trim().is_empty() {
        if begun.elapsed() > context.timeouts.script {
            break;
        }
        context.pause(context.timeouts.poll)?;
    }
    let again = host::make_directory_again(directory);
    shell.command(&again.each_ref().map(String::as_str))?;
    Ok(())
}

fn attempt(shell: &mut HostShell<'_, '_>, is_forced: bool) -> Result<Attempt, OcError> {
    let context = shell.context;
    let started_at = crate::instant::now();
    let words = context.plan.script(is_forced);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let limits = RunLimits {
        deadline: context.timeouts.script,
        silence: None,
    };
    let mut stdout = LiveText::default();
    let mut stderr = LiveText::default();
    let result = shell.stream_once(&words, limits, &mut |chunk| {
        match chunk {
            OutputChunk::Stdout(bytes) => stdout.push(bytes, context.monitor),
            OutputChunk::Stderr(bytes) => stderr.push(bytes, context.monitor),
        }
        Ok(())
    });
    let status = match &result {
        Ok(()) => "exit code 0".to_owned(),
        Err(RunError::Failed { status, .. }) => status.clone(),
        // Stopped by us: whatever it printed, it was not done.
        Err(_) => {
            return Err(result.err().map_or(OcError::Interrupted, OcError::from));
        }
    };
    let (stdout, stderr) = (
        stdout.finish(context.monitor),
        stderr.finish(context.monitor),
    );
    let output = parse_script_output(&stdout, &stderr, &context.plan.directory, &status);
    let output = match (output, result) {
        (Ok(output), _) => output,
        (Err(failure), Err(error)) if failure.is_unfinished() && is_cut_off(&error) => {
            return Ok(Attempt::CutOff(error));
        }
        // `oc` itself failed before the script said a word.
        (Err(_), Err(error)) if stdout.trim().is_empty() && is_about_oc(&error) => {
            return Err(error.into());
        }
        (Err(failure), _) => return Err(failure.into()),
    };
    Ok(Attempt::Finished(Box::new(FinishedScript {
        output,
        lines: stdout
            .lines()
            .chain(stderr.lines())
            .map(str::to_owned)
            .collect(),
        pod: shell.pod().map(str::to_owned),
        image: shell.image().map(str::to_owned),
        forced: None,
        started_at,
        ended_at: crate::instant::now(),
    })))
}

/// The pod was removed while the script ran in it (SIGKILL), or the way to it broke.
fn is_cut_off(error: &RunError) -> bool {
    let stderr = error.stderr();
    let says = ["error reading from error stream", "websocket: close"];
    error.is_away() || error.is_pod_gone() || says.iter().any(|text| stderr.contains(text))
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
            self.drop_older_half();
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

    /// A line longer than half the limit is none of the script's: it goes as well.
    fn drop_older_half(&mut self) {
        let half = self.text.len() / 2;
        self.text.drain(..half);
        self.told = self.told.saturating_sub(half);
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
