//! `etcd-cat report`: one page of the whole catalogue.

use super::{EMPTY, Invocation, OfCluster, leave, of_cluster, write_own};
use crate::args::ReportArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::report::{FIRST_LINE, Report};
use crate::output::units::{count, size};
use crate::reply::Reply;
use etcd_cat::backup::Backup;
use etcd_cat::clusters::{ClustersQuestion, standings};
use std::path::Path;

pub(super) fn run(args: &ReportArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&args.accept.codes);
    let known = of_cluster(args.cluster.clone(), invocation, |_| {
        engine::recall(&request)
    })?;
    let question = ClustersQuestion {
        running: None,
        max_age: args.max_age,
    };
    let mut reply = Reply::verbatim(String::new(), Exit::Good);
    reply.notes = page(known, &question, &args.to, invocation)?;
    Ok(reply)
}

/// Writes the whole catalogue into a file; returns what to say of it.
pub(super) fn write(path: &Path, invocation: &Invocation<'_>) -> Result<Vec<String>, Failure> {
    let known = of_cluster(None, invocation, |_| {
        engine::recall(&invocation.request(&[]))
    })?;
    page(known, &ClustersQuestion::default(), path, invocation)
}

fn page(
    known: OfCluster<Backup>,
    question: &ClustersQuestion,
    path: &Path,
    invocation: &Invocation<'_>,
) -> Result<Vec<String>, Failure> {
    let (backups, now) = (known.backups, invocation.style.now);
    let page = Report {
        standings: &standings(&backups, question, now),
        backups: &backups,
        now,
    }
    .page();
    write_own(path, &page, FIRST_LINE)?;
    let number = u64::try_from(leave(backups)).unwrap_or(u64::MAX);
    let bytes = u64::try_from(page.len()).unwrap_or(u64::MAX);
    let mut notes = known.notes;
    notes.push(format!(
        "{} in {}, {}",
        count(number, "backup"),
        path.display(),
        size(bytes)
    ));
    if known.is_empty {
        notes.push(EMPTY.to_owned());
    }
    Ok(notes)
}
