//! Was the cluster between two versions when the snapshot was taken?

use crate::backup::Version;
use crate::finding::{Code, Finding};
use crate::instant::rfc3339_seconds;
use crate::snapshot::Snapshot;

/// `upgrade-in-progress`.
pub(super) fn in_progress(snapshot: &Snapshot, version: &Version) -> Option<Finding> {
    let newest = snapshot.cluster.history.first()?;
    if version.openshift.is_some() {
        return None;
    }
    let to = version
        .upgrading_to
        .as_deref()
        .unwrap_or("a version without a name");
    let movement = match &version.upgrading_from {
        Some(from) => format!("the cluster was being upgraded from {from} to {to}"),
        None => format!("the installation of {to} was not completed"),
    };
    // An update that is wanted and not begun is not in the history: its newest entry tells of the version before.
    let is_begun = version.upgrading_to.as_ref() == Some(&newest.version);
    let since = newest
        .started_at
        .filter(|_| is_begun)
        .map_or_else(String::new, |at| format!(", since {}", rfc3339_seconds(at)));
    let message = format!(
        "{movement}{since} (newest history entry: {} {})",
        newest.version, newest.state
    );
    let remedy = "use a backup taken before the upgrade began or after it was completed";
    let mut finding = Finding::new(Code::UpgradeInProgress, message)
        .with(
            "field",
            "ClusterVersion status.history[0], status.desired.version",
        )
        .with("state", newest.state.as_str())
        .with("to", to)
        .remedy(remedy);
    if let Some(from) = &version.upgrading_from {
        finding = finding.with("from", from.as_str());
    }
    Some(finding)
}
