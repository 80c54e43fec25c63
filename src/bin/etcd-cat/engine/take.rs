//! `backup`, from the look beforehand to the record in the catalogue.

use super::{BackupRun, LiveCluster, Request, RunOutcome, catalogue};
use crate::args::{BackupArgs, OcArgs};
use crate::error::{Failure, code};
use chrono::Utc;
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{Catalogue, Change, Forget, Provenance, SnapshotKey, default_location};
use etcd_cat::monitor::Monitor;
use etcd_cat::oc::{
    self, BackupFailure, BackupOptions, BackupPlan, ClientOptions, Due, DueOptions, KnownBackup,
    LearntFacts, Leftover, Oc, OcError, Verification, cross_check, is_due, shell_line,
};
use etcd_cat::survey::{self, Depth, Survey};
use std::path::PathBuf;

/// Takes a backup, unless there is no need or it is only to be planned.
pub(crate) fn take(
    request: &Request<'_>,
    args: &BackupArgs,
    monitor: &dyn Monitor,
) -> Result<BackupRun, Failure> {
    let oc = client(&args.oc)?;
    let catalogue = catalogue(request.global)?;
    if let Some(run) = needless(request, args, &oc, &catalogue, monitor)? {
        return Ok(run);
    }
    let plan = oc::plan(&oc, options(args), Utc::now(), monitor).map_err(failed)?;
    for reason in &plan.forced {
        monitor.note(&format!("overridden: {reason}"));
    }
    if args.dry_run {
        return Ok(planned(plan));
    }
    let mut examined: Option<Backup> = None;
    let mut doubts = Vec::new();
    let run = oc::run(&oc, &plan, monitor, &mut |run| match examine(
        request, &catalogue, run, monitor,
    ) {
        Ok((backup, found)) => {
            let is_usable = backup
                .as_ref()
                .is_some_and(|backup| backup.verdict.is_usable());
            let is_believed = is_usable && found.is_empty();
            (examined, doubts) = (backup, found);
            if is_believed {
                Verification::Passed
            } else {
                Verification::Failed
            }
        }
        Err(error) => Verification::Unfinished(error.to_string()),
    });
    let run = run.map_err(|failure| broken(*failure))?;
    finish(request, &catalogue, run, examined, &doubts)
}

/// Asks the cluster for its id and version.
pub(crate) fn live_cluster(args: &OcArgs, monitor: &dyn Monitor) -> Result<LiveCluster, Failure> {
    let oc = client(args)?;
    let live = oc::live_target(&oc, monitor).map_err(|error| failed(error.into()))?;
    if live.is_upgrading {
        let message = format!(
            "the cluster is between two versions, on its way to {}",
            live.version
        );
        return Err(
            Failure::new(code::OC, message).hint("say what is to be restored: --valid-for VERSION")
        );
    }
    let version = live
        .version
        .parse()
        .map_err(|error| Failure::new(code::OC, error))?;
    Ok(LiveCluster {
        id: Some(live.cluster_id),
        version: Some(version),
    })
}

fn client(args: &OcArgs) -> Result<Oc, Failure> {
    let options = ClientOptions {
        program: args.oc.clone(),
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        ..ClientOptions::default()
    };
    Oc::new(options).map_err(|error| failed(error.into()))
}

fn options(args: &BackupArgs) -> BackupOptions {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    // Beside the catalogue: private to this user, and the same whatever --catalogue says.
    let home = default_location().and_then(|location| location.path()?.parent().map(PathBuf::from));
    let locks = home.unwrap_or_else(std::env::temp_dir).join("locks");
    BackupOptions {
        node: args.node.clone(),
        keys_to: args.keys_to.as_ref().map(absolute),
        forced: args.force.clone(),
        not_during: args.not_during.clone(),
        keep_on_node: args.keep_on_node,
        ..BackupOptions::new(absolute(&args.to), locks)
    }
}

/// A usable backup that is young enough makes a new one needless.
fn needless(
    request: &Request<'_>,
    args: &BackupArgs,
    oc: &Oc,
    catalogue: &Catalogue,
    monitor: &dyn Monitor,
) -> Result<Option<BackupRun>, Failure> {
    let due = DueOptions {
        if_older_than: args.if_older_than,
        if_version_changed: args.if_version_changed,
    };
    if due == DueOptions::default() {
        return Ok(None);
    }
    let live = oc::live_target(oc, monitor).map_err(|error| failed(error.into()))?;
    let backups = survey::recall(catalogue, &request.options(Depth::New))?;
    let known: Vec<KnownBackup> = backups.iter().filter_map(known).collect();
    match is_due(&live, &known, due, Utc::now()) {
        Due::Yes(reason) => {
            monitor.note(&format!("a backup is due: {reason}"));
            Ok(None)
        }
        Due::No(reason) => Ok(Some(BackupRun {
            outcome: RunOutcome::Skipped,
            reason: Some(reason),
            node: None,
            plan: Vec::new(),
            backup: None,
            leftovers: Vec::new(),
        })),
    }
}

