//! What a backup run is going to do: made from a look at the cluster, printable before anything is changed.

use super::error::OcError;
use super::host;
use super::lock::RunLock;
use super::lock_directory::default_lock_directory;
use super::options::{BackupOptions, BackupTask, DebugNamespace};
use super::policy_search::{self, PolicySearch};
use crate::monitor::Monitor;
use crate::oc::client::{Call, HostAccess, Oc, RunError, commands, shell_line};
use crate::oc::cluster::look::ObservedCluster;
use crate::oc::cluster::preflight::Host;
use crate::oc::cluster::{
    LiveTarget, Proxy, ReasonCode, RefusalReason, Stale, live_target_within, look, preflight,
};
use crate::openshift::COMPONENTS;
use chrono::{DateTime, Utc};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;

/// Stand for what only the run itself learns, in commands printed beforehand.
const POD: &str = "POD";
const NODE: &str = "NODE";
const DIRECTORY: &str = "DIRECTORY";
const TIME: &str = "TIME";
const SNAPSHOT: &str = "snapshot_TIME.db";
const KUBERESOURCES: &str = "static_kuberesources_TIME.tar.gz";

/// Reasons for which the host cannot be reached at all.
const REACH: [ReasonCode; 4] = [
    ReasonCode::NotLoggedIn,
    ReasonCode::Forbidden,
    ReasonCode::HostedControlPlane,
    ReasonCode::NoHealthyNode,
];

/// Reasons that the script refuses for as well, unless it is forced.
const SCRIPT_LOOKS_FOR: [ReasonCode; 2] =
    [ReasonCode::RolloutInProgress, ReasonCode::OperatorUnknown];

/// A backup run that nothing speaks against. Holds the lock of the cluster until it is dropped.
#[derive(Debug)]
pub struct BackupPlan {
    /// The host.
    pub node: String,
    /// Namespace of the debug pod.
    pub namespace: String,
    /// Every host that is cleaned; the one of a backup alone.
    pub nodes: Vec<String>,
    /// Hosts that cannot be cleaned now, and why.
    pub out_of_reach: Vec<String>,
    /// The fresh directory on the host.
    pub directory: String,
    /// The cluster, before.
    pub target: LiveTarget,
    /// `oc version`.
    pub oc_version: Option<String>,
    /// Reasons that were found and overridden.
    pub forced: Vec<RefusalReason>,
    /// The look beforehand: every command that was run for it.
    pub looked: Vec<Vec<String>>,
    /// Every command that the run will run, in order. `POD` and `TIME` stand for what only it learns.
    pub commands: Vec<Vec<String>>,
    /// Which node has which address.
    addresses: Vec<(IpAddr, String)>,
    /// Where the cluster's own backups are looked for.
    pub(super) policy: PolicySearch,
    pub(super) proxy: Proxy,
    pub(super) is_exec: bool,
    /// A heartbeat can be kept in the cluster.
    pub(super) may_mark: bool,
    /// What earlier runs left in the cluster, and nobody works with any more.
    pub(super) stale: Vec<Stale>,
    pub(super) options: BackupOptions,
    _lock: RunLock,
}

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
    let (node, policy) = if options.task == BackupTask::FromPolicy {
        reasons.retain(|reason| reason.code != ReasonCode::NoHealthyNode);
        let search = policy_search::search(oc, &look, &options, monitor)?;
        let first = search.hosts.first().map(|(node, _)| node.clone());
        (first, search)
    } else {
        (node, PolicySearch::default())
    };
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
        stale: look.stale,
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

impl BackupPlan {
    /// True when the namespace is made for this run.
    pub(super) fn is_temporary(&self) -> bool {
        self.options.debug_namespace == DebugNamespace::Temporary
    }

    /// The namespace that debug pods run in, unless it is made for this run.
    pub(super) fn own_namespace(&self) -> Option<&str> {
        (!self.is_temporary()).then_some(self.namespace.as_str())
    }

    /// The one node that has this address.
    pub(super) fn node_at(&self, address: IpAddr) -> Option<&str> {
        let mut found = self.addresses.iter().filter(|(of, _)| *of == address);
        let (_, node) = found.next()?;
        found.all(|(_, other)| other == node).then_some(node)
    }

    /// What was overridden has to be overridden in the script too: it looks at the operators for itself.
    pub(super) fn is_script_forced(&self) -> bool {
        let mut codes = self.forced.iter().map(|reason| reason.code);
        codes.any(|code| SCRIPT_LOOKS_FOR.contains(&code))
    }

    /// The words that run the script on the host.
    pub(super) fn script(&self, is_forced: bool) -> Vec<String> {
        self.proxy.wrap(&host::script(&self.directory, is_forced))
    }

    /// How a host is reached, once there is a pod of this name.
    pub(super) fn access(&self, node: &str, pod: &str) -> HostAccess {
        let namespace = self.namespace.clone();
        if self.is_exec {
            HostAccess::Exec {
                namespace,
                pod: pod.to_owned(),
            }
        } else {
            HostAccess::Logs {
                namespace,
                node: node.to_owned(),
            }
        }
    }

