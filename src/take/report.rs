//! What came of a whole backup run.

use crate::backup::Backup;
use crate::catalogue::CatalogueError;
use crate::oc::{BackupPlan, BackupRun, shell_line};
use crate::source::ObjectId;

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
    /// The backup is complete and verified, and could not be remembered.
    pub catalogue: Option<CatalogueError>,
}

/// Whether a backup was taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TakeOutcome {
    /// Taken and verified; the verdict says the rest.
    Taken,
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
        let reason = match removed {
            [] => format!("no earlier run left anything on {}", plan.node),
            removed => format!("removed {}", removed.join(", ")),
        };
        Self {
            outcome: TakeOutcome::Cleaned,
            reason: Some(reason),
            node: Some(plan.node.clone()),
            ..Self::default()
        }
    }

    pub(super) fn planned(plan: &BackupPlan) -> Self {
        let commands = plan.looked.iter().chain(&plan.commands);
        Self {
            outcome: TakeOutcome::Planned,
            node: Some(plan.node.clone()),
            forced: plan.forced.iter().map(ToString::to_string).collect(),
            commands: commands.map(|command| shell_line(command)).collect(),
            script: Some(plan.to_string()),
            ..Self::default()
        }
    }

    pub(super) fn taken(run: BackupRun, backup: Option<Backup>) -> Self {
        Self {
            outcome: TakeOutcome::Taken,
            node: Some(run.node.clone()),
            forced: run.forced.iter().map(ToString::to_string).collect(),
            commands: run
                .commands
                .iter()
                .map(|command| shell_line(command))
                .collect(),
            taken: Some(Box::new(run)),
            backup,
            ..Self::default()
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
        Self {
            outcome: TakeOutcome::Rejected,
            ..Self::taken(run, backup)
        }
    }
}