fn known(backup: &Backup) -> Option<KnownBackup> {
    let cluster = &backup.snapshot.as_ref()?.facts.cluster;
    let is_usable = backup.verdict.is_usable();
    is_usable.then_some(())?;
    Some(KnownBackup {
        cluster_id: cluster.id.clone()?,
        version: backup.version.openshift.clone()?,
        taken_at: backup.taken_at?,
    })
}

fn planned(plan: BackupPlan) -> BackupRun {
    let forced: Vec<String> = plan.forced.iter().map(ToString::to_string).collect();
    BackupRun {
        outcome: RunOutcome::Planned,
        reason: (!forced.is_empty()).then(|| format!("in spite of {}", forced.join("; "))),
        node: Some(plan.node.clone()),
        plan: plan
            .commands
            .iter()
            .map(|command| shell_line(command))
            .collect(),
        backup: None,
        leftovers: Vec::new(),
    }
}

/// Verifies the two files as any others, then holds what the script and the cluster said against them.
fn examine(
    request: &Request<'_>,
    catalogue: &Catalogue,
    run: &oc::BackupRun,
    monitor: &dyn Monitor,
) -> Result<(Option<Backup>, Vec<String>), Failure> {
    let locations = [run.snapshot.path.clone(), run.kuberesources.path.clone()];
    let options = request.options(Depth::Everything);
    let Survey { backups, .. } = survey::examine(&locations, catalogue, &options, monitor)?;
    let is_it = |backup: &Backup| {
        backup
            .snapshot
            .as_ref()
            .is_some_and(|half| half.places().any(|place| *place == run.snapshot.path))
    };
    let backup = backups.into_iter().find(is_it);
    let doubts = backup
        .as_ref()
        .map_or_else(Vec::new, |backup| doubts(run, backup));
    Ok((backup, doubts))
}

fn doubts(run: &oc::BackupRun, backup: &Backup) -> Vec<String> {
    let Some(half) = &backup.snapshot else {
        return Vec::new();
    };
    let facts = &half.facts;
    let learnt = LearntFacts {
        status: facts.status,
        live_keys: facts.live_keys,
        storage_version: facts.storage_version.clone(),
        version: backup.version.openshift.clone(),
        cluster_id: facts.cluster.id.clone(),
    };
    cross_check(run, &learnt)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Remembers how it was taken; forgets what was put aside.
fn finish(
    _request: &Request<'_>,
    catalogue: &Catalogue,
    run: oc::BackupRun,
    backup: Option<Backup>,
    doubts: &[String],
) -> Result<BackupRun, Failure> {
    let key = backup
        .as_ref()
        .and_then(|backup| backup.snapshot.as_ref())
        .map(|half| SnapshotKey::of(&half.facts));
    let is_rejected = run.outcome == oc::Outcome::Rejected;
    match key {
        Some(key) if is_rejected => {
            let archive = backup
                .as_ref()
                .and_then(|backup| backup.kuberesources.as_ref());
            let kuberesources = archive.map(|half| half.facts.sha256).into_iter().collect();
            catalogue.forget(&Forget {
                snapshots: vec![key],
                kuberesources,
                ..Forget::default()
            })?;
        }
        Some(key) => catalogue.record(vec![Change::Provenance {
            snapshot: key,
            provenance: Box::new(provenance(&run)),
        }])?,
        None => {}
    }
    let aside = is_rejected.then(|| format!("put aside as {}", run.snapshot.path.display()));
    let reasons: Vec<String> = doubts.iter().cloned().chain(aside).collect();
    Ok(BackupRun {
        outcome: if is_rejected {
            RunOutcome::Rejected
        } else {
            RunOutcome::Taken
        },
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        node: Some(run.node),
        plan: run
            .commands
            .iter()
            .map(|command| shell_line(command))
            .collect(),
        backup,
        leftovers: run.leftovers.iter().map(told).collect(),
    })
}

fn provenance(run: &oc::BackupRun) -> Provenance {
    Provenance {
        node: run.node.clone(),
        oc_version: run.oc_version.clone(),
        cluster_version: Some(run.version_before.clone()),
        script_output: run.script_output.join("\n"),
        forced: run.forced.iter().map(ToString::to_string).collect(),
        taken_at: run.started_at,
    }
}

fn told(leftover: &Leftover) -> String {
    format!(
        "{} is still there; remove it with: {}",
        leftover.what, leftover.command
    )
}

fn failed(error: OcError) -> Failure {
    let remedy = error.remedy();
    let failure = Failure::new(code::OC, error);
    match remedy {
        Some(remedy) => failure.hint(remedy),
        None => failure,
    }
}

fn broken(failure: BackupFailure) -> Failure {
    let leftovers: Vec<String> = failure.leftovers.iter().map(told).collect();
    let failed = failed(failure.error);
    if leftovers.is_empty() {
        failed
    } else {
        failed.hint(leftovers.join("; "))
    }
}
