//! What is in a backup, as a document.

use super::API_VERSION;
use crate::output::listed::{Listed, ObjectList, SourceLine};
use crate::output::objects::own_name;
use etcd_cat::inspect::{KindRow, ObjectRow, TimeSource, VersionRow};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::objects::{Masker, Resource};
use serde::Serialize;

/// `kind: ObjectList`, of `ls` and `history`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectListView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `ObjectList`.
    kind: &'static str,
    /// Where all of it is from.
    snapshot: ListedSnapshotView,
    /// What the items are: `kinds`, `objects`, `largest` or `versions`.
    listed: &'static str,
    /// Kinds, the largest first; objects by namespace and name; versions by revision.
    items: Vec<ListedView>,
    /// Beside the largest: the objects that were written most often since their creation; empty otherwise.
    most_written: Vec<ListedView>,
}

/// The snapshot that was looked into.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedSnapshotView {
    /// Beginning of the SHA-256 of its data.
    id: String,
    /// Where it lies.
    path: String,
    /// When it was taken by its own word.
    taken_at: Option<String>,
    /// Revision of etcd.
    revision: Option<i64>,
    /// Up to here older versions are gone.
    compact_revision: Option<i64>,
    /// Length of the database.
    size_bytes: u64,
    /// False: it has errors, and is shown all the same (`--unverified`).
    proven: bool,
}

/// A kind, an object, or a version of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedView {
    /// Such as `Deployment`; null for a custom resource without a definition.
    kind: Option<String>,
    /// Such as `deployments`.
    resource: String,
    /// API group; empty for the core group.
    group: String,
    /// Namespace; null for a kind, and for objects that have none.
    namespace: Option<String>,
    /// Name, that of an OAuth token masked; null for a kind.
    name: Option<String>,
    /// Of a kind: how many objects.
    objects: Option<u64>,
    /// Bytes of the stored value, or of all of them; null for a deletion.
    size_bytes: Option<u64>,
    /// Of a kind: its part of the database, 0 to 1.
    share: Option<f64>,
    /// Revision of the change; of a kind that of the newest.
    revision: i64,
    /// Revision of the creation; null for a kind and a deletion.
    create_revision: Option<i64>,
    /// How often it was written since; null for a kind and a deletion.
    version: Option<i64>,
    /// When it was changed, as far as can be told.
    changed_at: Option<String>,
    /// Of a version: how that is known, `managedFields`, `lease` or `neighbours`.
    changed_at_source: Option<&'static str>,
    /// Of a version: whether the object was deleted by it.
    deleted: Option<bool>,
}

impl ObjectListView {
    pub(crate) fn new(list: &ObjectList<'_>) -> Self {
        let mut masker = Masker::default();
        let mut often = Vec::new();
        let (listed, items) = match list.listed {
            Listed::Sizes {
                largest,
                most_written,
            } => {
                let rows = most_written.iter();
                often.extend(rows.map(|row| of_object(row, &mut masker)));
                let items = largest.iter().map(|row| of_object(row, &mut masker));
                ("largest", items.collect())
            }
            Listed::Kinds(kinds) => {
                let bytes = list.source.size_bytes;
                let items = kinds.iter().map(|kind| of_kind(kind, bytes));
                ("kinds", items.collect())
            }
            Listed::Objects(rows) => {
                let items = rows.iter().map(|row| of_object(row, &mut masker));
                ("objects", items.collect())
            }
            Listed::Versions(rows) => {
                let items = rows.iter().map(|row| of_version(row, &mut masker));
                ("versions", items.collect())
            }
        };
        Self {
            api_version: API_VERSION,
            kind: "ObjectList",
            snapshot: ListedSnapshotView::new(&list.source),
            listed,
            items,
            most_written: often,
        }
    }
}

impl ListedSnapshotView {
    pub(crate) fn new(source: &SourceLine) -> Self {
        Self {
            id: source.id.clone(),
            path: source.path.clone(),
            taken_at: source.taken_at.map(rfc3339_seconds),
            revision: source.revision,
            compact_revision: source.compact_revision,
            size_bytes: source.size_bytes,
            proven: source.is_proven,
        }
    }
}

fn of_resource(resource: &Resource) -> ListedView {
    ListedView {
        kind: Some(resource.kind.clone()).filter(|kind| !kind.is_empty()),
        resource: resource.plural.clone(),
        group: resource.group.clone(),
        ..ListedView::default()
    }
}

fn of_kind(row: &KindRow, database_bytes: u64) -> ListedView {
    ListedView {
        objects: Some(row.objects),
        size_bytes: Some(row.value_bytes),
        share: share(row.value_bytes, database_bytes),
        revision: row.newest_revision,
        changed_at: row.changed_at.map(rfc3339_seconds),
        ..of_resource(&row.resource)
    }
}

fn of_object(row: &ObjectRow, masker: &mut Masker) -> ListedView {
    ListedView {
        namespace: row.place.namespace.clone(),
        name: Some(own_name(&row.place, masker)),
        size_bytes: Some(row.value_bytes),
        revision: row.revision,
        create_revision: Some(row.create_revision),
        version: Some(row.version),
        changed_at: row.changed_at.map(rfc3339_seconds),
        ..of_resource(&row.resource)
    }
}

fn of_version(version: &VersionRow, masker: &mut Masker) -> ListedView {
    let is_there = !version.is_deletion;
    let row = of_object(&version.row, masker);
    ListedView {
        size_bytes: row.size_bytes.filter(|_| is_there),
        create_revision: row.create_revision.filter(|_| is_there),
        version: row.version.filter(|_| is_there),
        changed_at: version.written_at.map(rfc3339_seconds),
        changed_at_source: version.source.map(TimeSource::as_str),
        deleted: Some(version.is_deletion),
        ..row
    }
}

/// In millionths: more digits tell nothing.
fn share(bytes: u64, of: u64) -> Option<f64> {
    let millionths = u128::from(bytes)
        .checked_mul(1_000_000)?
        .checked_div(u128::from(of))?;
    let millionths = u32::try_from(millionths).ok()?;
    Some(f64::from(millionths) / 1_000_000.0)
}
