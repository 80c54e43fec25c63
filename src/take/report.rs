//! What came of a whole backup run.

use super::destination::{Delivery, Destination};
use crate::backup::Backup;
use crate::catalogue::CatalogueError;
use crate::oc::{BackupPlan, BackupRun, shell_line};
use crate::source::ObjectId;
use std::path::PathBuf;

/// What came of a whole backup run.
#[derive(Debug, Default)]
pub struct TakeReport {
    /// Whether one was taken.
    pub outcome: TakeOutcome,
    /// Why none was taken.
    pub reason: Option<String>,
    /// The node it was, or would be, taken on.
    pub node: Option<String>,
    /// Reasons against it that were overridden.
    pub forced: Vec<String>,
    /// Every command of `oc`, the look beforehand included: as it was run, or as it would be.
    pub commands: Vec<String>,
    /// The same for a shell, with what is told about them in comments; only of a plan.
    pub script: Option<String>,
    /// How it was taken.
    pub taken: Option<Box<BackupRun>>,
    /// The new backup.
    pub backup: Option<Backup>,
    /// Where it was to go, and what came of that: first where it was to go above all, then where it was to go as well.
    pub deliveries: Vec<Delivery>,
    /// The directory on this machine where its files stay because they did not reach every destination.
    pub kept: Option<PathBuf>,
    /// The backup is complete and verified, and could not be remembered.
    pub catalogue: Option<CatalogueError>,
}

/// Whether a backup was taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TakeOutcome {
    /// Taken and verified; the verdict says the rest.
    Taken,
    /// Taken and verified here, and it reached none of its destinations.
    Undelivered,
    /// Taken, not to be believed, and put aside.
    Rejected,
    /// `--dry-run`.
    Planned,
    /// `--clean`: what earlier runs left on the host is removed.
    Cleaned,
    /// There was no need.
    #[default]
    Skipped,
}

impl TakeOutcome {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Undelivered => "undelivered",
            Self::Rejected => "rejected",
            Self::Planned => "planned",
            Self::Cleaned => "cleaned",
            Self::Skipped => "skipped",
        }
    }
}

impl TakeReport {
    pub(super) fn skipped(reason: String) -> Self {
        Self {
            reason: Some(reason),
            ..Self::default()
        }
    }

    pub(super) fn cleaned(plan: &BackupPlan, removed: &[String]) -> Self {
        let mut reason = match removed {
            [] => format!("no earlier run left anything on {}", plan.nodes.join(", ")),
            removed => format!("removed {}", removed.join(", ")),
        };
        if !plan.out_of_reach.is_empty() {
            reason += "; not looked at: ";
            reason += &plan.out_of_reach.join(", ");
        }
        let node = match plan.nodes.as_slice() {
            [node] => Some(node.clone()),
            _ => None,
        };
        Self {
            outcome: TakeOutcome::Cleaned,
            reason: Some(reason),
            node,
            ..Self::default()
        }
    }

    pub(super) fn planned(plan: &BackupPlan, destinations: &[Destination]) -> Self {
        let commands = plan.looked.iter().chain(&plan.commands);
        Self {
            outcome: TakeOutcome::Planned,
            node: Some(plan.node.clone()),
            forced: plan.forced.iter().map(ToString::to_string).collect(),
            commands: commands.map(|command| shell_line(command)).collect(),
            script: Some(format!("{plan}{}", afterwards(destinations))),
            ..Self::default()
        }
    }

    /// With how it was taken.
    pub(super) fn of(self, run: BackupRun) -> Self {
        Self {
            node: Some(run.node.clone()),
            forced: run.forced.iter().map(ToString::to_string).collect(),
            commands: run
                .commands
                .iter()
                .map(|command| shell_line(command))
                .collect(),
            taken: Some(Box::new(run)),
            ..self
        }
    }

    /// The files have new names by now, and so has what is shown of them.
    pub(super) fn rejected(run: BackupRun, backup: Option<Backup>) -> Self {
        let backup = backup.map(|mut backup| {
            if let Some(snapshot) = &mut backup.snapshot {
                snapshot.path = ObjectId::from(&run.snapshot.path);
            }
            if let Some(kuberesources) = &mut backup.kuberesources {
                kuberesources.path = ObjectId::from(&run.kuberesources.path);
            }
            backup
        });
        let rejected = Self {
            outcome: TakeOutcome::Rejected,
            backup,
            ..Self::default()
        };
        rejected.of(run)
    }
}

/// What is done once it is verified here, in comments of a shell.
fn afterwards(destinations: &[Destination]) -> String {
    let first = destinations.first().into_iter();
    let first = first.filter(|destination| !destination.is_here());
    let others = destinations.iter().skip(1);
    let lines = first.chain(others).map(|destination| {
        let [snapshot, kuberesources] = destination.places();
        let and = match snapshot == kuberesources {
            true => String::new(),
            false => format!(", the kuberesources in {kuberesources}"),
        };
        let line = format!("# then, verified: store it in {snapshot}{and}, and read it back");
        line.replace(char::is_control, "?") + "\n"
    });
    lines.collect()
}
