//! Looks at the cluster: read-only requests, nothing judged yet.

use super::live::{LiveClusterVersion, LiveTarget};
use super::proxy::Proxy;
use super::reason::{ReasonCode, RefusalReason};
use super::rights::rights;
use super::stale::{self, Stale};
use super::types::{ClientVersions, List, Node, Pod, ProxyObject};
use crate::monitor::Monitor;
use crate::oc::client::{Call, Oc, Patience, RunError, commands, one_line};
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
    /// What earlier runs left in the cluster.
    pub(crate) stale: Vec<Stale>,
    /// False: `oc exec` is not allowed and the commands go through pod logs.
    pub(crate) may_exec: bool,
    /// A heartbeat can be kept in the cluster.
    pub(crate) may_mark: bool,
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
    /// Nobody is logged in, or somebody who may not: each reason of it.
    NoAccess(Vec<RefusalReason>),
}

impl From<RunError> for LookError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// Asks for all of it. `namespace` is where the debug pod will run, and `is_temporary` when it is still to be made.
///
/// The first question shows whether anybody answers; those that do not wait for each other are asked together.
pub(crate) fn look(
    oc: &Oc,
    namespace: &str,
    is_temporary: bool,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<ObservedCluster, LookError> {
    let calls = [commands::client_version(), commands::cluster_version()];
    let [client, cluster] = oc.ask_together(calls, patience, monitor);
    let oc_version = client_version(oc, client)?;
    let cluster = read(oc, &commands::cluster_version(), cluster)?;
    let calls = [
        commands::infrastructure(),
        commands::cluster_operators(),
        commands::proxy(),
        commands::nodes(),
        commands::etcd_pods(),
        commands::rights(namespace),
        stale::marked(namespace, is_temporary),
    ];
    let answers = oc.ask_together(calls, patience, monitor);
    refuse_missing_access(&answers)?;
    let [
        infrastructure,
        operators,
        proxy,
        nodes,
        pods,
        listed,
        marked,
    ] = answers;
    let nodes: List<Node> = read(oc, &commands::nodes(), nodes)?;
    let rights = rights(oc, listed, namespace, is_temporary, patience, monitor);
    let rights = rights.map_err(refuse_access)?;
    Ok(ObservedCluster {
        oc_version,
        cluster,
        infrastructure: read(oc, &commands::infrastructure(), infrastructure)?,
        proxy: proxy_of(oc, proxy)?,
        operators: operators_of(oc, operators)?,
        nodes: nodes.items,
        nodes_with_etcd: nodes_with_etcd(oc, pods)?,
        denied: rights.denied,
        may_exec: rights.may_exec,
        may_mark: rights.may_mark,
        stale: stale::stale(
            oc,
            &stale::marked(namespace, is_temporary),
            marked,
            (!is_temporary).then_some(namespace),
            crate::instant::now(),
        )?,
    })
}

fn read<T: DeserializeOwned>(
    oc: &Oc,
    call: &Call,
    answer: Result<String, RunError>,
) -> Result<T, LookError> {
    let text = answer.map_err(refuse_access)?;
    Ok(oc.read_json(call, &text)?)
}

/// An API server too sick to answer this may still do for a backup: that is for a person to say.
fn operators_of(
    oc: &Oc,
    answer: Result<String, RunError>,
) -> Result<Result<Vec<ClusterOperator>, String>, LookError> {
    match read::<List<ClusterOperator>>(oc, &commands::cluster_operators(), answer) {
        Ok(list) => Ok(Ok(list.items)),
        Err(LookError::Run(
            error @ (RunError::Failed { .. } | RunError::TooLong { .. } | RunError::Stalled { .. }),
        )) => Ok(Err(error.reason())),
        Err(error) => Err(error),
    }
}

/// Missing access is a reason of its own; everything else stays what it is.
fn refuse_access(error: RunError) -> LookError {
    match no_access(&error) {
        Some(reason) => LookError::NoAccess(vec![reason]),
        None => error.into(),
    }
}

fn no_access(error: &RunError) -> Option<RefusalReason> {
    let code = if error.is_not_logged_in() {
        ReasonCode::NotLoggedIn
    } else if error.is_forbidden() {
        ReasonCode::Forbidden
    } else {
        return None;
    };
    Some(RefusalReason::new(code, one_line(error.stderr())))
}

/// All that may not be read, told at once; without the pods, the rights and what is marked it goes as well.
fn refuse_missing_access(answers: &[Result<String, RunError>; 7]) -> Result<(), LookError> {
    let [infrastructure, operators, proxy, nodes, ..] = answers;
    let needed = [infrastructure, operators, proxy, nodes];
    let errors = needed.iter().filter_map(|answer| answer.as_ref().err());
    let mut reasons: Vec<RefusalReason> = errors.filter_map(no_access).collect();
    reasons.dedup();
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(LookError::NoAccess(reasons))
    }
}

/// The version of `oc` is only told: a client too odd to say it may still work.
fn client_version(oc: &Oc, answer: Result<String, RunError>) -> Result<Option<String>, LookError> {
    let call = commands::client_version();
    let versions = answer.and_then(|text| oc.read_json::<ClientVersions>(&call, &text));
    match versions {
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

fn proxy_of(oc: &Oc, answer: Result<String, RunError>) -> Result<Proxy, LookError> {
    match answer {
        Err(error) if error.is_missing_object() => Ok(Proxy::Off),
        answer => {
            let object: ProxyObject = read(oc, &commands::proxy(), answer)?;
            Ok(Proxy::from_status(&object.status))
        }
    }
}

/// Helps to choose; whoever may not list pods still gets a node that is Ready.
fn nodes_with_etcd(
    oc: &Oc,
    answer: Result<String, RunError>,
) -> Result<Option<BTreeSet<String>>, LookError> {
    let pods: List<Pod> = match answer {
        Err(error) if error.is_forbidden() => return Ok(None),
        answer => oc.read_json(&commands::etcd_pods(), &answer?)?,
    };
    let is_ready = |pod: &Pod| is_true(&pod.status.conditions, "Ready");
    let ready = pods.items.into_iter().filter(is_ready);
    Ok(Some(ready.map(|pod| pod.spec.node_name).collect()))
}
