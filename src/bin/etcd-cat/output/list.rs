//! Backups as a list.

use super::cells::Cells;
use super::table::{self, Column, VERDICT};
use super::units::{age, size};
use super::views::BackupListView;
use super::words::{ABSENT, finding_codes, or_absent};
use super::{Answer, Format, Style, name, text};
use etcd_cat::backup::{Backup, Located};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::judgement::EncryptionSummary;
use etcd_cat::parallel::{self, PIECE};
use etcd_cat::selection::{Candidate, KnownCluster, Reason, Selected, Summary};
use serde::Serialize;
use std::borrow::Borrow;

/// The shown backups in the order given.
#[derive(Debug)]
pub(crate) struct BackupList<S>(pub(crate) S);

impl<S: AsRef<[Selected]>> Answer for BackupList<S> {
    fn document(&self, style: &Style) -> impl Serialize {
        BackupListView::new(self.0.as_ref(), style)
    }

    fn names(&self) -> Vec<String> {
        let shown = self.0.as_ref().iter();
        shown.filter_map(|one| name(&one.backup)).collect()
    }

    fn page(&self, style: &Style) -> String {
        let shown = self.0.as_ref();
        let wide = if style.format == Format::Wide {
            wide(shown)
        } else {
            Wide::default()
        };
        lay_out(shown, wide, style)
    }
}

/// The same from summaries: enough for what [`Format::needs_whole_backups`] leaves over.
#[derive(Debug)]
pub(crate) struct BriefList<'b>(pub(crate) &'b [Selected<Summary>]);

impl Answer for BriefList<'_> {
    /// Summaries know of a document no more than the names.
    fn document(&self, _: &Style) -> impl Serialize {
        self.names()
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().filter_map(|one| name(&one.backup)).collect()
    }

    fn page(&self, style: &Style) -> String {
        lay_out(self.0, Wide::default(), style)
    }
}

/// Columns of the wide form.
#[derive(Default)]
struct Wide {
    before_findings: Vec<Column>,
    after_findings: Vec<Column>,
}

fn lay_out<B: Candidate + Sync>(shown: &[Selected<B>], wide: Wide, style: &Style) -> String {
    let is_spoken_against = shown.iter().any(has_reasons_against);
    let mut texts: Vec<Box<Cell<'_, B>>> = vec![
        Box::new(|one, cells| cells.push(&id(&one.backup))),
        Box::new(|one, cells| cells.push(one.backup.verdict().as_str())),
        Box::new(|one, cells| push_cluster(&one.backup, cells)),
        Box::new(|one, cells| push_version(&one.backup, cells)),
        Box::new(|one, cells| cells.push(&taken(&one.backup))),
        Box::new(|one, cells| cells.push(&age_of(&one.backup, style))),
        Box::new(|one, cells| cells.push(&size_of(&one.backup))),
    ];
    if is_spoken_against {
        texts.push(Box::new(|one, cells| cells.push(&against(one))));
        texts.push(Box::new(|one, cells| {
            cells.push(&other_findings(one, style));
        }));
    } else {
        texts.push(Box::new(|one, cells| {
            cells.push(&joined(&finding_codes(&one.backup, style)));
        }));
    }
    let mut cells = each_cell(shown, &texts).into_iter();
    let mut next = |title, rank| Column::of_pieces(title, rank, cells.next().unwrap_or_default());
    let mut columns = recommendation(shown);
    columns.extend([
        next("ID", 0),
        next(VERDICT, 0),
        next("CLUSTER", 1),
        next("VERSION", 2),
        next("TAKEN", 4),
        next("AGE", 3),
        next("SIZE", 6),
    ]);
    columns.extend(wide.before_findings);
    if is_spoken_against {
        columns.push(next("AGAINST", 0).wrapped());
        let others = next("OTHER FINDINGS", 5).wrapped();
        if others.cells().any(|codes| codes != ABSENT) {
            columns.push(others);
        }
    } else {
        columns.push(next("FINDINGS", 0).wrapped());
    }
    columns.extend(wide.after_findings);
    table::render(columns, style)
}

/// Writes what stands in one column of one backup.
type Cell<'c, B> = dyn Fn(&Selected<B>, &mut Cells) + Sync + 'c;

