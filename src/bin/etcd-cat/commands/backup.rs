//! `etcd-cat backup`: take a new backup, bring it here, verify it, remember it.

use super::Invocation;
use crate::args::BackupArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::Style;
use crate::reply::Reply;
use etcd_cat::take::{TakeOutcome, TakeReport};

pub(super) fn run(args: &BackupArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    invocation.needs_oc("backup")?;
    let report = engine::take(&invocation.request(&[]), args, invocation.progress)?;
    answer(report, &invocation.style)
}

pub(super) fn answer(mut report: TakeReport, style: &Style) -> Result<Reply, Failure> {
    let mut answer = Reply::new(&report, style, exit(&report))?;
    answer.failure = report.catalogue.take().map(|error| {
        let hint = "the backup is complete and verified; remember it once the catalogue is well: etcd-cat index";
        Failure::from(error).hint(format!("{hint} {}", directories(&report)))
    });
    Ok(answer)
}

/// Where the two files lie.
fn directories(report: &TakeReport) -> String {
    let taken = report.taken.iter();
    let paths = taken.flat_map(|taken| [&taken.snapshot.path, &taken.kuberesources.path]);
    let mut directories: Vec<String> = paths
        .filter_map(|path| Some(path.parent()?.display().to_string()))
        .collect();
    directories.dedup();
    etcd_cat::oc::shell_line(&directories)
}

/// A backup that was taken is only as good as its verdict.
fn exit(report: &TakeReport) -> Exit {
    let is_usable = report
        .backup
        .as_ref()
        .is_some_and(|backup| backup.verdict.is_usable());
    match report.outcome {
        TakeOutcome::Taken if !is_usable => Exit::Bad,
        TakeOutcome::Rejected => Exit::Bad,
        _ => Exit::Good,
    }
}
