//! A backup run that is decided: where, with what, and what was seen beforehand.

use super::host;
use super::lock::RunLock;
use super::options::{BackupOptions, DebugNamespace};
use super::policy_search::PolicySearch;
use crate::oc::client::HostAccess;
use crate::oc::cluster::{LiveTarget, Proxy, ReasonCode, RefusalReason, Stale};
use std::net::IpAddr;

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
    pub(super) addresses: Vec<(IpAddr, String)>,
    /// Where the cluster's own backups are looked for.
    pub(super) policy: PolicySearch,
    pub(super) proxy: Proxy,
    pub(super) is_exec: bool,
    /// A heartbeat can be kept in the cluster.
    pub(super) may_mark: bool,
    /// What earlier runs left in the cluster, and nobody works with any more.
    pub(super) stale: Vec<Stale>,
    pub(super) options: BackupOptions,
    pub(super) _lock: RunLock,
}

impl BackupPlan {
    /// True when the namespace is made for this run.
    pub(super) fn is_temporary(&self) -> bool {
        self.options.debug_namespace == DebugNamespace::Temporary
    }

    /// `etcd-cat-x7k2p`, as no other run is called.
    fn run_name(&self) -> &str {
        let name = self.directory.rsplit('/').next();
        name.unwrap_or(&self.directory)
    }

    /// A pod that reads a claim, after so many others of this run: one that has gone may take its time.
    pub(super) fn volume_pod(&self, before: usize) -> String {
        format!("{}-volume-{}", self.run_name(), before.saturating_add(1))
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
}
