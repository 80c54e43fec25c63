//! `etcd-cat stage`: copy one verified pair into an empty directory.

use super::{Invocation, find};
use crate::args::{Format, StageArgs};
use crate::engine::{self, Request, StageRun};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::check::restore_plan;
use crate::output::text::safe_path;
use crate::output::views::StageRunView;
use crate::output::{Answer, Style, document};
use etcd_cat::backup::Backup;
use etcd_cat::monitor::Monitor;
use etcd_cat::selection::Candidate;
use std::path::Path;

pub(super) fn run(args: &StageArgs, invocation: &Invocation<'_>) -> Result<Answer, Failure> {
    let request = invocation.request(&args.accept.codes);
    let backups = known(&args.backup, &request, invocation.progress)?;
    let backup = find(&args.backup, &backups)?;
    if !backup.verdict.is_usable() {
        return Err(unusable(backup));
    }
    let run = engine::stage(backup, &args.to, invocation.style.now, invocation.progress)?;
    let mut answer = Answer::new(render(backup, &run, &invocation.style)?, Exit::Good);
    answer.notes.extend(accepted(backup));
    Ok(answer)
}

/// What the catalogue knows; a file that it does not know is verified first.
fn known(
    reference: &str,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Vec<Backup>, Failure> {
    let backups = engine::recall(request)?;
    let path = Path::new(reference);
    if find(reference, &backups).is_ok() || !path.is_file() {
        return Ok(backups);
    }
    Ok(engine::verify(request, &[path.to_path_buf()], monitor)?.backups)
}

/// The directory looks like any other afterwards: what was passed over must be said now.
fn accepted(backup: &Backup) -> Option<String> {
    let codes: Vec<&str> = backup.accepted.iter().map(|code| code.as_str()).collect();
    let id = backup.id().unwrap_or_default();
    (!codes.is_empty()).then(|| {
        format!(
            "backup {id} is used although {} was found, as accepted",
            codes.join(", ")
        )
    })
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

fn render(backup: &Backup, run: &StageRun, style: &Style) -> Result<String, Failure> {
    match style.format {
        Format::Json | Format::Yaml => {
            document::render(&StageRunView::new(backup, run), style.format)
        }
        Format::Name => Ok(safe_path(&run.directory) + "\n"),
        Format::Table | Format::Wide => Ok(page(backup, run, style)),
    }
}

fn page(backup: &Backup, run: &StageRun, style: &Style) -> String {
    let id = backup.id().unwrap_or_default();
    let mut text = format!("staged backup {id} in {}\n", safe_path(&run.directory));
    for file in &run.files {
        text.push_str(&format!("  {}\n", safe_path(file)));
    }
    if let Some(plan) = &run.plan {
        text.push('\n');
        text.push_str(&restore_plan(plan, style));
    }
    text
}
