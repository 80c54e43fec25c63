//! `backup`: hands the options in.

use super::cluster::{client, failed_to_take};
use super::{Request, catalogue};
use crate::args::BackupArgs;
use crate::error::{Failure, code};
use etcd_cat::monitor::Monitor;
use etcd_cat::oc::{BackupOptions, BackupTask, DebugNamespace};
use etcd_cat::source::ObjectId;
use etcd_cat::survey::Depth;
use etcd_cat::take::{self, Destination, DueOptions, TakeOptions, TakeReport};
use std::path::{Path, PathBuf};

/// Takes a backup, unless there is no need or it is only to be planned.
pub(crate) fn take(
    args: &BackupArgs,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<TakeReport, Failure> {
    let oc = client(&args.oc)?;
    let catalogue = catalogue(request.global)?;
    let to = args.to.as_ref();
    let to = to.map(|to| destination(to, args.keys_to.as_ref()));
    let also = args.also.iter().map(|also| destination(also, None));
    let options = TakeOptions {
        backup: backup_options(args),
        to: to.transpose()?,
        also: also.collect::<Result<_, _>>()?,
        work_directory: args.work_directory.as_deref().map(absolute),
        due: DueOptions {
            if_older_than: args.if_older_than,
            if_version_changed: args.if_version_changed,
        },
        is_dry_run: args.dry_run,
        survey: request.options(Depth::New),
    };
    take::take(&oc, &catalogue, options, monitor).map_err(failed_to_take)
}

fn destination(to: &ObjectId, keys_to: Option<&ObjectId>) -> Result<Destination, Failure> {
    Destination::new(to, keys_to).map_err(|error| Failure::new(code::USAGE, error))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// How it is taken; the destination is told apart from it.
fn backup_options(args: &BackupArgs) -> BackupOptions {
    let mut options = BackupOptions::new(PathBuf::new());
    options.node.clone_from(&args.node);
    options.lock_directory = args.lock_directory.as_deref().map(absolute);
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
