//! Looks at the cluster: read-only requests, one after the other, nothing judged yet.

use super::live::{LiveClusterVersion, LiveTarget};
use super::proxy::Proxy;
use super::reason::{ReasonCode, RefusalReason};
use super::types::{ClientVersions, List, Node, Pod, ProxyObject};
use crate::monitor::Monitor;
use crate::oc::client::{Oc, Patience, RunError, commands, one_line};
use crate::openshift::api::{ClusterOperator, Infrastructure, is_true};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Everything that was seen.
#[derive(Debug)]
pub(crate) struct ObservedCluster {
    pub(crate) oc_version: Option<String>,
    pub(super) cluster: LiveClusterVersion,
    pub(super) infrastructure: Infrastructure,
    pub(crate) proxy: Proxy,
    /// Why they are not known, where they are not.
    pub(super) operators: Result<Vec<ClusterOperator>, String>,
    pub(super) nodes: Vec<Node>,
    /// Nodes whose etcd pod is Ready; `None` when pods may not be listed.
    pub(super) nodes_with_etcd: Option<BTreeSet<String>>,
    /// Permissions that are missing, as `create pods`.
    pub(super) denied: Vec<String>,
    /// False: `oc exec` is not allowed and the commands go through pod logs.
    pub(crate) may_exec: bool,
}

impl ObservedCluster {
    /// Which cluster it is, and what it runs.
    pub(crate) fn target(&self) -> LiveTarget {
        let name = self.infrastructure.status.infrastructure_name.clone();
        LiveTarget {
            version: self.cluster.desired_version.clone(),
            cluster_id: self.cluster.cluster_id.clone(),
            infrastructure_name: name.filter(|name| !name.is_empty()),
            is_upgrading: self.cluster.upgrade().is_some(),
        }
    }
}

/// Why the cluster could not be looked at.
#[derive(Debug)]
pub(crate) enum LookError {
    /// `oc` failed.
    Run(RunError),
    /// Nobody is logged in, or somebody who may not.
    NoAccess(RefusalReason),
}

