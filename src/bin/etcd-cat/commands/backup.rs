//! `etcd-cat backup`: take a new backup, bring it here, verify it, remember it.

use super::Invocation;
use crate::args::BackupArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::Style;
use crate::reply::Reply;
use etcd_cat::take::TakeReport;

pub(super) fn run(args: &BackupArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    invocation.needs_oc("backup")?;
    let report = engine::take(args, &invocation.request(&[]), invocation.progress)?;
    reply(report, &invocation.style)
}

pub(super) fn reply(mut report: TakeReport, style: &Style) -> Result<Reply, Failure> {
    let mut reply = Reply::new(&report, style, Exit::of_run(&report))?;
    reply.failure = report.catalogue.take().map(|error| {
        let hint = "the backup is complete and verified; remember it once the catalogue is well: etcd-cat index";
        Failure::from(error).hint(format!("{hint} {}", directories(&report)))
    });
    Ok(reply)
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
