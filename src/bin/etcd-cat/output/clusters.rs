//! Clusters as a list: one row each, the worst first.

use super::list::{age_of, id};
use super::table::{self, Column};
use super::units::age;
use super::views::ClusterListView;
use super::words::{ABSENT, or_absent};
use super::{Answer, Format, Style};
use chrono::{DateTime, Utc};
use etcd_cat::clusters::{ClusterStanding, Gap};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::selection::Candidate;
use serde::Serialize;

/// The clusters in the order given.
#[derive(Debug)]
pub(crate) struct ClusterList<'c, B>(pub(crate) &'c [ClusterStanding<'c, B>]);

impl<B: Candidate> Answer for ClusterList<'_, B> {
    fn document(&self, style: &Style) -> impl Serialize {
        ClusterListView::new(self.0, style.now)
    }

    fn names(&self) -> Vec<String> {
        let named = self.0.iter().filter_map(|one| one.cluster.clone());
        let named = named.filter_map(|cluster| cluster.name.or(cluster.id));
        named.map(|name| format!("cluster/{name}")).collect()
    }

    fn page(&self, style: &Style) -> String {
        let each =
            |cell: &dyn Fn(&ClusterStanding<'_, B>) -> String| self.0.iter().map(cell).collect();
        let is_wide = style.format == Format::Wide || style.is_verbose;
        let mut columns = vec![
            Column::fixed("CLUSTER", 0, each(&name)),
            Column::fixed("STATE", 0, each(&|one| one.state.as_str().to_owned())),
            Column::fixed("VERSION", 1, each(&|one| or_absent(one.version.as_deref()))),
            Column::fixed("NEWEST USABLE", 0, each(&newest)),
            Column::fixed("AGE", 0, each(&|one| age_of_newest(one, style))),
            Column::fixed("LAST ATTEMPT", 4, each(&|one| ago(one.last_attempt, style))),
            Column::fixed("EVERY", 5, each(&every)),
            Column::fixed("GAPS", 3, each(&|one| gaps(&one.gaps))),
            Column::fixed("CERTIFICATES", 2, each(&|one| certificates(one, style))),
        ];
        if is_wide {
            let number = |cell: &dyn Fn(&ClusterStanding<'_, B>) -> usize| {
                self.0.iter().map(|one| cell(one).to_string()).collect()
            };
            columns.extend([
                Column::fixed("VALID", 0, number(&|one| one.counts.valid)),
                Column::fixed("WARNING", 0, number(&|one| one.counts.warning)),
                Column::fixed("INVALID", 0, number(&|one| one.counts.invalid)),
                Column::fixed("UNKNOWN", 0, number(&|one| one.counts.unknown)),
                Column::fixed("ID", 0, each(&cluster_id)),
            ]);
        }
        table::render(columns, style)
    }
}

pub(super) fn name<B>(one: &ClusterStanding<'_, B>) -> String {
    let cluster = one.cluster.as_ref();
    let name = cluster.and_then(|cluster| cluster.name.as_deref().or(cluster.id.as_deref()));
    or_absent(name)
}

fn cluster_id<B>(one: &ClusterStanding<'_, B>) -> String {
    or_absent(
        one.cluster
            .as_ref()
            .and_then(|cluster| cluster.id.as_deref()),
    )
}

fn newest(one: &ClusterStanding<'_, impl Candidate>) -> String {
    one.newest_usable.map_or_else(|| ABSENT.to_owned(), id)
}

fn age_of_newest(one: &ClusterStanding<'_, impl Candidate>, style: &Style) -> String {
    let newest = one.newest_usable;
    newest.map_or_else(|| ABSENT.to_owned(), |backup| age_of(backup, style))
}

fn ago(at: Option<DateTime<Utc>>, style: &Style) -> String {
    at.map_or_else(
        || ABSENT.to_owned(),
        |at| format!("{} ago", age(style.now - at)),
    )
}

fn every<B>(one: &ClusterStanding<'_, B>) -> String {
    one.rhythm.map_or_else(|| ABSENT.to_owned(), age)
}

/// How many backups are missing, and since when the last ones.
fn gaps(gaps: &[Gap]) -> String {
    let Some(newest) = gaps.first() else {
        return ABSENT.to_owned();
    };
    let missing: usize = gaps.iter().map(|gap| gap.missing).sum();
    let day = newest.from.format("%Y-%m-%d");
    format!("{missing}, last after {day}")
}

fn certificates<B>(one: &ClusterStanding<'_, B>, style: &Style) -> String {
    let Some(until) = one.certificates_until else {
        return ABSENT.to_owned();
    };
    if until < style.now {
        return format!(
            "expired {}",
            rfc3339_seconds(until).chars().take(10).collect::<String>()
        );
    }
    format!("for {}", age(until - style.now))
}
