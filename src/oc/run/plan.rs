//! Decides what a backup run is going to do: made from a look at the cluster, before anything is changed.

use super::error::OcError;
use super::lock::RunLock;
use super::lock_directory::default_lock_directory;
use super::options::{BackupOptions, BackupTask, DebugNamespace};
use super::planned::BackupPlan;
use super::policy_search::{self, PolicySearch};
use crate::monitor::Monitor;
use crate::oc::client::{Oc, RunError};
use crate::oc::cluster::look::ObservedCluster;
use crate::oc::cluster::preflight::Host;
use crate::oc::cluster::{
    LiveTarget, ReasonCode, RefusalReason, live_target_within, look, preflight, volume_pods,
};
use chrono::{DateTime, Utc};
use std::hash::{BuildHasher as _, RandomState};

/// Reasons for which the host cannot be reached at all.
const REACH: [ReasonCode; 4] = [
    ReasonCode::NotLoggedIn,
    ReasonCode::Forbidden,
    ReasonCode::HostedControlPlane,
    ReasonCode::NoHealthyNode,
];
/// Which cluster a backup would be of.
pub(crate) fn cluster_of(
    oc: &Oc,
    options: &BackupOptions,
    monitor: &dyn Monitor,
) -> Result<LiveTarget, RunError> {
    live_target_within(oc, options.look_patience(), monitor)
}

/// Looks at the cluster and plans a backup, or says why not, as of an instant. Takes the lock; changes nothing else.
///
/// # Errors
/// [`OcError::Refused`] with every reason at once; [`OcError::AlreadyRunning`]; `oc` or the lock file failed.
pub fn plan(
    oc: &Oc,
    options: BackupOptions,
    as_of: DateTime<Utc>,
    monitor: &dyn Monitor,
) -> Result<BackupPlan, OcError> {
    options.check()?;
    let suffix = suffix();
    let namespace = match &options.debug_namespace {
        DebugNamespace::Temporary => format!("etcd-cat-{suffix}"),
        DebugNamespace::Existing(name) => name.clone(),
    };
    let is_temporary = options.debug_namespace == DebugNamespace::Temporary;
    let before = oc.commands().len();
    monitor.note("looking at the cluster");
    let patience = options.look_patience();
    let look = look::look(oc, &namespace, is_temporary, patience, monitor)?;
    let target = look.target();
    let lock_directory = options.lock_directory.clone();
    let lock_directory = lock_directory.unwrap_or_else(default_lock_directory);
    let lock = RunLock::acquire(&lock_directory, &target.cluster_id, crate::instant::now())?;
    let (mut node, mut reasons) =
        preflight::judge(&look, options.node.as_deref(), &options.not_during, as_of);
    let (mut nodes, mut out_of_reach) = (Vec::new(), Vec::new());
    if options.task == BackupTask::Clean && options.node.is_none() {
        (nodes, out_of_reach) = hosts_to_clean(&look);
        node = nodes.first().cloned();
        // Nobody asks etcd for anything.
        reasons.retain(|reason| reason.code != ReasonCode::NoHealthyNode || node.is_none());
    }
    if options.task != BackupTask::Take {
        // What speaks against a new backup does not speak against the one that is there.
        reasons.retain(|reason| REACH.contains(&reason.code));
    }
    let mut stale = look.stale.clone();
    let (node, policy) = if options.task == BackupTask::FromPolicy {
        reasons.retain(|reason| reason.code != ReasonCode::NoHealthyNode);
        let search = policy_search::search(oc, &look, &options, monitor)?;
        let first = search.hosts.first().map(|(node, _)| node.clone());
        (first, search)
    } else {
        (node, PolicySearch::default())
    };
    if options.task == BackupTask::Clean || !policy.claims.is_empty() {
        stale.extend(volume_pods(oc, patience, monitor)?);
    }
    let forced = refuse_unforced(reasons, &options)?;
    let node = node.ok_or(OcError::Refused {
        reasons: Vec::new(),
    })?;
    if nodes.is_empty() {
        nodes.push(node.clone());
    }
    let mut plan = BackupPlan {
        node,
        nodes,
        out_of_reach,
        namespace,
        directory: format!(
            "{}/etcd-cat-{suffix}",
            options.host_directory.trim_end_matches('/')
        ),
        target,
        forced,
        looked: oc.commands().split_off(before),
        commands: Vec::new(),
        policy,
        addresses: preflight::addresses(&look),
        oc_version: look.oc_version,
        proxy: look.proxy,
        is_exec: look.may_exec,
        may_mark: look.may_mark,
        stale,
        options,
        _lock: lock,
    };
    plan.commands = plan.foresee(oc);
    Ok(plan)
}

/// Control-plane hosts on which a run can have left something, and why some of them cannot be looked at.
fn hosts_to_clean(look: &ObservedCluster) -> (Vec<String>, Vec<String>) {
    let hosts = preflight::hosts(look).into_iter();
    let (ready, others): (Vec<Host>, Vec<Host>) = hosts
        .filter(|host| host.is_control_plane)
        .partition(|host| host.is_ready);
    let why = |host: Host| format!("{} is not Ready", host.name);
    (
        ready.into_iter().map(|host| host.name).collect(),
        others.into_iter().map(why).collect(),
    )
}

/// Splits off what was forced; the rest refuses.
pub(super) fn refuse_unforced(
    reasons: Vec<RefusalReason>,
    options: &BackupOptions,
) -> Result<Vec<RefusalReason>, OcError> {
    let is_forced = |reason: &RefusalReason| {
        reason.code.is_forceable() && options.forced.contains(&reason.code)
    };
    let (forced, reasons): (Vec<RefusalReason>, Vec<RefusalReason>) =
        reasons.into_iter().partition(is_forced);
    if reasons.is_empty() {
        Ok(forced)
    } else {
        Err(OcError::Refused { reasons })
    }
}

/// Five letters and digits that no other run has: seeded by the system for each process.
fn suffix() -> String {
    const LETTERS: &[u8; 32] = b"bcdfghjklmnpqrstvwxz2456789aeiou";
    let mut random = RandomState::new().hash_one(std::process::id());
    let mut suffix = String::new();
    for _ in 0..5 {
        let index = usize::try_from(random % 32).unwrap_or_default();
        suffix.extend(LETTERS.get(index).map(|&letter| char::from(letter)));
        random /= 32;
    }
    suffix
}
