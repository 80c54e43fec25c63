//! The parts of a run over a fleet.

use super::units::{count, size};
use super::views::{FleetMergeView, FleetPlanView, FleetWorkView};
use super::words::by_verdict;
use super::{Answer, Style, text};
use etcd_cat::fleet::{Done, FleetRun, Merged, Plan};
use etcd_cat::selection::Summary;
use serde::Serialize;

/// A plan that was written.
#[derive(Debug)]
pub(crate) struct FleetPlan<'p> {
    /// Where.
    pub(crate) run: &'p FleetRun,
    /// What it says.
    pub(crate) plan: &'p Plan,
}

impl Answer for FleetPlan<'_> {
    fn document(&self, _: &Style) -> impl Serialize {
        FleetPlanView::new(self.run, self.plan)
    }

    fn names(&self) -> Vec<String> {
        vec![text::safe_path(self.run.plan())]
    }

    fn page(&self, _: &Style) -> String {
        let (head, plan) = (&self.plan.head, self.plan);
        let path = text::safe_path(self.run.plan());
        let mut page = format!(
            "planned run {}: {} of {} for {}\n",
            text::safe(&head.run),
            count(plan.objects(), "object"),
            size(plan.bytes()),
            count(head.shards.into(), "worker"),
        );
        if head.recent.objects > 0 {
            page.push_str(&format!(
                "left out, proven recently: {} of {}\n",
                count(head.recent.objects, "object"),
                size(head.recent.bytes)
            ));
        }
        if head.over_budget.objects > 0 {
            page.push_str(&format!(
                "left out, beyond the budget: {} of {}\n",
                count(head.over_budget.objects, "object"),
                size(head.over_budget.bytes)
            ));
        }
        page.push_str(&format!("plan: {path}\n"));
        page
    }
}

/// A share that is done.
#[derive(Debug)]
pub(crate) struct FleetWork<'d>(pub(crate) &'d Done);

impl Answer for FleetWork<'_> {
    fn document(&self, _: &Style) -> impl Serialize {
        FleetWorkView::new(self.0)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("shard/{}", self.0.shard)]
    }

    fn page(&self, _: &Style) -> String {
        let done = self.0;
        let mut page = format!(
            "shard {} of {}: {} of {} read",
            done.shard,
            done.shards,
            count(done.objects, "object"),
            size(done.bytes)
        );
        for (number, what) in [
            (done.resumed, "by a worker before"),
            (done.gone, "gone since it was planned"),
            (done.replaced, "replaced since, for the next plan"),
        ] {
            if number > 0 {
                page.push_str(&format!("; {number} {what}"));
            }
        }
        page.push('\n');
        page
    }
}

/// A run that was remembered, and the backups at its locations.
#[derive(Debug)]
pub(crate) struct FleetMerge<'m> {
    /// What was merged.
    pub(crate) merged: &'m Merged,
    /// All backups at the locations of the run.
    pub(crate) backups: &'m [Summary],
}

impl Answer for FleetMerge<'_> {
    fn document(&self, _: &Style) -> impl Serialize {
        FleetMergeView::new(self.merged, self.backups)
    }

    fn names(&self) -> Vec<String> {
        self.backups.iter().filter_map(super::name).collect()
    }

    fn page(&self, _: &Style) -> String {
        let (plan, done) = (&self.merged.plan, &self.merged.done);
        let objects = done.iter().map(|one| one.objects).sum();
        let bytes = done.iter().map(|one| one.bytes).sum();
        let mut page = format!(
            "merged run {}: {} of {} read by {}, {} remembered\n",
            text::safe(&plan.run),
            count(objects, "object"),
            size(bytes),
            count(plan.shards.into(), "worker"),
            count(self.merged.files, "file"),
        );
        let all = u64::try_from(self.backups.len()).unwrap_or(u64::MAX);
        let verdicts = by_verdict(
            self.backups
                .iter()
                .map(etcd_cat::selection::Candidate::verdict),
        );
        page.push_str(&format!("{}: {}\n", count(all, "backup"), verdicts));
        page
    }
}
