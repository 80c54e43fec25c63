//! What two backups do not have in common, as a document.

use super::API_VERSION;
use super::objects::ListedSnapshotView;
use crate::output::listed::SourceLine;
use crate::output::objects::own_name;
use chrono::{DateTime, Utc};
use etcd_cat::inspect::{Change, ChangeRow, Differences, LiveCluster, NotCompared, Other, Stake};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::objects::Masker;
use serde::Serialize;
use std::collections::BTreeMap;

/// `kind: Difference`, of `diff`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DifferenceView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `Difference`.
    kind: &'static str,
    /// The first backup.
    from: ListedSnapshotView,
    /// The second one; null for a live cluster.
    to: Option<ListedSnapshotView>,
    /// Whether both are of one cluster; null where nothing tells.
    same_cluster: Option<bool>,
    /// All of it in numbers.
    summary: DifferenceCountsView,
    /// The same by kind and namespace.
    kinds: Vec<KindDifferenceView>,
    /// Every object, in the order of their storage keys; compared with a live cluster, by kind, namespace and name.
    items: Vec<ChangedObjectView>,
    /// The live cluster that was compared with; null for a backup.
    live: Option<LiveClusterView>,
    /// Kinds that the live cluster did not give: what became of their objects is not known.
    not_compared: Vec<NotComparedView>,
}

/// What two backups do not have in common, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DifferenceSummaryView {
    /// The first backup.
    from: ListedSnapshotView,
    /// The second one.
    to: Option<ListedSnapshotView>,
    /// All of it in numbers.
    summary: DifferenceCountsView,
    /// The same by kind and namespace.
    kinds: Vec<KindDifferenceView>,
}

impl DifferenceSummaryView {
    pub(crate) fn new(differences: &Differences) -> Self {
        let to = match &differences.to {
            Other::Backup(contents) => Some(&**contents),
            Other::Live(_) => None,
        };
        let (summary, kinds) = counts(&differences.changes);
        Self {
            from: ListedSnapshotView::new(&SourceLine::of(&differences.from)),
            to: to.map(|to| ListedSnapshotView::new(&SourceLine::of(to))),
            summary,
            kinds,
        }
    }
}

/// The live cluster that a backup was compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LiveClusterView {
    /// ClusterVersion `spec.clusterID`; null when it was not told.
    id: Option<String>,
    /// Name of its infrastructure; null when it was not told.
    name: Option<String>,
    /// The version that it runs, or goes to; null when it was not told.
    version: Option<String>,
    /// When it was asked.
    asked_at: String,
    /// The newest revision among the objects that it gave.
    newest_revision: Option<i64>,
}

/// A kind that was not compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct NotComparedView {
    /// Such as `deployments`.
    resource: String,
    /// API group; empty for the core group.
    group: String,
    /// Its objects in the backup.
    objects: u64,
    /// Why not.
    reason: String,
}

/// How many objects came, went and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct DifferenceCountsView {
    /// Only the second backup has them.
    added: u64,
    /// Only the first one has them.
    removed: u64,
    /// Both have them, and not the same.
    changed: u64,
}

/// What differs of one kind in one namespace.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct KindDifferenceView {
    /// Such as `deployments`.
    resource: String,
    /// API group; empty for the core group.
    group: String,
    /// Namespace; null for objects that have none.
    namespace: Option<String>,
    /// Only the second backup has them.
    added: u64,
    /// Only the first one has them.
    removed: u64,
    /// Both have them, and not the same.
    changed: u64,
}

/// One object that is not the same in both.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangedObjectView {
    /// `added`, `removed` or `changed`.
    change: &'static str,
    /// Such as `Deployment`; null for a custom resource without a definition.
    kind: Option<String>,
    /// Such as `deployments`.
    resource: String,
    /// API group; empty for the core group.
    group: String,
    /// Namespace; null for objects that have none.
    namespace: Option<String>,
    /// Name; that of an OAuth token is masked.
    name: String,
    /// Revision of the last change in the first backup; null when it is not there.
    from_revision: Option<i64>,
    /// The same in the second one.
    to_revision: Option<i64>,
    /// Bytes of the stored value in the first backup; null when it is not there.
    from_size_bytes: Option<u64>,
    /// The same in the second one; null for a live cluster, too.
    to_size_bytes: Option<u64>,
    /// It was deleted meanwhile and created anew; null where nothing tells.
    recreated: Option<bool>,
    /// What it stands for outside of etcd: `volumes`, `machines`, `certificate-requests`, `service-account-tokens` or
    /// `secrets`; null for everything else.
    stake: Option<&'static str>,
}

