//! `etcd-cat report`: one page of the whole catalogue.

use super::{EMPTY, Invocation, of_cluster, write_own};
use crate::args::ReportArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::report::{FIRST_LINE, Report};
use crate::output::units::{count, size};
use crate::reply::Reply;
use etcd_cat::clusters::{ClustersQuestion, standings};

pub(super) fn run(args: &ReportArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let known = of_cluster(args.cluster.clone(), &args.accept.codes, invocation)?;
    let (backups, now) = (known.backups, invocation.style.now);
    let question = ClustersQuestion {
        running: None,
        max_age: args.max_age,
    };
    let page = Report {
        standings: &standings(&backups, &question, now),
        backups: &backups,
        now,
    }
    .page();
    write_own(&args.to, &page, FIRST_LINE)?;
    let number = u64::try_from(backups.len()).unwrap_or(u64::MAX);
    let bytes = u64::try_from(page.len()).unwrap_or(u64::MAX);
    let mut reply = Reply::verbatim(String::new(), Exit::Good);
    reply.notes = known.notes;
    reply.notes.push(format!(
        "{} in {}, {}",
        count(number, "backup"),
        args.to.display(),
        size(bytes)
    ));
    if known.is_empty {
        reply.notes.push(EMPTY.to_owned());
    }
    Ok(reply)
}