    /// Commands on each host in turn, and those that bring in the newest.
    fn foresee_policy(&self, oc: &Oc) -> Vec<Vec<String>> {
        let mut calls = self.foresee_namespace();
        let start = |calls: &mut Vec<Call>, node: &str| {
            calls.extend(self.foresee_pod(node));
            self.access(node, POD)
        };
        for (node, places) in &self.policy.hosts {
            let access = start(&mut calls, node);
            let words = host::policy_files(places);
            calls.push(access.run(&words.each_ref().map(String::as_str)));
        }
        let access = start(&mut calls, NODE);
        calls.extend(self.foresee_files(&access, DIRECTORY));
        if self.is_exec {
            let pods = self.policy.hosts.iter().map(|_| POD).chain([POD]);
            calls.extend(pods.map(|pod| commands::delete_pod(&self.namespace, pod)));
        }
        self.foreseen(calls, oc)
    }

    /// What earlier runs left is removed, and the place for the debug pod is made.
    fn foresee_namespace(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = self.stale.iter().map(Stale::delete).collect();
        if self.is_temporary() {
            calls.push(commands::create_namespace(&self.namespace));
            calls.push(commands::label_namespace(&self.namespace));
            calls.push(commands::annotate_namespace(&self.namespace, TIME));
        }
        calls
    }

    /// All of them, and that the place for the debug pod goes.
    fn foreseen(&self, mut calls: Vec<Call>, oc: &Oc) -> Vec<Vec<String>> {
        if self.is_temporary() {
            calls.push(commands::delete_namespace(&self.namespace));
        }
        calls.iter().map(|call| oc.argv(call)).collect()
    }

    /// Up to a debug pod on the host.
    fn foresee_pod(&self, node: &str) -> Vec<Call> {
        let life = self.options.timeouts.pod_life.as_secs();
        let mut calls = Vec::new();
        if self.is_exec {
            calls.push(commands::debug_sleep(node, &self.namespace, life));
            calls.push(commands::pod(&self.namespace, POD));
            if self.may_mark && !self.is_temporary() {
                calls.push(commands::beat_pod(&self.namespace, POD, TIME));
            }
        }
        calls
    }

    fn foresee_clean(&self, oc: &Oc) -> Vec<Vec<String>> {
        let mut calls = self.foresee_namespace();
        for node in &self.nodes {
            let access = self.access(node, POD);
            calls.extend(self.foresee_pod(node));
            calls.push(access.run(&host::earlier(&self.options.host_directory, true)));
            calls.push(access.run(&host::remove(DIRECTORY)));
            if self.is_exec {
                calls.push(commands::delete_pod(&self.namespace, POD));
            }
        }
        self.foreseen(calls, oc)
    }

    fn foresee_files(&self, access: &HostAccess, directory: &str) -> Vec<Call> {
        let snapshot = format!("{directory}/{SNAPSHOT}");
        let kuberesources = format!("{directory}/{KUBERESOURCES}");
        let mut calls = vec![
            access.run(&host::sizes(&snapshot, &kuberesources)),
            access.run(&host::digests(&snapshot, &kuberesources)),
        ];
        for path in [&kuberesources, &snapshot] {
            let words = if self.is_exec {
                host::content(path, 0)
            } else {
                host::content_as_text(path, 0, host::LOG_PART_BYTES)
            };
            calls.push(access.run(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        calls
    }

    fn foresee(&self, oc: &Oc) -> Vec<Vec<String>> {
        match self.options.task {
            BackupTask::FromPolicy => return self.foresee_policy(oc),
            BackupTask::Clean => return self.foresee_clean(oc),
            BackupTask::Take | BackupTask::Resume => {}
        }
        let access = self.access(&self.node, POD);
        let place = &self.options.host_directory;
        let mut calls = self.foresee_namespace();
        calls.extend(self.foresee_pod(&self.node));
        let directory = if self.options.task == BackupTask::Resume {
            calls.push(access.run(&host::earlier(place, false)));
            calls.push(access.run(&host::names(DIRECTORY)));
            calls.push(access.run(&host::heartbeat(DIRECTORY)));
            DIRECTORY
        } else {
            let script = self.script(self.is_script_forced());
            let script: Vec<&str> = script.iter().map(String::as_str).collect();
            calls.push(access.run(&host::database_size()));
            calls.push(access.run(&host::free_space(place)));
            calls.push(access.run(&host::earlier(place, true)));
            calls.push(access.run(&host::make_directory(&self.directory)));
            calls.push(access.run(&script));
            &self.directory
        };
        calls.push(commands::cluster_version());
        calls.extend(self.foresee_files(&access, directory));
        if !self.options.keep_on_node {
            calls.push(access.run(&host::remove(directory)));
        }
        if self.is_exec {
            calls.push(commands::delete_pod(&self.namespace, POD));
        }
        self.foreseen(calls, oc)
    }
}

/// One command on each line, for a shell; what is told about them stands in comments.
impl fmt::Display for BackupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .target
            .infrastructure_name
            .as_deref()
            .unwrap_or("without a name");
        writeln!(
            f,
            "# cluster {} ({name}), version {}",
            self.target.cluster_id, self.target.version
        )?;
        writeln!(f, "# host {}", self.node)?;
        for reason in &self.forced {
            writeln!(f, "# forced: {reason}")?;
        }
        writeln!(f, "# looked ({}):", COMPONENTS.join(", "))?;
        for command in &self.looked {
            writeln!(f, "{}", shell_line(command))?;
        }
        if !self.is_exec {
            writeln!(
                f,
                "# oc exec is not allowed: a debug pod for each command, the files as text through its log"
            )?;
        }
        writeln!(f, "# would run:")?;
        for command in &self.commands {
            writeln!(f, "{}", shell_line(command))?;
        }
        Ok(())
    }
}
