//! Runs `cluster-backup.sh` on the host and shows its output as it comes.

use super::super::context::RunContext;
use super::output::{ScriptOutput, parse_script_output};
use crate::monitor::Monitor;
use crate::oc::client::{HostAccess, OutputChunk, RunError, RunLimits};
use crate::oc::run::error::OcError;
use chrono::{DateTime, Utc};

/// The script prints some twenty lines; of more than this the older half is dropped, for the last lines decide.
const SCRIPT_OUTPUT_LIMIT_BYTES: usize = 1 << 20;

/// What the script said, and when.
pub(crate) struct FinishedScript {
    pub(crate) output: ScriptOutput,
    pub(crate) lines: Vec<String>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) ended_at: DateTime<Utc>,
}

/// Runs the script with its output shown live; its final line decides.
pub(crate) fn execute(
    context: &RunContext<'_>,
    access: &HostAccess,
) -> Result<FinishedScript, OcError> {
    let started_at = crate::instant::now();
    let words = context.plan.script();
    let call = access.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let limits = RunLimits {
        deadline: context.timeouts.script,
        silence: None,
    };
    let mut stdout = LiveText::default();
    let mut stderr = LiveText::default();
    let result = context
        .oc
        .stream(&call, limits, context.monitor, &mut |chunk| {
            match chunk {
                OutputChunk::Stdout(bytes) => stdout.push(bytes, context.monitor),
                OutputChunk::Stderr(bytes) => stderr.push(bytes, context.monitor),
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
    Ok(FinishedScript {
        output,
        lines: stdout
            .lines()
            .chain(stderr.lines())
            .map(str::to_owned)
            .collect(),
        started_at,
        ended_at: crate::instant::now(),
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
