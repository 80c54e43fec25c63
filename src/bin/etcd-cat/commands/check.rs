//! `etcd-cat check`: is there a backup that will work, which, and how to use it.

use super::{Context, unread};
use crate::args::CheckArgs;
use crate::engine::{self, Survey};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{self, Answer, Look};
use crate::restore_check::RestoreCheck;
use etcd_cat::selection::{Selection, TargetVersion};

pub(super) fn run(args: &CheckArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let (version, selection) = target(args, context)?;
    let request = context.request(&args.accept.codes);
    let survey = if args.locations.is_empty() {
        Survey {
            backups: engine::recall(&request)?,
            ..Survey::default()
        }
    } else {
        engine::verify(&request, &args.locations, context.progress)?
    };
    answer(survey, version, selection, &context.look)
}

/// What is to be restored: as given, the rest as the cluster says.
fn target(args: &CheckArgs, context: &Context<'_>) -> Result<(TargetVersion, Selection), Failure> {
    let mut selection = args.scope.selection(context.look.now);
    let mut version = args.valid_for.clone();
    if args.from_cluster {
        let live = engine::live_cluster(&args.oc)?;
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

pub(super) fn answer(
    mut survey: Survey,
    version: TargetVersion,
    selection: Selection,
    look: &Look,
) -> Result<Answer, Failure> {
    let backups = std::mem::take(&mut survey.backups);
    let mut check = RestoreCheck::new(version, selection, backups, look.now);
    if let Some(chosen) = &check.chosen {
        check.plan = engine::restore_plan(&chosen.backup);
    }
    let exit = if check.chosen.is_some() {
        Exit::Good
    } else {
        Exit::Bad
    };
    let mut answer = Answer::new(output::check::render(&check, look)?, exit);
    answer.notes = check.notes;
    answer.failure = unread(&survey);
    Ok(answer)
}
