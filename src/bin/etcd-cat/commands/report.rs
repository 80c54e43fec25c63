//! `etcd-cat report`: one page of the whole catalogue.

use super::{Invocation, one_cluster};
use crate::args::ReportArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::report::{FIRST_LINE, Report};
use crate::output::units::{count, size};
use crate::reply::Reply;
use etcd_cat::clusters::{ClustersQuestion, standings};
use etcd_cat::selection::{Scope, Selection};
use etcd_cat::source::replace_own;

pub(super) fn run(args: &ReportArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let selection = Selection {
        cluster: args.cluster.clone(),
        scope: Scope::All,
        ..Selection::default()
    };
    let backups = engine::recall(&invocation.request(&args.accept.codes))?;
    one_cluster(&selection, &backups)?;
    let is_empty = backups.is_empty();
    let now = invocation.style.now;
    let outcome = selection.apply(backups, now);
    let backups: Vec<_> = outcome.shown.into_iter().map(|one| one.backup).collect();
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
    replace_own(&args.to, page.as_bytes(), FIRST_LINE.as_bytes()).map_err(|error| {
        let message = format!("cannot write {}: {error}", args.to.display());
        Failure::new(code::IO, message)
    })?;
    let number = u64::try_from(backups.len()).unwrap_or(u64::MAX);
    let bytes = u64::try_from(page.len()).unwrap_or(u64::MAX);
    let mut reply = Reply::verbatim(String::new(), Exit::Good);
    reply.notes = outcome.notes;
    reply.notes.push(format!(
        "{} in {}, {}",
        count(number, "backup"),
        args.to.display(),
        size(bytes)
    ));
    if is_empty {
        let empty = "the catalogue is empty; fill it with: etcd-cat index DIRECTORY";
        reply.notes.push(empty.to_owned());
    }
    Ok(reply)
}
