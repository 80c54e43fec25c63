//! Which version a cluster is at, and whether it is at one.

use super::api::UpdateHistory;
use super::cluster::{Cluster, HistoryEntry};

impl HistoryEntry {
    /// The update to this version was completed.
    pub(crate) fn is_completed(&self) -> bool {
        self.state == "Completed"
    }
}

impl From<UpdateHistory> for HistoryEntry {
    fn from(update: UpdateHistory) -> Self {
        Self {
            version: update.version,
            state: update.state,
            started_at: update.started_time,
            completed_at: update.completion_time,
        }
    }
}

impl Cluster {
    /// The version that the cluster was at; `None` between two, and when nothing is known.
    pub(crate) fn settled_version(&self) -> Option<&str> {
        settled_version(&self.history, self.desired_version.as_deref())
    }
}

/// A version is settled when it is the newest of the history, completed, and no other one is wanted; everything else is
/// a cluster between two versions.
///
/// The rule is the cluster-etcd-operator's own (4.4, `pkg/cmd/rollbackcopy/etcdclientutils.go`), but for a wanted version
/// without a name: then nobody wants another one.
pub(crate) fn settled_version<'h>(
    history: &'h [HistoryEntry],
    desired: Option<&str>,
) -> Option<&'h str> {
    let newest = history.first()?;
    let version = newest.version.as_str();
    let is_settled = !version.is_empty()
        && newest.is_completed()
        && desired.is_none_or(|desired| desired.is_empty() || desired == version);
    is_settled.then_some(version)
}
