//! What came of `backup`, for reading.

use super::text::{safe, safe_path};
use super::views::BackupRunView;
use super::{Answer, BackupDetails, Style, name};
use etcd_cat::oc::{BackupRun, Leftover};
use etcd_cat::take::{Delivery, TakeOutcome, TakeReport};
use serde::Serialize;

impl Answer for TakeReport {
    fn document(&self, style: &Style) -> impl Serialize {
        BackupRunView::new(self, style.now)
    }

    fn names(&self) -> Vec<String> {
        self.backup.iter().filter_map(name).collect()
    }

    /// What was done, what must be done by hand, and the backup.
    fn page(&self, style: &Style) -> String {
        let mut text = headline(self);
        text.push_str(&destinations(&self.deliveries));
        if let Some(taken) = &self.taken {
            text.push_str(&remains(taken));
        }
        if let Some(backup) = &self.backup {
            text.push('\n');
            text.push_str(&BackupDetails(backup).page(style));
        }
        text
    }
}

fn headline(report: &TakeReport) -> String {
    let node = safe(report.node.as_deref().unwrap_or_default());
    let what = match policy(report) {
        Some(directory) => format!(
            "backup of the cluster's own policy brought in from {} on {node}",
            safe_path(directory)
        ),
        None => format!("backup taken on {node}"),
    };
    let mut text = match report.outcome {
        TakeOutcome::Taken => format!("{what}\n"),
        TakeOutcome::Rejected => {
            format!("{what}, and it is not to be believed: put aside, not in the catalogue\n")
        }
        TakeOutcome::Undelivered => {
            format!("{what} and verified, and stored nowhere: not in the catalogue\n")
        }
        // Made for a shell, and made of checked words.
        TakeOutcome::Planned => return report.script.clone().unwrap_or_default(),
        TakeOutcome::Cleaned => {
            let reason = report.reason.as_deref().unwrap_or_default();
            return format!("{}\n", safe(reason));
        }
        TakeOutcome::Skipped => {
            let reason = report.reason.as_deref().unwrap_or_default();
            format!("no backup is needed: {}\n", safe(reason))
        }
    };
    for reason in &report.forced {
        text.push_str(&format!("  overridden: {}\n", safe(reason)));
    }
    text
}

fn policy(report: &TakeReport) -> Option<&str> {
    report.taken.as_ref()?.policy.as_deref()
}

/// What came of each destination, unless there is one alone that nothing had to be brought to.
fn destinations(deliveries: &[Delivery]) -> String {
    let is_plain = |one: &Delivery| {
        let ids = [&one.snapshot.id, &one.kuberesources.id];
        ids.iter().all(|id| id.as_path().is_some())
    };
    if let [one] = deliveries
        && is_plain(one)
    {
        return String::new();
    }
    let lines = deliveries.iter().map(|one| {
        let mut places: Vec<String> = [&one.snapshot.id, &one.kuberesources.id]
            .into_iter()
            .filter_map(|id| Some(safe(&id.parent()?.to_string()).into_owned()))
            .collect();
        places.dedup();
        let places = places.join(" and ");
        match &one.failure {
            None => format!("  lies in {places}, read back and verified\n"),
            Some(reason) => format!("  did not reach {places}: {}\n", safe(reason)),
        }
    });
    lines.collect()
}

/// Why it is still there.
fn because(leftover: &Leftover) -> String {
    let reason = leftover.reason.as_deref();
    reason.map_or_else(String::new, |reason| format!(" ({})", safe(reason)))
}

/// What is still in the cluster, asked for or not.
fn remains(taken: &BackupRun) -> String {
    let mut text = String::new();
    if let Some(directory) = &taken.kept_on_node {
        text.push_str(&format!(
            "  kept on {}: {}\n",
            safe(&taken.node),
            safe_path(directory)
        ));
    }
    for earlier in &taken.earlier {
        text.push_str(&format!(
            "  left by an earlier run: {}\n  bring it in with --resume, or remove it with --clean or: {}\n",
            safe(&earlier.what),
            safe(&earlier.command)
        ));
    }
    for leftover in &taken.leftovers {
        text.push_str(&format!(
            "  still in the cluster: {}{}\n  remove it with: {}\n",
            safe(&leftover.what),
            because(leftover),
            safe(&leftover.command)
        ));
    }
    text
}
