//! What is in a backup, as a list: its kinds, the objects of one kind, or the versions of one object.

use super::listed::{Listed, ObjectList, SourceLine};
use super::objects::{object_name, own_name};
use super::table::{self, Column};
use super::units;
use super::views::ObjectListView;
use super::words::ABSENT;
use super::{Answer, Format, Style};
use chrono::{DateTime, Utc};
use etcd_cat::inspect::{KindRow, ObjectRow, VersionRow};
use etcd_cat::objects::{Masker, Resource};
use serde::Serialize;

impl Answer for ObjectList<'_> {
    fn document(&self, _style: &Style) -> impl Serialize {
        ObjectListView::new(self)
    }

    fn names(&self) -> Vec<String> {
        let mut masker = Masker::default();
        match self.listed {
            Listed::Kinds(kinds) => kinds.iter().map(|kind| kind.resource.to_string()).collect(),
            Listed::Objects(rows) | Listed::Sizes { largest: rows, .. } => rows
                .iter()
                .map(|row| object_name(&row.resource, &row.place, &mut masker))
                .collect(),
            Listed::Versions(rows) => {
                let mut names: Vec<String> = rows
                    .iter()
                    .map(|version| {
                        object_name(&version.row.resource, &version.row.place, &mut masker)
                    })
                    .collect();
                names.dedup();
                names
            }
        }
    }

    fn page(&self, style: &Style) -> String {
        let mut text = match self.listed {
            Listed::Kinds(kinds) => kinds_page(kinds, &self.source, style),
            Listed::Objects(rows) => objects_page(rows, style),
            Listed::Sizes {
                largest,
                most_written,
            } => format!(
                "LARGEST\n{}\nWRITTEN MOST OFTEN\n{}",
                sizes_page(largest, style),
                sizes_page(most_written, style)
            ),
            Listed::Versions(rows) => versions_page(rows, style),
        };
        if !self.source.is_proven {
            text.push_str("\nNOT PROVEN: the file has errors, see etcd-cat verify\n");
        }
        text
    }
}

fn kinds_page(kinds: &[KindRow], source: &SourceLine, style: &Style) -> String {
    let each = |cell: &dyn Fn(&KindRow) -> String| kinds.iter().map(cell).collect();
    let columns = vec![
        Column::fixed("KIND", 1, each(&|one| kind_word(&one.resource))),
        Column::fixed("RESOURCE", 0, each(&|one| one.resource.to_string())),
        Column::fixed("OBJECTS", 0, each(&|one| one.objects.to_string())),
        Column::fixed("SIZE", 0, each(&|one| units::size(one.value_bytes))),
        Column::fixed(
            "SHARE",
            2,
            each(&|one| share(one.value_bytes, source.size_bytes)),
        ),
        Column::fixed("CHANGED", 3, each(&|one| changed(one.changed_at, style))),
        Column::fixed("REVISION", 4, each(&|one| one.newest_revision.to_string())),
    ];
    let mut text = table::render(columns, style);
    let objects: u64 = kinds.iter().map(|kind| kind.objects).sum();
    let bytes: u64 = kinds.iter().map(|kind| kind.value_bytes).sum();
    text.push_str(&format!(
        "\n{} of {} in {}: {} of values in a database of {}\n",
        units::count(objects, "object"),
        units::count(u64::try_from(kinds.len()).unwrap_or(u64::MAX), "kind"),
        source.id,
        units::size(bytes),
        units::size(source.size_bytes),
    ));
    text
}