/// Column by column what stands in it.
fn each_cell<B: Sync>(shown: &[Selected<B>], texts: &[Box<Cell<'_, B>>]) -> Vec<Vec<Cells>> {
    let pieces = parallel::share(shown.chunks(PIECE), |(), piece| {
        let columns = texts.iter().map(|text| {
            let mut cells = Cells::default();
            for one in piece {
                text(one, &mut cells);
            }
            cells
        });
        columns.collect::<Vec<Cells>>()
    });
    let mut columns = vec![Vec::with_capacity(pieces.len()); texts.len()];
    for piece in pieces {
        for (column, cells) in columns.iter_mut().zip(piece) {
            column.push(cells);
        }
    }
    columns
}

fn has_reasons_against<B>(one: &Selected<B>) -> bool {
    let mut reasons = one.reasons_against.iter();
    reasons.any(|reasons| !reasons.is_empty())
}

/// Which of those that qualify to restore from; nothing where nobody asked.
fn recommendation<B>(shown: &[Selected<B>]) -> Vec<Column> {
    if !shown.iter().any(|one| one.is_recommended) {
        return Vec::new();
    }
    let marks = shown.iter().map(|one| {
        let mark = if one.is_recommended { "*" } else { "" };
        mark.to_owned()
    });
    vec![Column::fixed("", 0, marks.collect())]
}

fn wide(shown: &[Selected]) -> Wide {
    let each = |cell: &dyn Fn(&Backup) -> String| -> Vec<String> {
        shown.iter().map(|one| cell(&one.backup)).collect()
    };
    let before_findings = vec![
        Column::fixed(
            "ENCRYPTION",
            0,
            each(&|backup| EncryptionSummary::of(backup).provider),
        ),
        Column::fixed(
            "PROOF",
            0,
            each(&|backup| EncryptionSummary::of(backup).proof.as_str().to_owned()),
        ),
        Column::fixed("REVISION", 0, each(&revision)),
        Column::fixed("KEYS", 0, each(&live_keys)),
        Column::fixed("ETCD", 0, each(&etcd)),
        Column::fixed("NODE", 0, each(&node)),
    ];
    Wide {
        before_findings,
        after_findings: vec![Column::fixed("PATHS", 0, each(&paths))],
    }
}

pub(super) fn id(backup: &impl Candidate) -> String {
    backup.id().unwrap_or_else(|| ABSENT.to_owned())
}

pub(super) fn cluster(backup: &impl Candidate) -> String {
    or_absent(name_of(backup.cluster().as_deref()))
}

fn push_cluster(backup: &impl Candidate, cells: &mut Cells) {
    push_known(name_of(backup.cluster().as_deref()), cells);
}

fn name_of(cluster: Option<&KnownCluster>) -> Option<&str> {
    cluster.and_then(|cluster| cluster.name.as_deref().or(cluster.id.as_deref()))
}

/// As [`or_absent`] has it.
fn push_known(text: Option<&str>, cells: &mut Cells) {
    cells.push(text.filter(|text| !text.is_empty()).unwrap_or(ABSENT));
}

fn push_version(backup: &impl Candidate, cells: &mut Cells) {
    match &backup.version().openshift {
        Some(version) => push_known(Some(version), cells),
        None => cells.push(&version(backup)),
    }
}

/// The version, or both while between two.
pub(super) fn version(backup: &impl Candidate) -> String {
    let version = backup.version();
    match (
        &version.openshift,
        &version.upgrading_from,
        &version.upgrading_to,
    ) {
        (Some(version), _, _) => or_absent(Some(version)),
        (None, Some(from), Some(to)) => text::safe(&format!("{from}->{to}")).into_owned(),
        (None, None, Some(to)) => text::safe(&format!("?->{to}")).into_owned(),
        (None, Some(from), None) => text::safe(&format!("{from}->?")).into_owned(),
        (None, None, None) => ABSENT.to_owned(),
    }
}

pub(super) fn taken(backup: &impl Candidate) -> String {
    backup
        .taken_at()
        .map_or_else(|| ABSENT.to_owned(), rfc3339_seconds)
}

pub(super) fn age_of(backup: &impl Candidate, style: &Style) -> String {
    let age_at = |at| age(style.now.signed_duration_since(at));
    backup.taken_at().map_or_else(|| ABSENT.to_owned(), age_at)
}

/// The size of the snapshot; of the kuberesources where that is all there is.
pub(super) fn size_of(backup: &impl Candidate) -> String {
    backup.size_bytes().map_or_else(|| ABSENT.to_owned(), size)
}

fn revision(backup: &Backup) -> String {
    let revision = backup
        .snapshot
        .as_ref()
        .and_then(|half| half.facts.status.revision);
    revision.map_or_else(|| ABSENT.to_owned(), |revision| revision.to_string())
}

fn live_keys(backup: &Backup) -> String {
    let keys = backup
        .snapshot
        .as_ref()
        .and_then(|half| half.facts.live_keys);
    keys.map_or_else(|| ABSENT.to_owned(), |keys| keys.to_string())
}

fn etcd(backup: &Backup) -> String {
    let snapshot = backup.snapshot.as_ref().map(|half| &half.facts);
    or_absent(
        snapshot
            .and_then(|facts| super::views::etcd_minor(facts))
            .as_deref(),
    )
}

fn node(backup: &Backup) -> String {
    let kuberesources = backup.kuberesources.as_ref().map(|half| &half.facts);
    or_absent(kuberesources.and_then(|facts| facts.node.as_deref()))
}

fn paths(backup: &Backup) -> String {
    let snapshot = backup.snapshot.iter().flat_map(Located::places);
    let kuberesources = backup.kuberesources.iter().flat_map(Located::places);
    let places = snapshot.chain(kuberesources).chain(&backup.unreadable_path);
    let places: Vec<String> = places.map(text::safe_path).collect();
    joined(&places)
}

fn against<B>(selected: &Selected<B>) -> String {
    let reasons = selected.reasons_against.iter().flatten();
    let reasons: Vec<String> = reasons.map(ToString::to_string).collect();
    joined(&reasons)
}

fn other_findings<B: Candidate>(selected: &Selected<B>, style: &Style) -> String {
    let reasons: Vec<&str> = selected
        .reasons_against
        .iter()
        .flatten()
        .map(Reason::code)
        .collect();
    let mut codes = finding_codes(&selected.backup, style);
    codes.retain(|code| !reasons.contains(&code.as_ref()));
    joined(&codes)
}

fn joined(codes: &[impl Borrow<str>]) -> String {
    if codes.is_empty() {
        return ABSENT.to_owned();
    }
    codes.join(", ")
}
