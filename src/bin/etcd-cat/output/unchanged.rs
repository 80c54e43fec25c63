//! What is told where nothing is new: how all of it stands, and what comes to something else by now.

use super::digest::by_cluster;
use super::locations::skipped;
use super::verify::{MANY, counted, summary};
use super::{Answer, Style, name};
use etcd_cat::selection::{Candidate as _, Outcome, Selected, Summary};
use etcd_cat::survey::{Unchanged, is_changed};
use serde::Serialize;

/// Of a round that found all as it was.
#[derive(Debug)]
pub(crate) struct UnchangedReport {
    /// What was met.
    pub(crate) unchanged: Unchanged,
    /// What of it is shown.
    pub(crate) outcome: Outcome<Summary>,
}

impl UnchangedReport {
    /// Nothing is to be told of any one of these that only its facts tell.
    pub(crate) fn can_tell(shown: &[Selected<Summary>]) -> bool {
        let changed = || shown.iter().filter(|one| is_changed(&one.backup));
        let count = changed().count();
        count == 0 || (count > MANY && changed().all(|one| one.backup.verdict().is_usable()))
    }
}

impl Answer for UnchangedReport {
    /// Summaries know of a document no more than the names.
    fn document(&self, _: &Style) -> impl Serialize {
        self.names()
    }

    fn names(&self) -> Vec<String> {
        let shown = self.outcome.shown.iter();
        shown.filter_map(|one| name(&one.backup)).collect()
    }

    fn page(&self, style: &Style) -> String {
        let shown = &self.outcome.shown;
        let told: Vec<&Selected<Summary>> =
            shown.iter().filter(|one| is_changed(&one.backup)).collect();
        let mut text = String::new();
        if !told.is_empty() {
            text.push_str(&by_cluster(&told, style));
            text.push('\n');
            text.push_str(&counted(&told, "usable backup", style));
        }
        let skipped = skipped(&self.unchanged.skipped, style);
        if !skipped.is_empty() {
            text.push_str(&skipped);
            text.push('\n');
        }
        let verdicts = shown.iter().map(|one| one.backup.verdict());
        text.push_str(&summary(verdicts, 0, 0, self.unchanged.skipped.len()));
        text
    }
}
