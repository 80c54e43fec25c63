//! The live cluster as a target: what `check --from-cluster` asks.

use crate::monitor::Monitor;
use crate::oc::client::{Oc, Patience, RunError, commands};
use crate::openshift::api::{
    ClusterVersion, Infrastructure, ObjectCondition, PROGRESSING, condition,
};
use crate::openshift::{HistoryEntry, settled_version};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Which cluster answers, and what it runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LiveTarget {
    /// The version that it runs, or, amid an upgrade, the one that it goes to.
    pub version: String,
    /// ClusterVersion `spec.clusterID`.
    pub cluster_id: String,
    /// Infrastructure `status.infrastructureName`; `None` when it may not be read.
    pub infrastructure_name: Option<String>,
    /// True while the cluster is between two versions: nothing is valid for it then.
    pub is_upgrading: bool,
}

/// Asks the cluster who it is. Two reads, nothing changed.
///
/// # Errors
/// `oc` failed, or printed no ClusterVersion.
pub fn live_target(oc: &Oc, monitor: &dyn Monitor) -> Result<LiveTarget, RunError> {
    live_target_within(oc, Patience::NONE, monitor)
}

/// The same, asked again while the API server is away.
pub(crate) fn live_target_within(
    oc: &Oc,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<LiveTarget, RunError> {
    let cluster: LiveClusterVersion = oc.json(&commands::cluster_version(), patience, monitor)?;
    let infrastructure =
        match oc.json::<Infrastructure>(&commands::infrastructure(), patience, monitor) {
            Ok(found) => Some(found),
            // The name is a convenience; the id decides.
            Err(error) if error.is_forbidden() || error.is_missing_object() => None,
            Err(error) => return Err(error),
        };
    let name = infrastructure.and_then(|found| found.status.infrastructure_name);
    Ok(LiveTarget {
        is_upgrading: cluster.upgrade().is_some(),
        version: cluster.desired_version,
        cluster_id: cluster.cluster_id,
        infrastructure_name: name.filter(|name| !name.is_empty()),
    })
}

/// The version that the cluster runs, or goes to, at this moment.
pub(crate) fn live_version(
    oc: &Oc,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<String, RunError> {
    let cluster: LiveClusterVersion = oc.json(&commands::cluster_version(), patience, monitor)?;
    Ok(cluster.desired_version)
}

/// A ClusterVersion as a living cluster has it: with an id, and a version that is wanted.
#[derive(Debug, Deserialize)]
#[serde(try_from = "ClusterVersion")]
pub(super) struct LiveClusterVersion {
    pub(super) cluster_id: String,
    pub(super) desired_version: String,
    pub(super) installed_at: Option<DateTime<Utc>>,
    history: Vec<HistoryEntry>,
    conditions: Vec<ObjectCondition>,
}

impl TryFrom<ClusterVersion> for LiveClusterVersion {
    type Error = &'static str;

    fn try_from(object: ClusterVersion) -> Result<Self, &'static str> {
        let status = object.status;
        let desired = status.desired.and_then(|release| release.version);
        let history = status.history.unwrap_or_default().into_iter();
        Ok(Self {
            cluster_id: object.spec.cluster_id.ok_or("no clusterID")?,
            desired_version: desired.ok_or("no desired version")?,
            installed_at: object.metadata.creation_timestamp,
            history: history.map(HistoryEntry::from).collect(),
            conditions: status.conditions,
        })
    }
}

impl LiveClusterVersion {
    /// What speaks for an upgrade under way, in words; `None` when the cluster is at rest at one version.
    pub(super) fn upgrade(&self) -> Option<String> {
        let desired = &self.desired_version;
        let Some(newest) = self.history.first() else {
            return Some(format!("the history is empty, expected version {desired}"));
        };
        if settled_version(&self.history, Some(desired)).is_none() {
            let (version, state) = (&newest.version, &newest.state);
            return Some(format!(
                "version {version} is {state}, expected {desired} Completed"
            ));
        }
        let progressing = condition(&self.conditions, PROGRESSING)?;
        progressing
            .is_true()
            .then(|| format!("ClusterVersion is Progressing: {}", progressing.message))
    }
}