impl From<RunError> for LookError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// Asks for all of it. `namespace` is where the debug pod will run, and `is_temporary` when it is still to be made.
pub(crate) fn look(
    oc: &Oc,
    namespace: &str,
    is_temporary: bool,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<ObservedCluster, LookError> {
    let oc_version = client_version(oc, monitor)?;
    let cluster = read(oc, &commands::cluster_version(), patience, monitor)?;
    let infrastructure = read(oc, &commands::infrastructure(), patience, monitor)?;
    let operators = operators(oc, patience, monitor)?;
    let proxy = match oc.json::<ProxyObject>(&commands::proxy(), patience, monitor) {
        Ok(object) => Proxy::from_status(&object.status),
        Err(error) if error.is_missing_object() => Proxy::Off,
        Err(error) => return Err(refuse_access(error)),
    };
    let nodes: List<Node> = read(oc, &commands::nodes(), patience, monitor)?;
    let permissions = permissions(oc, namespace, is_temporary, patience, monitor)?;
    Ok(ObservedCluster {
        oc_version,
        cluster,
        infrastructure,
        proxy,
        operators,
        nodes: nodes.items,
        nodes_with_etcd: nodes_with_etcd(oc, patience, monitor)?,
        denied: permissions.denied,
        may_exec: permissions.may_exec,
    })
}

fn read<T: DeserializeOwned>(
    oc: &Oc,
    call: &commands::Call,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<T, LookError> {
    oc.json(call, patience, monitor).map_err(refuse_access)
}

/// An API server too sick to answer this may still do for a backup: that is for a person to say.
fn operators(
    oc: &Oc,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<Result<Vec<ClusterOperator>, String>, LookError> {
    let call = commands::cluster_operators();
    match read::<List<ClusterOperator>>(oc, &call, patience, monitor) {
        Ok(list) => Ok(Ok(list.items)),
        Err(LookError::Run(
            error @ (RunError::Failed { .. } | RunError::TooLong { .. } | RunError::Stalled { .. }),
        )) => Ok(Err(error.reason())),
        Err(error) => Err(error),
    }
}

/// Missing access is a reason of its own; everything else stays what it is.
fn refuse_access(error: RunError) -> LookError {
    let code = if error.is_not_logged_in() {
        ReasonCode::NotLoggedIn
    } else if error.is_forbidden() {
        ReasonCode::Forbidden
    } else {
        return error.into();
    };
    LookError::NoAccess(RefusalReason::new(code, one_line(error.stderr())))
}

/// The version of `oc` is only told: a client too odd to say it may still work.
fn client_version(oc: &Oc, monitor: &dyn Monitor) -> Result<Option<String>, LookError> {
    match oc.json::<ClientVersions>(&commands::client_version(), Patience::NONE, monitor) {
        Ok(versions) => {
            let git_version = versions.client_version.map(|client| client.git_version);
            Ok(versions
                .release_client_version
                .or(git_version)
                .filter(|version| !version.is_empty()))
        }
        Err(RunError::Failed { .. } | RunError::Shape { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Helps to choose; whoever may not list pods still gets a node that is Ready.
fn nodes_with_etcd(
    oc: &Oc,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<Option<BTreeSet<String>>, LookError> {
    let pods: List<Pod> = match oc.json(&commands::etcd_pods(), patience, monitor) {
        Ok(pods) => pods,
        Err(error) if error.is_forbidden() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_ready = |pod: &Pod| is_true(&pod.status.conditions, "Ready");
    let ready = pods.items.into_iter().filter(is_ready);
    Ok(Some(ready.map(|pod| pod.spec.node_name).collect()))
}

struct Permissions {
    denied: Vec<String>,
    may_exec: bool,
}

/// Asks only for what is not proven by the reads: the changes.
fn permissions(
    oc: &Oc,
    namespace: &str,
    is_temporary: bool,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<Permissions, LookError> {
    let cluster_wide: &[(&str, &str)] = if is_temporary {
        &[
            ("create", "namespaces"),
            ("get", "namespaces"),
            ("patch", "namespaces"),
            ("delete", "namespaces"),
        ]
    } else {
        &[]
    };
    let namespaced = [
        ("create", "pods"),
        ("get", "pods"),
        ("list", "pods"),
        ("watch", "pods"),
        ("delete", "pods"),
        ("get", "pods/log"),
    ];
    let wide = cluster_wide
        .iter()
        .map(|&(verb, resource)| (verb, resource, None));
    let inside = namespaced
        .iter()
        .map(|&(verb, resource)| (verb, resource, Some(namespace)));
    let mut denied = Vec::new();
    for (verb, resource, place) in wide.chain(inside) {
        if !can_i(oc, verb, resource, place, patience, monitor)? {
            denied.push(format!("{verb} {resource}"));
        }
    }
    Ok(Permissions {
        denied,
        may_exec: can_i(
            oc,
            "create",
            "pods/exec",
            Some(namespace),
            patience,
            monitor,
        )?,
    })
}

/// Prints `yes` (status 0) or `no` (status 1), perhaps followed by ` - ` and a reason; warnings go to stderr.
fn can_i(
    oc: &Oc,
    verb: &str,
    resource: &str,
    namespace: Option<&str>,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<bool, LookError> {
    let call = commands::can_i(verb, resource, namespace);
    match oc.ask(&call, patience, monitor) {
        Ok(answer) => Ok(answer.trim().starts_with("yes")),
        Err(RunError::Failed {
            code: Some(1),
            stderr,
            ..
        }) if !is_error(&stderr) => Ok(false),
        Err(error) => Err(refuse_access(error)),
    }
}

/// `Warning: resource 'namespaces' is not namespace scoped` is none.
fn is_error(stderr: &str) -> bool {
    stderr
        .lines()
        .any(|line| !line.trim().is_empty() && !line.starts_with("Warning"))
}
