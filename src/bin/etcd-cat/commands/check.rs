//! `etcd-cat check`: is there a backup that will work, which, and how to use it.

use super::{Invocation, unread, unrecorded, unremembered};
use crate::args::CheckArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::reply::Reply;
use etcd_cat::selection::{Selection, TargetVersion};
use etcd_cat::survey::Checked;

pub(super) fn run(args: &CheckArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let (version, selection) = target(args, invocation)?;
    let request = invocation.request(&args.accept.codes);
    let checked = engine::check(
        &args.locations,
        &version,
        &selection,
        &request,
        invocation.progress,
    )?;
    reply(checked, invocation)
}

/// What is to be restored: as given, the rest as the cluster says.
fn target(
    args: &CheckArgs,
    invocation: &Invocation<'_>,
) -> Result<(TargetVersion, Selection), Failure> {
    let mut selection = args.scope.selection(invocation.style.now);
    let mut version = args.valid_for.clone();
    if args.from_cluster {
        invocation.needs_oc("check --from-cluster")?;
        let live = engine::live_cluster(&args.oc, invocation.progress)?;
        version = version.or(live.version);
        selection.cluster = selection.cluster.or(live.id);
    }
    let missing = || {
        Failure::new(
            code::USAGE,
            "no version is given to restore, expected --valid-for VERSION",
        )
        .hint("ask the running cluster with --from-cluster, or see the versions: etcd-cat list")
    };
    Ok((version.ok_or_else(missing)?, selection))
}

pub(super) fn reply(checked: Checked, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let Checked { check, mut survey } = checked;
    let mut reply = Reply::new(&check, &invocation.style, Exit::of_check(&check))?;
    reply.notes = check.notes;
    reply
        .notes
        .extend(unremembered(&mut survey, invocation.global));
    reply.failure = unrecorded(&mut survey).or_else(|| unread(&survey));
    Ok(reply)
}
