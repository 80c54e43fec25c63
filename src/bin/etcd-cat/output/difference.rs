//! What came, went and changed between two backups.

use super::listed::SourceLine;
use super::objects::object_name;
use super::table::{self, Column};
use super::text::safe;
use super::views::DifferenceView;
use super::words::ABSENT;
use super::{Answer, Style};
use etcd_cat::inspect::{Change, ChangeRow, Differences, LiveCluster, NotCompared, Other, Stake};
use etcd_cat::objects::Masker;
use serde::Serialize;
use similar::TextDiff;
use std::collections::BTreeMap;

/// Names that are told of each stake unless all are asked for.
const NAMES: usize = 10;
/// Lines around a change.
const CONTEXT: usize = 3;

const STAKES: [(Stake, &str); 5] = [
    (Stake::Volumes, "volumes and claims"),
    (Stake::Machines, "machines and nodes"),
    (Stake::CertificateRequests, "certificate signing requests"),
    (Stake::ServiceAccountTokens, "service account tokens"),
    (Stake::Secrets, "other secrets"),
];

/// What two backups do not have in common.
#[derive(Debug)]
pub(crate) struct DifferenceAnswer<'d> {
    pub(crate) differences: &'d Differences,
    /// Whether a page tells each object.
    pub(crate) has_names: bool,
}

impl Answer for DifferenceAnswer<'_> {
    fn document(&self, style: &Style) -> impl Serialize {
        DifferenceView::new(self.differences, style.now)
    }

    fn names(&self) -> Vec<String> {
        let mut masker = Masker::default();
        let rows = self.differences.changes.iter();
        rows.map(|row| object_name(&row.resource, &row.place, &mut masker))
            .collect()
    }

    fn page(&self, style: &Style) -> String {
        let Differences {
            from, to, changes, ..
        } = self.differences;
        let to = match to {
            Other::Backup(contents) => side("to  ", &SourceLine::of(contents)),
            Other::Live(live) => live_side(live, style),
        };
        let mut text = format!("{}\n{to}\n\n", side("from", &SourceLine::of(from)));
        if changes.is_empty() {
            text.push_str("no object differs\n");
        } else {
            text.push_str(&summary(changes, style));
            text.push_str(&format!("\n{}\n", total(changes)));
            text.push_str(&stakes(changes, style));
        }
        text.push_str(&not_compared(&self.differences.not_compared));
        if self.has_names && !changes.is_empty() {
            text.push('\n');
            text.push_str(&names(changes));
        }
        text
    }
}

fn side(word: &str, source: &SourceLine) -> String {
    let taken = source.taken_at.map(etcd_cat::instant::rfc3339_seconds);
    let revision = source.revision.unwrap_or_default();
    format!(
        "{word}  {}  {}  revision {revision}  {}{}",
        source.id,
        taken.as_deref().unwrap_or(ABSENT),
        safe(&source.path),
        if source.is_proven { "" } else { "  NOT PROVEN" }
    )
}

fn live_side(live: &LiveCluster, style: &Style) -> String {
    let target = live.target.as_ref();
    let name = target.and_then(|target| target.infrastructure_name.as_deref());
    let version = target.map(|target| &*target.version);
    format!(
        "to    {}  {}  live cluster {}  version {}",
        target.map_or(ABSENT, |target| &*target.cluster_id),
        etcd_cat::instant::rfc3339_seconds(style.now),
        safe(name.unwrap_or(ABSENT)),
        safe(version.unwrap_or(ABSENT)),
    )
}

/// What nothing is known of, by the reason.
fn not_compared(kinds: &[NotCompared]) -> String {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in kinds {
        let told = format!("{} ({})", kind.resource, kind.objects);
        reasons.entry(&kind.reason).or_default().push(told);
    }
    let mut text = String::new();
    for (reason, kinds) in reasons {
        let line = format!("  {reason}: {}", kinds.join(", "));
        text.push_str(&safe(&line));
        text.push('\n');
    }
    if text.is_empty() {
        return text;
    }
    format!("\nNOT COMPARED (objects in the backup)\n{text}")
}

