//! `etcd-cat backup`: take a new backup, bring it here, verify it, remember it.

use super::Invocation;
use crate::args::BackupArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::Style;
use crate::reply::Reply;
use etcd_cat::selection::Candidate;
use etcd_cat::take::{TakeOutcome, TakeReport};

pub(super) fn run(args: &BackupArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    invocation.needs_oc("backup")?;
    let report = engine::take(args, &invocation.request(&[]), invocation.progress)?;
    reply(report, &invocation.style)
}

pub(super) fn reply(mut report: TakeReport, style: &Style) -> Result<Reply, Failure> {
    let mut reply = Reply::new(&report, style, Exit::of_run(&report))?;
    reply.failure = failure(&mut report);
    Ok(reply)
}

/// What could not be done although there is a backup.
fn failure(report: &mut TakeReport) -> Option<Failure> {
    let remains = report.taken.as_deref().map(|taken| taken.leftovers.clone());
    let remains = remains.unwrap_or_default();
    if let Some(error) = report.catalogue.take() {
        let hint = "the backup is complete and verified; remember it once the catalogue is well: etcd-cat index";
        let hint = format!("{hint} {}", directories(report));
        return Some(Failure::from(error).hint(hint).remains(remains));
    }
    let id = report.backup.as_ref().and_then(Candidate::id);
    let what = match (report.outcome, id) {
        (TakeOutcome::Taken, Some(id)) => format!("backup {id} is complete and recorded"),
        _ => "the run is over".to_owned(),
    };
    let message = format!("{what}, and something of it is still in the cluster");
    (!remains.is_empty()).then(|| Failure::new(code::REMAINS, message).remains(remains))
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
