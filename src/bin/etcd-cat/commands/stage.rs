//! `etcd-cat stage`: copy one verified pair into an empty directory.

use super::{Context, find};
use crate::args::{Format, StageArgs};
use crate::engine::{self, StageRun};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::check::restore_plan;
use crate::output::text::safe_path;
use crate::output::views::StageRunView;
use crate::output::{Answer, Look, document};
use etcd_cat::backup::Backup;

pub(super) fn run(args: &StageArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let backups = engine::recall(&context.request(&args.accept.codes))?;
    let backup = find(&args.backup, &backups)?;
    if !backup.verdict.is_usable() {
        return Err(unusable(backup));
    }
    let run = engine::stage(backup, &args.to, context.look.now, context.progress)?;
    Ok(Answer::new(
        render(backup, &run, &context.look)?,
        Exit::Good,
    ))
}

/// A directory that is ready for the restore must hold a backup that will restore.
fn unusable(backup: &Backup) -> Failure {
    let id = backup.id().unwrap_or_default();
    let reasons: Vec<&str> = backup
        .reasons_against()
        .iter()
        .map(|code| code.as_str())
        .collect();
    let message = format!(
        "backup {id} is {}: {}",
        backup.verdict.as_str(),
        reasons.join(", ")
    );
    let accept: Vec<String> = reasons
        .iter()
        .map(|code| format!("--accept {code}"))
        .collect();
    let hint = if reasons.is_empty() {
        format!("verify it again: etcd-cat verify {id}")
    } else {
        format!(
            "see etcd-cat show {id}; to stage it all the same add {}",
            accept.join(" ")
        )
    };
    Failure::new(code::REFERENCE, message)
        .hint(hint)
        .exit(Exit::Bad)
}

fn render(backup: &Backup, run: &StageRun, look: &Look) -> Result<String, Failure> {
    match look.format {
        Format::Json | Format::Yaml => {
            document::render(&StageRunView::new(backup, run), look.format)
        }
        Format::Name => Ok(safe_path(&run.directory) + "\n"),
        Format::Table | Format::Wide => Ok(page(backup, run, look)),
    }
}

fn page(backup: &Backup, run: &StageRun, look: &Look) -> String {
    let id = backup.id().unwrap_or_default();
    let mut text = format!("staged backup {id} in {}\n", safe_path(&run.directory));
    for file in &run.files {
        text.push_str(&format!("  {}\n", safe_path(file)));
    }
    if let Some(plan) = &run.plan {
        text.push('\n');
        text.push_str(&restore_plan(plan, look));
    }
    text
}
