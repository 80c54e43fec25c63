//! Many backups in short: how each cluster stands, what was found how often, and the details of what is bad.

use super::Style;
use super::list::{age_of, id, taken, version};
use super::table::{self, Column};
use super::words::{ABSENT, or_absent};
use super::wrap::paragraph;
use etcd_cat::backup::Verdict;
use etcd_cat::explain::explain;
use etcd_cat::finding::{Code, Severity};
use etcd_cat::selection::{Candidate, Selected};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The backups of one cluster among those that are told of.
struct OfCluster<'b, B> {
    name: Option<String>,
    backups: Vec<&'b B>,
}

impl<B: Candidate> OfCluster<'_, B> {
    /// The newest that can be restored from; they come newest first.
    fn newest_usable(&self) -> Option<&B> {
        let mut backups = self.backups.iter();
        backups.find(|one| one.is_restorable()).copied()
    }

    fn number(&self, verdict: Verdict) -> usize {
        let backups = self.backups.iter();
        backups.filter(|one| one.verdict() == verdict).count()
    }
}

/// One row for each cluster, the worst first.
pub(super) fn by_cluster<B: Candidate>(shown: &[&Selected<B>], style: &Style) -> String {
    let mut named: BTreeMap<Option<String>, Vec<&B>> = BTreeMap::new();
    for one in shown {
        let known = one.backup.cluster();
        let name = known.and_then(|cluster| cluster.name.clone().or_else(|| cluster.id.clone()));
        named.entry(name).or_default().push(&one.backup);
    }
    let mut clusters: Vec<OfCluster<'_, B>> = named
        .into_iter()
        .map(|(name, backups)| OfCluster { name, backups })
        .collect();
    clusters.sort_by_key(|one| {
        let is_usable = one.newest_usable().is_some();
        (is_usable, Reverse(one.number(Verdict::Invalid)))
    });
    let each = |cell: &dyn Fn(&OfCluster<'_, B>) -> String| clusters.iter().map(cell).collect();
    let usable = |cell: &dyn Fn(&B, &Style) -> String| {
        each(&|one| {
            let newest = one.newest_usable();
            newest.map_or_else(|| ABSENT.to_owned(), |backup| cell(backup, style))
        })
    };
    let number = |verdict| each(&|one| one.number(verdict).to_string());
    let columns = vec![
        Column::fixed("CLUSTER", 0, each(&|one| or_absent(one.name.as_deref()))),
        Column::fixed("NEWEST USABLE", 0, usable(&|backup, _| id(backup))),
        Column::fixed("VERSION", 1, usable(&|backup, _| version(backup))),
        Column::fixed("TAKEN", 4, usable(&|backup, _| taken(backup))),
        Column::fixed("AGE", 0, usable(&|backup, style| age_of(backup, style))),
        Column::fixed("VALID", 0, number(Verdict::Valid)),
        Column::fixed("WARNING", 2, number(Verdict::Warning)),
        Column::fixed("INVALID", 0, number(Verdict::Invalid)),
        Column::fixed("UNKNOWN", 3, number(Verdict::Unknown)),
    ];
    table::render(columns, style)
}

/// How often each finding was made, the most severe first, and what to do about it once.
pub(super) fn by_finding<B: Candidate>(shown: &[&Selected<B>], style: &Style) -> String {
    let mut counted: BTreeMap<(Reverse<Severity>, Code), usize> = BTreeMap::new();
    for one in shown {
        let marks = one.backup.marks();
        let told = marks
            .iter()
            .filter(|(_, severity)| style.is_verbose || *severity > Severity::Info);
        for (code, severity) in told {
            *counted.entry((Reverse(*severity), *code)).or_default() += 1;
        }
    }
    let mut text = String::new();
    for ((Reverse(severity), code), number) in counted {
        let weight = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let first = format!("  {weight:<8} {number:>4} x ");
        let what = format!("{code}: {}", explain(code).title);
        text.push_str(&paragraph(&first, &what, style.width));
    }
    text
}
