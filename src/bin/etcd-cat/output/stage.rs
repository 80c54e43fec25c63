//! What was staged, and how to go on.

use super::check::restore_plan;
use super::text::safe_path;
use super::views::StageRunView;
use super::{Answer, Style};
use etcd_cat::backup::Backup;
use etcd_cat::restore::{Plan, Staged};
use serde::Serialize;

/// What came of `stage`.
#[derive(Debug)]
pub(crate) struct StageRun<'b> {
    /// What was staged.
    pub(crate) backup: &'b Backup,
    /// Where the pair is now.
    pub(crate) staged: Staged,
    /// How to go on.
    pub(crate) plan: Option<Plan>,
}

impl Answer for StageRun<'_> {
    fn document(&self, _: &Style) -> impl Serialize {
        StageRunView::new(self.backup, &self.staged, self.plan.as_ref())
    }

    fn names(&self) -> Vec<String> {
        vec![safe_path(&self.staged.directory)]
    }

    fn page(&self, style: &Style) -> String {
        let id = self.backup.id().unwrap_or_default();
        let directory = safe_path(&self.staged.directory);
        let mut text = format!("staged backup {id} in {directory}\n");
        for file in self.staged.files() {
            text.push_str(&format!("  {}\n", safe_path(file)));
        }
        if let Some(plan) = &self.plan {
            text.push('\n');
            text.push_str(&restore_plan(plan, style));
        }
        text
    }
}
