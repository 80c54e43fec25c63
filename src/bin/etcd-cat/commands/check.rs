//! `etcd-cat check`: is there a backup that will work, which, and how to use it.

use super::{Invocation, unread, unrecorded};
use crate::args::CheckArgs;
use crate::engine::{self, Request, Survey};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{self, Answer, Style};
use crate::restore_check::RestoreCheck;
use etcd_cat::backup::Backup;
use etcd_cat::monitor::Monitor;
use etcd_cat::selection::{Selection, TargetVersion, known_clusters};
use std::collections::BTreeSet;
use std::path::PathBuf;

pub(super) fn run(args: &CheckArgs, invocation: &Invocation<'_>) -> Result<Answer, Failure> {
    let (version, selection) = target(args, invocation)?;
    let request = invocation.request(&args.accept.codes);
    let survey = if args.locations.is_empty() {
        let backups = engine::remembered(&request, invocation.progress)?;
        proven_now(backups, &version, &selection, &request, invocation.progress)?
    } else {
        engine::verify(&request, &args.locations, invocation.progress)?
    };
    answer(survey, version, selection, &invocation.style)
}

/// What is to be restored: as given, the rest as the cluster says.
fn target(
    args: &CheckArgs,
    invocation: &Invocation<'_>,
) -> Result<(TargetVersion, Selection), Failure> {
    let mut selection = args.scope.selection(invocation.style.now);
    let mut version = args.valid_for.clone();
    if args.from_cluster {
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

/// Reads both halves of the choice again. When they no longer hold, the next best is tried.
fn proven_now(
    mut backups: Vec<Backup>,
    version: &TargetVersion,
    selection: &Selection,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    let mut proven: BTreeSet<PathBuf> = BTreeSet::new();
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
            .map_or_else(Vec::new, |one| halves(&one.backup));
        if chosen.iter().all(|path| proven.contains(path)) {
            survey.backups = backups;
            return Ok(survey);
        }
        let read = engine::verify(request, &chosen, monitor)?;
        survey.skipped.extend(read.skipped);
        survey.files = survey.files.saturating_add(read.files);
        survey.bytes = survey.bytes.saturating_add(read.bytes);
        backups = match read.catalogue {
            None => engine::recall(request)?,
            // What was read now could not be remembered, so it must be carried over by hand.
            Some(error) => {
                survey.catalogue = Some(error);
                backups.retain(|backup| !halves(backup).iter().any(|path| chosen.contains(path)));
                backups.extend(read.backups);
                backups
            }
        };
        proven.extend(chosen);
    }
}

/// The files that a restore would be made from.
fn halves(backup: &Backup) -> Vec<PathBuf> {
    let snapshot = backup.snapshot.as_ref().map(|half| &half.path);
    let kuberesources = backup.kuberesources.as_ref().map(|half| &half.path);
    snapshot.into_iter().chain(kuberesources).cloned().collect()
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
    let example = clusters
        .into_iter()
        .find_map(|cluster| cluster.name.or(cluster.id));
    let example = example.unwrap_or_else(|| "NAME".to_owned());
    Err(Failure::new(code::USAGE, message).hint(format!(
        "say which one is to be restored, such as --cluster {example}"
    )))
}

pub(super) fn answer(
    mut survey: Survey,
    version: TargetVersion,
    selection: Selection,
    style: &Style,
) -> Result<Answer, Failure> {
    let backups = std::mem::take(&mut survey.backups);
    let mut check = RestoreCheck::new(version, selection, backups, style.now);
    one_cluster(&check)?;
    if let Some(chosen) = &check.chosen {
        check.plan = engine::restore_plan(&chosen.backup, None, style.now);
    }
    let exit = if check.chosen.is_some() {
        Exit::Good
    } else {
        Exit::Bad
    };
    let mut answer = Answer::new(output::check::render(&check, style)?, exit);
    answer.notes = check.notes;
    answer.notes.extend(survey.unremembered.take());
    answer.failure = unrecorded(&mut survey).or_else(|| unread(&survey));
    Ok(answer)
}
