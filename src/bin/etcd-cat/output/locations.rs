//! What is wrong with the places that were searched, in sentences; and what was passed over there.

use super::table::{self, Column};
use super::text::{safe, safe_path};
use super::units::count;
use super::views::LocationListView;
use super::wrap::paragraph;
use super::{Answer, Style};
use etcd_cat::discovery::Skipped;
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::survey::{LocationProblem, RememberedLocation, SearchedLocation, Survey};
use serde::Serialize;
use std::collections::BTreeSet;

/// Passed over and named one by one; of more, only the number is told unless details are asked for.
const NAMED: usize = 10;

/// The remembered locations.
#[derive(Debug)]
pub(crate) struct LocationList<'l>(pub(crate) &'l [RememberedLocation]);

impl Answer for LocationList<'_> {
    fn document(&self, _: &Style) -> impl Serialize {
        LocationListView::new(self.0)
    }

    fn names(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|one| super::text::path(&one.id))
            .collect()
    }

    fn page(&self, style: &Style) -> String {
        let each = |cell: &dyn Fn(&RememberedLocation) -> String| self.0.iter().map(cell).collect();
        let columns = vec![
            Column::fixed("LOCATION", 0, each(&|one| safe_path(&one.id))),
            Column::fixed("STATE", 0, each(&|one| one.state.as_str().to_owned())),
            Column::fixed("BACKUPS", 0, each(&|one| one.backups.to_string())),
            Column::fixed("GONE", 1, each(&|one| one.gone.to_string())),
            Column::fixed("SINCE", 2, each(&|one| rfc3339_seconds(one.first_seen_at))),
        ];
        table::render(columns, style)
    }
}

/// Why a location is no good answer, and what to do.
pub(crate) fn problem(searched: &SearchedLocation) -> Option<String> {
    let path = super::text::path(&searched.id);
    let files = count(u64::try_from(searched.files).unwrap_or(u64::MAX), "file");
    let before = u64::try_from(searched.known_before).unwrap_or(u64::MAX);
    let before = match before {
        0 => String::new(),
        _ => format!("; {} lay there before", count(before, "backup")),
    };
    Some(match searched.problem? {
        LocationProblem::Missing => format!(
            "no backup was found in {path}: it is not there{before}; mount it, or drop it: etcd-cat locations --drop {path}"
        ),
        LocationProblem::Unreadable => {
            format!("no backup was found in {path}: it could not be looked into{before}")
        }
        LocationProblem::Empty => {
            format!(
                "no backup was found in {path}: there is no file at all{before}; is it mounted?"
            )
        }
        LocationProblem::OnlyForeign => format!(
            "no backup was found in {path}: {files} there, none of them part of a backup that can be read{before}"
        ),
        LocationProblem::OtherFileSystem => format!(
            "{path} lies on another file system than before, and nothing that was known there is there{before}: was a \
             mount lost? If it is meant so: etcd-cat index {path}"
        ),
    })
}

/// One paragraph for each problem.
pub(super) fn problems(survey: &Survey, style: &Style) -> String {
    let problems = survey.locations.iter().filter_map(problem);
    problems
        .map(|problem| paragraph("", &safe(&problem), style.width))
        .collect()
}

/// What was passed over, and what to do about it, each advice once.
pub(super) fn skipped(all: &[Skipped], style: &Style) -> String {
    let mut text = String::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for skipped in all.iter().take(style.at_most(NAMED)) {
        let path = safe_path(&skipped.id);
        text.push_str(&format!("skipped  {path}: {}\n", safe(&skipped.reason)));
        if told.insert(skipped.remedy()) {
            let remedy = safe(skipped.remedy());
            text.push_str(&paragraph("         to do: ", &remedy, style.width));
        }
    }
    let more = all.len().saturating_sub(style.at_most(NAMED));
    if more > 0 {
        text.push_str(&format!("skipped  {more} more; -v shows them\n"));
    }
    text
}
