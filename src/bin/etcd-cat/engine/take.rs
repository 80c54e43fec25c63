//! `backup`: is one due, what would be done, do it, believe it only when it is verified, remember it.

mod cluster;
mod examine;
mod locks;
mod outcome;
mod remember;

pub(crate) use cluster::live_cluster;
pub(crate) use outcome::{BackupRun, RunOutcome};

use super::{Request, catalogue};
use crate::args::BackupArgs;
use crate::error::Failure;
use chrono::Utc;
use cluster::{broken, client, failed};
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::Catalogue;
use etcd_cat::monitor::Monitor;
use etcd_cat::oc::{self, BackupOptions, DebugNamespace, Oc};
use etcd_cat::survey::{self, Depth};
use etcd_cat::take::{Due, DueOptions, KnownBackup, is_due};
use examine::examine;
use std::path::PathBuf;

/// Takes a backup, unless there is no need or it is only to be planned.
pub(crate) fn take(
    request: &Request<'_>,
    args: &BackupArgs,
    monitor: &dyn Monitor,
) -> Result<BackupRun, Failure> {
    let oc = client(&args.oc)?;
    let catalogue = catalogue(request.global)?;
    if let Some(reason) = needless(request, args, &oc, &catalogue, monitor)? {
        return Ok(BackupRun::skipped(reason));
    }
    let plan = oc::plan(&oc, options(args), Utc::now(), monitor).map_err(failed)?;
    if args.dry_run {
        return Ok(BackupRun::planned(&plan));
    }
    for reason in &plan.forced {
        monitor.note(&format!("overridden: {reason}"));
    }
    let mut examined = None;
    let run = oc::run(&oc, &plan, monitor, &mut |run| {
        let (verification, found) = examine(request, run, monitor);
        examined = found;
        verification
    });
    let run = run.map_err(|failure| broken(*failure))?;
    Ok(match examined {
        Some(examined) if run.outcome == oc::Outcome::Verified => {
            remember::remember(request, &catalogue, run, examined)
        }
        examined => BackupRun::rejected(run, examined.map(|found| found.backup)),
    })
}

fn options(args: &BackupArgs) -> BackupOptions {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let locks = args.lock_directory.as_ref();
    let locks = locks.map_or_else(locks::directory, absolute);
    let mut options = BackupOptions::new(absolute(&args.to), locks);
    options.node.clone_from(&args.node);
    options.keys_to = args.keys_to.as_ref().map(absolute);
    options.forced.clone_from(&args.force);
    options.not_during.clone_from(&args.not_during);
    options.keep_on_node = args.keep_on_node;
    if let Some(namespace) = &args.debug_namespace {
        options.debug_namespace = DebugNamespace::Existing(namespace.clone());
    }
    if let Some(directory) = &args.host_directory {
        options.host_directory.clone_from(directory);
    }
    options
}

/// A usable backup that is young enough makes a new one needless; says which.
fn needless(
    request: &Request<'_>,
    args: &BackupArgs,
    oc: &Oc,
    catalogue: &Catalogue,
    monitor: &dyn Monitor,
) -> Result<Option<String>, Failure> {
    let due = DueOptions {
        if_older_than: args.if_older_than,
        if_version_changed: args.if_version_changed,
    };
    if due == DueOptions::default() {
        return Ok(None);
    }
    let live = oc::live_target(oc, monitor).map_err(|error| failed(error.into()))?;
    let backups = match survey::recall(catalogue, &request.options(Depth::New)) {
        Ok(backups) => backups,
        // One backup too many is better than none; that the catalogue is of no use is told in the end.
        Err(error) => {
            monitor.note(&format!("a backup is due: {error}"));
            return Ok(None);
        }
    };
    let known: Vec<KnownBackup> = backups.iter().filter_map(known).collect();
    Ok(match is_due(&live, &known, due, request.as_of) {
        Due::No(reason) => Some(reason),
        Due::Yes(reason) => {
            monitor.note(&format!("a backup is due: {reason}"));
            None
        }
    })
}

fn known(backup: &Backup) -> Option<KnownBackup> {
    if !backup.verdict.is_usable() {
        return None;
    }
    Some(KnownBackup {
        cluster_id: backup.snapshot.as_ref()?.facts.cluster.id.clone()?,
        version: backup.version.openshift.clone()?,
        taken_at: backup.taken_at?,
    })
}
