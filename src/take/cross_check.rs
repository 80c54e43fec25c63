//! What the script on the host said against what was read here. Pure.

use crate::oc::BackupRun;
use crate::snapshot::Status;
use std::collections::BTreeMap;

/// What verification here learnt of the snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LearntFacts {
    /// The numbers of `etcdutl snapshot status` up to 3.5.
    pub status: Status,
    /// Keys whose newest entry is no tombstone.
    pub live_keys: Option<u64>,
    /// `meta/storageVersion`, such as `3.6.0`.
    pub storage_version: Option<String>,
    /// The OpenShift version in the snapshot.
    pub version: Option<String>,
    /// ClusterVersion `spec.clusterID` in the snapshot.
    pub cluster_id: Option<String>,
    /// Revision of each static pod in the archive.
    pub revisions: BTreeMap<String, i64>,
    /// The node that the archive was made on.
    pub node: Option<String>,
}

/// One fact on which the two sides disagree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    /// `hash`, `revision`, `totalKey`, `totalSize`, `storageVersion`, `clusterId`, `version`, `node`,
    /// `node of the member that was asked`, or
    /// `revision of static pod etcd`.
    pub field: String,
    /// What the script or the cluster said.
    pub expected: String,
    /// What the bytes here say.
    pub found: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            field,
            expected,
            found,
        } = self;
        write!(
            f,
            "{field} is {found} here, expected {expected} as the cluster said"
        )
    }
}

/// Compares every fact that both sides know; in the order of [`Mismatch::field`].
///
/// `totalKey` of etcd 3.6 and later counts live keys only; its status line is told by the field `version`.
pub fn cross_check(run: &BackupRun, learnt: &LearntFacts) -> Vec<Mismatch> {
    let mut comparison = Comparison::default();
    if let Some(status) = &run.status {
        let counts_live_keys = status.version.is_some();
        let total_key = if counts_live_keys {
            learnt.live_keys
        } else {
            learnt.status.total_key
        };
        comparison.compare("hash", Some(status.hash), learnt.status.hash);
        comparison.compare("revision", Some(status.revision), learnt.status.revision);
        comparison.compare("totalKey", Some(status.total_key), total_key);
        comparison.compare(
            "totalSize",
            Some(status.total_size),
            learnt.status.total_size,
        );
        let version = status
            .version
            .as_ref()
            .filter(|version| !version.is_empty());
        comparison.compare("storageVersion", version, learnt.storage_version.as_ref());
    }
    comparison.compare(
        "clusterId",
        Some(&run.cluster_id),
        learnt.cluster_id.as_ref(),
    );
    // What nobody heard being taken is of another time, perhaps of before an upgrade.
    let is_heard = !run.script_output.is_empty();
    let versions = [Some(&run.version_before), run.version_after.as_ref()];
    let [before, after] = versions.map(|version| version.filter(|_| is_heard));
    comparison.compare("version", before, learnt.version.as_ref());
    if after != before {
        comparison.compare("version", after, learnt.version.as_ref());
    }
    // The volume of a policy may be on another node than the backup is of.
    let node = run.policy.is_none().then_some(&run.node);
    comparison.compare("node", node, learnt.node.as_ref());
    let asked = run.asked_node.as_ref();
    comparison.compare(
        "node of the member that was asked",
        asked,
        learnt.node.as_ref(),
    );
    for (component, printed) in &run.static_pods {
        let field = format!("revision of static pod {component}");
        comparison.compare(&field, Some(printed), learnt.revisions.get(component));
    }
    comparison.0
}

#[derive(Default)]
struct Comparison(Vec<Mismatch>);

impl Comparison {
    /// What one side does not know is no disagreement.
    fn compare<T: PartialEq + ToString>(
        &mut self,
        field: &str,
        expected: Option<T>,
        found: Option<T>,
    ) {
        if let (Some(expected), Some(found)) = (expected, found)
            && expected != found
        {
            self.0.push(Mismatch {
                field: field.to_owned(),
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
    }
}
