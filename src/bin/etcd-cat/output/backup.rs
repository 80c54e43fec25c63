//! What came of `backup`, for reading.

use super::text::{safe, safe_path};
use super::{Style, show};
use crate::engine::{BackupRun, RunOutcome};
use crate::error::Failure;
use etcd_cat::oc;

/// Renders a run: what was done, what must be done by hand, and the backup.
pub(crate) fn render(run: &BackupRun, style: &Style) -> Result<String, Failure> {
    let mut text = headline(run);
    if let Some(taken) = &run.taken {
        text.push_str(&remains(taken));
    }
    if let Some(backup) = &run.backup {
        text.push('\n');
        text.push_str(&show::render(backup, style)?);
    }
    Ok(text)
}

fn headline(run: &BackupRun) -> String {
    let node = run.node.as_deref().unwrap_or_default();
    let mut text = match run.outcome {
        RunOutcome::Taken => format!("backup taken on {}\n", safe(node)),
        RunOutcome::Rejected => format!(
            "backup taken on {}, and it is not to be believed: put aside, not in the catalogue\n",
            safe(node)
        ),
        // Made for a shell, and made of checked words.
        RunOutcome::Planned => return run.script.clone().unwrap_or_default(),
        RunOutcome::Skipped => {
            let reason = run.reason.as_deref().unwrap_or_default();
            format!("no backup is needed: {}\n", safe(reason))
        }
    };
    for reason in &run.forced {
        text.push_str(&format!("  overridden: {}\n", safe(reason)));
    }
    text
}

/// What is still in the cluster, asked for or not.
fn remains(taken: &oc::BackupRun) -> String {
    let mut text = String::new();
    if let Some(directory) = &taken.kept_on_node {
        text.push_str(&format!(
            "  kept on {}: {}\n",
            safe(&taken.node),
            safe_path(directory.as_ref())
        ));
    }
    for leftover in &taken.leftovers {
        text.push_str(&format!(
            "  still in the cluster: {}\n  remove it with: {}\n",
            safe(&leftover.what),
            safe(&leftover.command)
        ));
    }
    text
}
