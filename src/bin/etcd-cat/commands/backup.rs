//! `etcd-cat backup`: take a new backup, bring it here, verify it, remember it.

use super::Invocation;
use crate::args::BackupArgs;
use crate::engine::{self, BackupRun, RunOutcome};
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::Style;
use crate::reply::Reply;

pub(super) fn run(args: &BackupArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    invocation.needs_oc("backup")?;
    let run = engine::take(&invocation.request(&[]), args, invocation.progress)?;
    answer(run, &invocation.style)
}

pub(super) fn answer(mut run: BackupRun, style: &Style) -> Result<Reply, Failure> {
    let mut answer = Reply::new(&run, style, exit(&run))?;
    answer.failure = run.catalogue.take().map(|error| {
        let hint = "the backup is complete and verified; remember it once the catalogue is well: etcd-cat index";
        Failure::from(error).hint(format!("{hint} {}", directories(&run)))
    });
    Ok(answer)
}

/// Where the two files lie.
fn directories(run: &BackupRun) -> String {
    let taken = run.taken.iter();
    let paths = taken.flat_map(|taken| [&taken.snapshot.path, &taken.kuberesources.path]);
    let mut directories: Vec<String> = paths
        .filter_map(|path| Some(path.parent()?.display().to_string()))
        .collect();
    directories.dedup();
    etcd_cat::oc::shell_line(&directories)
}

/// A backup that was taken is only as good as its verdict.
fn exit(run: &BackupRun) -> Exit {
    let is_usable = run
        .backup
        .as_ref()
        .is_some_and(|backup| backup.verdict.is_usable());
    match run.outcome {
        RunOutcome::Taken if !is_usable => Exit::Bad,
        RunOutcome::Rejected => Exit::Bad,
        _ => Exit::Good,
    }
}
