//! `etcd-cat backup`: take a new backup, bring it here, verify it, remember it.

use super::Context;
use crate::args::{BackupArgs, Format};
use crate::engine::{self, BackupRun, RunOutcome};
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::text::safe;
use crate::output::views::BackupRunView;
use crate::output::{self, Answer, Look, document};

pub(super) fn run(args: &BackupArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let run = engine::take(&context.request(&[]), args, context.progress)?;
    answer(&run, &context.look)
}

pub(super) fn answer(run: &BackupRun, look: &Look) -> Result<Answer, Failure> {
    let text = match look.format {
        Format::Json | Format::Yaml => {
            document::render(&BackupRunView::new(run, look.now), look.format)?
        }
        Format::Name => output::names(run.backup.iter()),
        Format::Table | Format::Wide => page(run, look)?,
    };
    Ok(Answer::new(text, exit(run)))
}

/// A backup that was taken is only as good as its verdict.
fn exit(run: &BackupRun) -> Exit {
    let is_usable = run
        .backup
        .as_ref()
        .is_some_and(|backup| backup.verdict.is_usable());
    match run.outcome {
        RunOutcome::Taken if !is_usable => Exit::Bad,
        _ => Exit::Good,
    }
}

fn page(run: &BackupRun, look: &Look) -> Result<String, Failure> {
    let node = run
        .node
        .as_deref()
        .map_or_else(String::new, |node| format!(" on {}", safe(node)));
    let reason = run
        .reason
        .as_deref()
        .map_or_else(String::new, |reason| format!(": {}", safe(reason)));
    let mut text = match run.outcome {
        RunOutcome::Taken => format!("backup taken{node}{reason}\n"),
        RunOutcome::Planned => format!("would take a backup{node}{reason}\n"),
        RunOutcome::Skipped => format!("no backup taken{reason}\n"),
    };
    if run.outcome == RunOutcome::Planned {
        for step in &run.plan {
            text.push_str(&format!("  {}\n", safe(step)));
        }
    }
    if let Some(backup) = &run.backup {
        text.push('\n');
        text.push_str(&output::show::render(backup, look)?);
    }
    Ok(text)
}
