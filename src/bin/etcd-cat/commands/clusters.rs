//! `etcd-cat clusters`: how each cluster stands.

use super::{EMPTY, Invocation, not_looked_at_note, of_cluster};
use crate::args::ClustersArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{ClusterList, nagios};
use crate::reply::Reply;
use etcd_cat::clusters::{ClustersQuestion, RunningCluster, standings};
use std::mem::ManuallyDrop;

pub(super) fn run(args: &ClustersArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let running = running(args, invocation)?;
    let wanted = args.cluster.clone();
    let wanted = wanted.or_else(|| running.as_ref().map(|running| running.id.clone()));
    let request = invocation.request(&args.accept.codes);
    let mut not_looked_at = 0;
    let known = of_cluster(wanted, invocation, |selection| {
        // Of all backups, so that none is left out.
        let glance = engine::glance(selection, &request)?;
        not_looked_at = glance.not_looked_at;
        Ok(glance.summaries)
    })?;
    // Nothing comes after them but the end of the process.
    let backups = ManuallyDrop::new(known.backups);
    let now = invocation.style.now;
    let question = ClustersQuestion {
        running,
        max_age: args.max_age,
    };
    let standings = standings(&backups, &question, now);
    if let Some(thresholds) = args.nagios.thresholds() {
        let (state, line) = nagios::clusters(&standings, thresholds, &invocation.style);
        return Ok(Reply::verbatim(line, Exit::Nagios(state)));
    }
    let exit = Exit::of_clusters(&standings, &question);
    let mut reply = Reply::new(&ClusterList(&standings), &invocation.style, exit)?;
    reply.notes = known.notes;
    if known.is_empty {
        reply.notes = vec![EMPTY.to_owned()];
    }
    reply
        .notes
        .extend(not_looked_at_note(not_looked_at, "--cluster"));
    Ok(reply)
}

/// The cluster behind `oc`, when it is to be asked.
fn running(
    args: &ClustersArgs,
    invocation: &Invocation<'_>,
) -> Result<Option<RunningCluster>, Failure> {
    if !args.from_cluster {
        return Ok(None);
    }
    invocation.needs_oc("clusters --from-cluster")?;
    let live = engine::live_cluster(&args.oc, invocation.progress)?;
    let version = live.version.map(|version| version.to_string());
    Ok(live
        .id
        .zip(version)
        .map(|(id, version)| RunningCluster { id, version }))
}
