//! `etcd-cat check`: is there a backup that will work, which, and how to use it.

use super::{Invocation, not_looked_at_note, stage_call, unread, unrecorded, unremembered};
use crate::args::CheckArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::text::{safe, safe_path};
use crate::output::{CheckAnswer, nagios, units};
use crate::reply::Reply;
use etcd_cat::backup::Backup;
use etcd_cat::inspect::{Differences, Subject, Trust};
use etcd_cat::restore::{Plan, PlanRequest, RestoreCheck};
use etcd_cat::selection::{
    Candidate, KnownVersion, Outcome, Selection, TargetVersion, known_versions,
};
use etcd_cat::survey::{Checked, Survey};

/// What to do when the newest backup of the cluster cannot be compared with the choice.
const UNCOMPARED: &str = "the choice stands all the same; etcd-cat diff BACKUP BACKUP --unverified compares what can be read";

/// What could not be read and may hold a backup is named one by one, but for more than these.
const NAMED: usize = 3;

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
    reply(checked, args, invocation)
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
    match version {
        Some(version) => Ok((version, selection)),
        None => Err(no_version(args, &selection, invocation)?),
    }
}

/// Which versions there are to choose from.
fn no_version(
    args: &CheckArgs,
    selection: &Selection,
    invocation: &Invocation<'_>,
) -> Result<Failure, Failure> {
    let request = invocation.request(&args.accept.codes);
    let known = if args.locations.is_empty() {
        let glance = engine::glance(selection, &request)?;
        let mut known = known(selection.apply(glance.summaries, request.as_of));
        known.extend(not_looked_at_note(glance.not_looked_at, "--cluster"));
        known
    } else {
        let survey = engine::index(&args.locations, &request, invocation.progress)?;
        known(selection.apply(survey.backups, request.as_of))
    };
    let message = if known.is_empty() {
        "no version is given to restore, expected --valid-for VERSION"
    } else {
        "no version is given to restore, expected --valid-for VERSION; known are"
    };
    let hint = "say which one with --valid-for and --cluster, or ask the running cluster: etcd-cat check --from-cluster";
    Ok(Failure::new(code::USAGE, message).details(known).hint(hint))
}

/// One line for each cluster.
fn known<B: Candidate>(outcome: Outcome<B>) -> Vec<String> {
    let shown = outcome.shown.into_iter();
    let backups: Vec<B> = shown.map(|one| one.backup).collect();
    let clusters = known_versions(&backups).into_iter();
    clusters
        .map(|(cluster, versions)| {
            let versions: Vec<String> = versions.iter().map(version_line).collect();
            let versions = match versions.as_slice() {
                [] => "no usable backup".to_owned(),
                versions => versions.join(", "),
            };
            format!("{cluster}: {versions}")
        })
        .collect()
}

fn version_line(known: &KnownVersion) -> String {
    let backups = units::count(known.backups, "backup");
    let newest = known.newest_at.map(units::minute);
    let newest = newest.map_or_else(String::new, |at| format!(", newest {at}"));
    format!("{} ({backups}{newest})", known.version)
}

/// What may hold a better backup and could not be read: the first of it, and how many more.
fn unread_holders(survey: &Survey) -> Vec<String> {
    let holders = survey.skipped.iter().filter(|one| one.may_hold_a_backup());
    let mut told: Vec<String> = holders
        .clone()
        .take(NAMED)
        .map(|one| {
            let path = safe_path(&one.id);
            format!(
                "{path} may hold a backup and was not read: {}; {}",
                safe(&one.reason),
                safe(one.remedy())
            )
        })
        .collect();
    let more = holders.count().saturating_sub(NAMED);
    if more > 0 {
        told.push(format!(
            "{more} more may hold a backup and were not read: etcd-cat verify names them"
        ));
    }
    told
}

pub(super) fn reply(
    checked: Checked,
    args: &CheckArgs,
    invocation: &Invocation<'_>,
) -> Result<Reply, Failure> {
    let Checked {
        mut check,
        mut survey,
    } = checked;
    if let Some(thresholds) = args.nagios.thresholds() {
        let (state, line) = nagios::check(&check, thresholds, &invocation.style);
        let mut reply = Reply::verbatim(line, Exit::Nagios(state));
        reply.failure = unrecorded(&mut survey).or_else(|| unread(&survey.skipped));
        return Ok(reply);
    }
    if let Some(chosen) = &check.chosen {
        let mut stage_call = stage_call(&args.accept.codes, invocation);
        if survey.catalogue.is_some() && !stage_call.is_by_path {
            stage_call.is_by_path = true;
            stage_call.options.push("--no-catalogue".to_owned());
        }
        let request = PlanRequest {
            staged: None,
            disaster: &args.disaster.disaster(),
            stage_call: &stage_call,
            now: invocation.style.now,
        };
        check.plan = Plan::of(&chosen.backup, &request)?;
    }
    let (difference, failure) = match difference(&check, args, invocation) {
        Ok(difference) => (difference, None),
        // The choice is as good without it.
        Err(failure) if failure.code != code::INTERRUPTED => {
            (None, Some(failure.exit(Exit::Failed).hint(UNCOMPARED)))
        }
        Err(failure) => return Err(failure),
    };
    let answer = CheckAnswer {
        check: &check,
        difference: difference.as_ref(),
    };
    let mut reply = Reply::new(&answer, &invocation.style, Exit::of_check(&check))?;
    reply.notes = check.notes;
    reply.notes.extend(unread_holders(&survey));
    reply
        .notes
        .extend(unremembered(&mut survey, invocation.global));
    reply.failure = unrecorded(&mut survey)
        .or_else(|| unread(&survey.skipped))
        .or(failure);
    Ok(reply)
}

/// What came, went and changed from the chosen backup to the newest one; `None` where that is not asked for, or is one
/// backup.
fn difference(
    check: &RestoreCheck,
    args: &CheckArgs,
    invocation: &Invocation<'_>,
) -> Result<Option<Differences>, Failure> {
    let chosen = check.chosen.as_ref().filter(|_| args.diff);
    let Some((chosen, loss)) = chosen.zip(check.loss().filter(|loss| !loss.is_newest)) else {
        return Ok(None);
    };
    // Keys that open the one may lie in the other half of any.
    let known: Vec<Backup> = check
        .candidates
        .iter()
        .map(|one| one.backup.clone())
        .collect();
    let subjects = [&chosen.backup, loss.newest].map(|one| Subject::of_backup(one, &known));
    let [Some(from), Some(to)] = subjects else {
        return Ok(None);
    };
    let request = invocation.request(&args.accept.codes);
    let trust = Trust::Proven;
    let compared = engine::differences(&from, &to, None, trust, &request, invocation.progress)?;
    Ok(Some(compared))
}
