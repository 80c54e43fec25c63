//! `etcd-cat show`: everything known about one backup.

use super::{EMPTY, Invocation, OfCluster, everything_of, find, of_cluster};
use crate::args::ShowArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::BackupDetails;
use crate::reply::Reply;
use etcd_cat::backup::Backup;
use etcd_cat::selection::resolve_name;

pub(super) fn run(args: &ShowArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    if let Some(backup) = at_a_glance(args, invocation)? {
        return reply(&backup, invocation);
    }
    let request = invocation.request(&args.accept.codes);
    let known = of_cluster(args.cluster.clone(), invocation, |_| {
        engine::recall(&request)
    })?;
    if known.backups.is_empty() && args.cluster.is_some() {
        return Err(none_of_cluster(known));
    }
    reply(find(&args.backup, &known.backups)?, invocation)
}

fn reply(backup: &Backup, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let exit = Exit::of_verdict(backup.verdict);
    Reply::new(&BackupDetails(backup), &invocation.style, exit)
}

/// The backup that is meant, where the judged list says which, and its neighbours all of it. Whatever does not come to one
/// backup is told by those who know all.
fn at_a_glance(args: &ShowArgs, invocation: &Invocation<'_>) -> Result<Option<Backup>, Failure> {
    let reference = args.backup.strip_prefix("backup/").unwrap_or(&args.backup);
    if reference.contains(['/', '.']) {
        return Ok(None);
    }
    let request = invocation.request(&args.accept.codes);
    let Some(glance) = engine::kept_glance(&everything_of(args.cluster.clone()), &request)? else {
        return Ok(None);
    };
    let known = of_cluster(args.cluster.clone(), invocation, |_| Ok(glance.summaries))?;
    match resolve_name(reference, &known.backups) {
        Ok(summary) => engine::recall_one(summary, &request),
        Err(_told_of_all) => Ok(None),
    }
}

fn none_of_cluster(known: OfCluster<Backup>) -> Failure {
    let mut notes = known.notes.into_iter();
    let message = notes.next().unwrap_or_else(|| EMPTY.to_owned());
    Failure::new(code::REFERENCE, message).hint("see what there is: etcd-cat clusters")
}