/// One row for each kind and namespace.
fn summary(changes: &[ChangeRow], style: &Style) -> String {
    let mut counts: BTreeMap<(String, String), [u64; 3]> = BTreeMap::new();
    for change in changes {
        let namespace = change.place.namespace.clone();
        let key = (
            change.resource.to_string(),
            namespace.unwrap_or_else(|| ABSENT.to_owned()),
        );
        let [added, removed, changed] = counts.entry(key).or_default();
        match change.change {
            Change::Added => *added += 1,
            Change::Removed => *removed += 1,
            Change::Changed => *changed += 1,
        }
    }
    let keys = |part: fn(&(String, String)) -> String| counts.keys().map(part).collect();
    let numbers = |part: fn(&[u64; 3]) -> u64| {
        let cells = counts.values().map(|counts| match part(counts) {
            0 => ABSENT.to_owned(),
            number => number.to_string(),
        });
        cells.collect()
    };
    let columns = vec![
        Column::fixed("RESOURCE", 0, keys(|key| key.0.clone())),
        Column::fixed("NAMESPACE", 0, keys(|key| key.1.clone())),
        Column::fixed("ADDED", 0, numbers(|[added, _, _]| *added)),
        Column::fixed("REMOVED", 0, numbers(|[_, removed, _]| *removed)),
        Column::fixed("CHANGED", 0, numbers(|[_, _, changed]| *changed)),
    ];
    table::render(columns, style)
}

fn total(changes: &[ChangeRow]) -> String {
    let of = |wanted| {
        let of = changes.iter().filter(|one| one.change == wanted);
        of.count()
    };
    let [added, removed, changed] = [Change::Added, Change::Removed, Change::Changed].map(of);
    format!("{added} added, {removed} removed, {changed} changed")
}

/// What a restore of the first would do to what stands for something outside of etcd.
fn stakes(changes: &[ChangeRow], style: &Style) -> String {
    let mut masker = Masker::default();
    let mut text = String::new();
    for (stake, words) in STAKES {
        for (change, verb) in [
            (Change::Added, "lose"),
            (Change::Removed, "bring back"),
            (Change::Changed, "turn back"),
        ] {
            let of = changes
                .iter()
                .filter(|one| one.stake == Some(stake) && one.change == change);
            let names: Vec<String> = of
                .map(|row| object_name(&row.resource, &row.place, &mut masker))
                .collect();
            if names.is_empty() {
                continue;
            }
            let shown: Vec<&str> = names
                .iter()
                .take(style.at_most(NAMES))
                .map(String::as_str)
                .collect();
            let more = names.len().saturating_sub(shown.len());
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            let line = format!("  {verb} {words}: {}{more}", shown.join(", "));
            text.push_str(&safe(&line));
            text.push('\n');
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\nA RESTORE OF THE FIRST OVER THE SECOND WOULD\n{text}")
}

fn names(changes: &[ChangeRow]) -> String {
    let mut masker = Masker::default();
    let mut text = String::new();
    for change in changes {
        let sign = match change.change {
            Change::Added => '+',
            Change::Removed => '-',
            Change::Changed => '~',
        };
        let name = object_name(&change.resource, &change.place, &mut masker);
        let recreated = if change.is_recreated() == Some(true) {
            "  (created anew)"
        } else {
            ""
        };
        text.push_str(&format!("{sign} {}{recreated}\n", safe(&name)));
    }
    text
}

/// A unified diff of two texts under their names; empty when they are the same.
pub(crate) fn unified([(from, own), (to, other)]: [(&String, &String); 2]) -> String {
    let difference = TextDiff::from_lines(own.as_str(), other.as_str());
    let mut unified = difference.unified_diff();
    let (from, to) = (safe(from), safe(to));
    unified
        .context_radius(CONTEXT)
        .header(&from, &to)
        .to_string()
}