fn objects_page(rows: &[ObjectRow], style: &Style) -> String {
    let mut masker = Masker::default();
    let names = rows
        .iter()
        .map(|row| own_name(&row.place, &mut masker))
        .collect();
    let each = |cell: &dyn Fn(&ObjectRow) -> String| rows.iter().map(cell).collect();
    let mut columns = Vec::new();
    if rows.iter().any(|row| row.place.namespace.is_some()) {
        let namespace = |row: &ObjectRow| row.place.namespace.clone();
        columns.push(Column::fixed(
            "NAMESPACE",
            0,
            each(&|row| namespace(row).unwrap_or_else(|| ABSENT.to_owned())),
        ));
    }
    columns.extend([
        Column::fixed("NAME", 0, names),
        Column::fixed("SIZE", 1, each(&|row| units::size(row.value_bytes))),
        Column::fixed("CHANGED", 0, each(&|row| changed(row.changed_at, style))),
        Column::fixed("REVISION", 2, each(&|row| row.revision.to_string())),
        Column::fixed("WRITES", 3, each(&|row| row.version.to_string())),
    ]);
    table::render(columns, style)
}

fn sizes_page(rows: &[ObjectRow], style: &Style) -> String {
    let mut masker = Masker::default();
    let names = rows
        .iter()
        .map(|row| object_name(&row.resource, &row.place, &mut masker))
        .collect();
    let each = |cell: &dyn Fn(&ObjectRow) -> String| rows.iter().map(cell).collect();
    let columns = vec![
        Column::fixed("OBJECT", 0, names),
        Column::fixed("SIZE", 0, each(&|row| units::size(row.value_bytes))),
        Column::fixed("WRITES", 0, each(&|row| row.version.to_string())),
        Column::fixed("CHANGED", 1, each(&|row| changed(row.changed_at, style))),
    ];
    table::render(columns, style)
}

fn versions_page(rows: &[VersionRow], style: &Style) -> String {
    let mut masker = Masker::default();
    let objects: Vec<String> = rows
        .iter()
        .map(|version| object_name(&version.row.resource, &version.row.place, &mut masker))
        .collect();
    let is_one = objects.iter().all(|name| Some(name) == objects.first());
    let each = |cell: &dyn Fn(&VersionRow) -> String| rows.iter().map(cell).collect();
    let mut columns = Vec::new();
    if !is_one {
        columns.push(Column::fixed("OBJECT", 0, objects));
    }
    columns.extend([
        Column::fixed("REVISION", 0, each(&|one| one.row.revision.to_string())),
        Column::fixed("CHANGE", 0, each(&|one| change(one).to_owned())),
        Column::fixed("AT", 0, each(&|one| written(one))),
        Column::fixed(
            "KNOWN BY",
            2,
            each(&|one| {
                one.source
                    .map_or(ABSENT, |source| source.as_str())
                    .to_owned()
            }),
        ),
        Column::fixed(
            "SIZE",
            1,
            each(&|one| {
                if one.is_deletion {
                    ABSENT.to_owned()
                } else {
                    units::size(one.row.value_bytes)
                }
            }),
        ),
        Column::fixed(
            "WRITES",
            3,
            each(&|one| {
                if one.is_deletion {
                    ABSENT.to_owned()
                } else {
                    one.row.version.to_string()
                }
            }),
        ),
    ]);
    table::render(columns, style)
}

fn change(version: &VersionRow) -> &'static str {
    match version {
        VersionRow {
            is_deletion: true, ..
        } => "deleted",
        VersionRow { row, .. } if row.version == 1 => "created",
        _ => "changed",
    }
}

fn written(version: &VersionRow) -> String {
    let at = version.written_at;
    at.map_or_else(|| ABSENT.to_owned(), etcd_cat::instant::rfc3339_seconds)
}

/// What people call it; custom resources without a definition have no kind.
fn kind_word(resource: &Resource) -> String {
    if resource.kind.is_empty() {
        ABSENT.to_owned()
    } else {
        resource.kind.clone()
    }
}

fn changed(at: Option<DateTime<Utc>>, style: &Style) -> String {
    let Some(at) = at else {
        return ABSENT.to_owned();
    };
    if style.format == Format::Wide {
        return etcd_cat::instant::rfc3339_seconds(at);
    }
    format!("{} ago", units::age(style.now - at))
}

/// In percent, with one digit.
fn share(bytes: u64, of: u64) -> String {
    let tenths = bytes
        .saturating_mul(1000)
        .checked_div(of)
        .unwrap_or_default();
    format!("{}.{}%", tenths / 10, tenths % 10)
}
