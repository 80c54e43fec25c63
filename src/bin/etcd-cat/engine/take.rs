//! `backup`: hands the options in.

use super::cluster::{client, failed_to_take};
use super::{Request, catalogue};
use crate::args::BackupArgs;
use crate::error::Failure;
use etcd_cat::monitor::Monitor;
use etcd_cat::oc::{BackupOptions, BackupTask, DebugNamespace};
use etcd_cat::survey::Depth;
use etcd_cat::take::{self, DueOptions, TakeOptions, TakeReport};
use std::path::PathBuf;

/// Takes a backup, unless there is no need or it is only to be planned.
pub(crate) fn take(
    args: &BackupArgs,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<TakeReport, Failure> {
    let oc = client(&args.oc)?;
    let catalogue = catalogue(request.global)?;
    let options = TakeOptions {
        backup: backup_options(args),
        due: DueOptions {
            if_older_than: args.if_older_than,
            if_version_changed: args.if_version_changed,
        },
        is_dry_run: args.dry_run,
        survey: request.options(Depth::New),
    };
    take::take(&oc, &catalogue, options, monitor).map_err(failed_to_take)
}

fn backup_options(args: &BackupArgs) -> BackupOptions {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let mut options = BackupOptions::new(args.to.as_ref().map(absolute).unwrap_or_default());
    options.node.clone_from(&args.node);
    options.keys_to = args.keys_to.as_ref().map(absolute);
    options.lock_directory = args.lock_directory.as_ref().map(absolute);
    options.forced.clone_from(&args.force);
    options.not_during.clone_from(&args.not_during);
    options.keep_on_node = args.keep_on_node;
    options.task = match (args.resume, args.clean) {
        (true, _) => BackupTask::Resume,
        (_, true) => BackupTask::Clean,
        _ if args.from_policy => BackupTask::FromPolicy,
        _ => BackupTask::Take,
    };
    if let Some(patience) = args.patience.and_then(|span| span.to_std().ok()) {
        options.timeouts.be_patient_for(patience);
    }
    if let Some(namespace) = &args.debug_namespace {
        options.debug_namespace = DebugNamespace::Existing(namespace.clone());
    }
    if let Some(directory) = &args.host_directory {
        options.host_directory.clone_from(directory);
    }
    options
}
