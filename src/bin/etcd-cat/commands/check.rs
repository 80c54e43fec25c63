//! `etcd-cat check`: is there a backup that will work, which, and how to use it.

use super::{Context, unread, unrecorded};
use crate::args::CheckArgs;
use crate::engine::{self, Request, Survey};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{self, Answer, Look};
use crate::restore_check::RestoreCheck;
use etcd_cat::backup::Backup;
use etcd_cat::monitor::Monitor;
use etcd_cat::selection::{Selection, TargetVersion, known_clusters};
use std::path::PathBuf;

pub(super) fn run(args: &CheckArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let (version, selection) = target(args, context)?;
    let request = context.request(&args.accept.codes);
    let survey = if args.locations.is_empty() {
        let backups = engine::recall(&request)?;
        proven_now(backups, &version, &selection, &request, context.progress)?
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

/// Reads the bytes of the choice again. When they no longer hold, the next best is tried.
fn proven_now(
    mut backups: Vec<Backup>,
    version: &TargetVersion,
    selection: &Selection,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    let mut proven: Vec<PathBuf> = Vec::new();
    loop {
        let check = RestoreCheck::new(
            version.clone(),
            selection.clone(),
            backups.clone(),
            request.as_of,
        );
        one_cluster(&check)?;
        let chosen = check
            .chosen
            .and_then(|chosen| chosen.backup.path().cloned());
        let Some(path) = chosen.filter(|path| !proven.contains(path)) else {
            survey.backups = backups;
            return Ok(survey);
        };
        let read = engine::verify(request, &[path.clone()], monitor)?;
        backups.retain(|backup| backup.path() != Some(&path));
        backups.extend(read.backups);
        survey.skipped.extend(read.skipped);
        survey.catalogue = survey.catalogue.or(read.catalogue);
        proven.push(path);
    }
}

/// Backups of several clusters qualify: which one is dead only the user knows.
fn one_cluster(check: &RestoreCheck) -> Result<(), Failure> {
    let qualified: Vec<Backup> = check
        .candidates
        .iter()
        .filter(|one| one.qualifies())
        .map(|one| one.backup.clone())
        .collect();
    let clusters = known_clusters(&qualified);
    if check.cluster.is_some() || clusters.len() < 2 {
        return Ok(());
    }
    let names: Vec<String> = clusters.iter().map(ToString::to_string).collect();
    let message = format!(
        "backups of {} clusters qualify for {}: {}",
        clusters.len(),
        check.version,
        names.join(", ")
    );
    Err(Failure::new(code::USAGE, message).hint("say which one is to be restored: --cluster NAME"))
}

pub(super) fn answer(
    mut survey: Survey,
    version: TargetVersion,
    selection: Selection,
    look: &Look,
) -> Result<Answer, Failure> {
    let backups = std::mem::take(&mut survey.backups);
    let mut check = RestoreCheck::new(version, selection, backups, look.now);
    one_cluster(&check)?;
    if let Some(chosen) = &check.chosen {
        check.plan = engine::restore_plan(&chosen.backup, None, look.now);
    }
    let exit = if check.chosen.is_some() {
        Exit::Good
    } else {
        Exit::Bad
    };
    let mut answer = Answer::new(output::check::render(&check, look)?, exit);
    answer.notes = check.notes;
    answer.notes.extend(survey.unremembered.take());
    answer.failure = unrecorded(&mut survey).or_else(|| unread(&survey));
    Ok(answer)
}
