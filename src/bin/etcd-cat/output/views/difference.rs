//! What two backups do not have in common, as a document.

use super::API_VERSION;
use super::objects::ListedSnapshotView;
use crate::output::listed::SourceLine;
use crate::output::objects::own_name;
use etcd_cat::inspect::{Change, ChangeRow, Differences, Stake};
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
    /// The second one.
    to: ListedSnapshotView,
    /// Whether both are of one cluster; null where nothing tells.
    same_cluster: Option<bool>,
    /// All of it in numbers.
    summary: DifferenceCountsView,
    /// The same by kind and namespace.
    kinds: Vec<KindDifferenceView>,
    /// Every object, in the order of their storage keys.
    items: Vec<ChangedObjectView>,
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
    /// The same in the second one.
    to_size_bytes: Option<u64>,
    /// It was deleted meanwhile and created anew.
    recreated: bool,
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
    pub(crate) fn new(differences: &Differences) -> Self {
        let mut summary = DifferenceCountsView::default();
        let mut kinds: BTreeMap<[String; 3], DifferenceCountsView> = BTreeMap::new();
        let mut masker = Masker::default();
        let mut items = Vec::new();
        for change in &differences.changes {
            let Some(row) = change.row() else { continue };
            summary.add(change.change);
            let namespace = row.place.namespace.clone().unwrap_or_default();
            let kind = [row.place.plural.clone(), row.place.group.clone(), namespace];
            kinds.entry(kind).or_default().add(change.change);
            let name = own_name(row, &mut masker);
            items.extend(item(change, name));
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
                    resource,
                    group,
                    namespace: Some(namespace).filter(|namespace| !namespace.is_empty()),
                    added,
                    removed,
                    changed,
                }
            });
        Self {
            api_version: API_VERSION,
            kind: "Difference",
            from: ListedSnapshotView::new(&SourceLine::of(&differences.from)),
            to: ListedSnapshotView::new(&SourceLine::of(&differences.to)),
            same_cluster: differences.is_same_cluster,
            summary,
            kinds: kinds.collect(),
            items,
        }
    }
}

fn item(change: &ChangeRow, name: String) -> Option<ChangedObjectView> {
    let row = change.row()?;
    let (from, to) = (change.from.as_ref(), change.to.as_ref());
    Some(ChangedObjectView {
        change: change.change.as_str(),
        kind: Some(row.resource.kind.clone()).filter(|kind| !kind.is_empty()),
        resource: row.place.plural.clone(),
        group: row.place.group.clone(),
        namespace: row.place.namespace.clone(),
        name,
        from_revision: from.map(|row| row.revision),
        to_revision: to.map(|row| row.revision),
        from_size_bytes: from.map(|row| row.value_bytes),
        to_size_bytes: to.map(|row| row.value_bytes),
        recreated: change.is_recreated(),
        stake: change.stake.map(Stake::as_str),
    })
}
