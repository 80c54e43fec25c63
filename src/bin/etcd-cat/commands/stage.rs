//! `etcd-cat stage`: copy one verified pair into an empty directory.

use super::{Context, find};
use crate::args::{Format, StageArgs};
use crate::engine::{self, StageRun};
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::text::{safe, safe_path};
use crate::output::views::StageRunView;
use crate::output::{Answer, Look, document};
use etcd_cat::backup::Backup;

pub(super) fn run(args: &StageArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let backups = engine::recall(&context.request(&args.accept.codes))?;
    let backup = find(&args.backup, &backups)?;
    let run = engine::stage(backup, &args.to, context.progress)?;
    Ok(Answer::new(
        render(backup, &run, &context.look)?,
        Exit::Good,
    ))
}

fn render(backup: &Backup, run: &StageRun, look: &Look) -> Result<String, Failure> {
    match look.format {
        Format::Json | Format::Yaml => {
            document::render(&StageRunView::new(backup, run), look.format)
        }
        Format::Name => Ok(safe_path(&run.directory) + "\n"),
        Format::Table | Format::Wide => Ok(page(backup, run)),
    }
}

fn page(backup: &Backup, run: &StageRun) -> String {
    let id = backup.id().unwrap_or_default();
    let mut text = format!("staged backup {id} in {}\n", safe_path(&run.directory));
    for file in &run.files {
        text.push_str(&format!("  {}\n", safe_path(file)));
    }
    if !run.plan.is_empty() {
        text.push_str("\nTO RESTORE IT\n");
    }
    for step in &run.plan {
        text.push_str(&format!("  {}\n", safe(step)));
    }
    text
}
