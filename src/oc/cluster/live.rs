//! The live cluster as a target: what `check --from-cluster` asks.

use super::types::{ClusterVersion, Infrastructure};
use crate::monitor::Monitor;
use crate::oc::client::{Oc, RunError, commands};

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
    let cluster: ClusterVersion = oc.json(&commands::cluster_version(), monitor)?;
    let infrastructure = match oc.json::<Infrastructure>(&commands::infrastructure(), monitor) {
        Ok(found) => Some(found),
        // The name is a convenience; the id decides.
        Err(error) if error.is_forbidden() || error.is_missing_object() => None,
        Err(error) => return Err(error),
    };
    let name = infrastructure.map(|found| found.status.infrastructure_name);
    Ok(LiveTarget {
        is_upgrading: cluster.upgrade().is_some(),
        version: cluster.status.desired.version,
        cluster_id: cluster.spec.cluster_id,
        infrastructure_name: name.filter(|name| !name.is_empty()),
    })
}

/// The version that the cluster runs, or goes to, at this moment.
pub(crate) fn live_version(oc: &Oc, monitor: &dyn Monitor) -> Result<String, RunError> {
    let cluster: ClusterVersion = oc.json(&commands::cluster_version(), monitor)?;
    Ok(cluster.status.desired.version)
}

impl ClusterVersion {
    /// What speaks for an upgrade under way, in words; `None` when the cluster is at rest at one version.
    pub(super) fn upgrade(&self) -> Option<String> {
        let desired = &self.status.desired.version;
        let Some(newest) = self.status.history.first() else {
            return Some(format!("the history is empty, expected version {desired}"));
        };
        if newest.state != "Completed" || newest.version != *desired {
            let (version, state) = (&newest.version, &newest.state);
            return Some(format!(
                "version {version} is {state}, expected {desired} Completed"
            ));
        }
        let progressing = super::types::condition(&self.status.conditions, "Progressing")?;
        let is_progressing = progressing.status == "True";
        is_progressing.then(|| format!("ClusterVersion is Progressing: {}", progressing.message))
    }
}