impl DifferenceCountsView {
    fn add(&mut self, change: Change) {
        match change {
            Change::Added => self.added += 1,
            Change::Removed => self.removed += 1,
            Change::Changed => self.changed += 1,
        }
    }
}

impl DifferenceView {
    pub(crate) fn new(differences: &Differences, now: DateTime<Utc>) -> Self {
        let mut masker = Masker::default();
        let items = differences.changes.iter();
        let items = items.map(|change| item(change, own_name(&change.place, &mut masker)));
        let items = items.collect();
        let (summary, kinds) = counts(&differences.changes);
        let (to, live) = match &differences.to {
            Other::Backup(contents) => (Some(&**contents), None),
            Other::Live(live) => (None, Some(live)),
        };
        Self {
            api_version: API_VERSION,
            kind: "Difference",
            from: ListedSnapshotView::new(&SourceLine::of(&differences.from)),
            to: to.map(|to| ListedSnapshotView::new(&SourceLine::of(to))),
            same_cluster: differences.is_same_cluster,
            summary,
            kinds,
            items,
            live: live.map(|live| of_live(live, now)),
            not_compared: differences.not_compared.iter().map(of_kind).collect(),
        }
    }
}

/// All of it in numbers, and by kind and namespace.
fn counts(changes: &[ChangeRow]) -> (DifferenceCountsView, Vec<KindDifferenceView>) {
    let mut summary = DifferenceCountsView::default();
    let mut kinds: BTreeMap<[&str; 3], DifferenceCountsView> = BTreeMap::new();
    for ChangeRow { change, place, .. } in changes {
        summary.add(*change);
        let namespace = place.namespace.as_deref().unwrap_or_default();
        let kind = [&*place.plural, &*place.group, namespace];
        kinds.entry(kind).or_default().add(*change);
    }
    let kinds = kinds
        .into_iter()
        .map(|([resource, group, namespace], counts)| {
            let DifferenceCountsView {
                added,
                removed,
                changed,
            } = counts;
            KindDifferenceView {
                resource: resource.to_owned(),
                group: group.to_owned(),
                namespace: Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
                added,
                removed,
                changed,
            }
        });
    (summary, kinds.collect())
}

fn of_live(live: &LiveCluster, now: DateTime<Utc>) -> LiveClusterView {
    let target = live.target.as_ref();
    LiveClusterView {
        id: target.map(|target| target.cluster_id.clone()),
        name: target.and_then(|target| target.infrastructure_name.clone()),
        version: target.map(|target| target.version.clone()),
        asked_at: rfc3339_seconds(now),
        newest_revision: live.newest_revision,
    }
}

fn of_kind(kind: &NotCompared) -> NotComparedView {
    NotComparedView {
        resource: kind.resource.plural.clone(),
        group: kind.resource.group.clone(),
        objects: kind.objects,
        reason: kind.reason.clone(),
    }
}

fn item(change: &ChangeRow, name: String) -> ChangedObjectView {
    let ChangeRow {
        resource,
        place,
        from,
        to,
        ..
    } = change;
    ChangedObjectView {
        change: change.change.as_str(),
        kind: Some(resource.kind.clone()).filter(|kind| !kind.is_empty()),
        resource: place.plural.clone(),
        group: place.group.clone(),
        namespace: place.namespace.clone(),
        name,
        from_revision: from.map(|version| version.revision),
        to_revision: to.map(|version| version.revision),
        from_size_bytes: from.and_then(|version| version.value_bytes),
        to_size_bytes: to.and_then(|version| version.value_bytes),
        recreated: change.is_recreated(),
        stake: change.stake.map(Stake::as_str),
    }
}
