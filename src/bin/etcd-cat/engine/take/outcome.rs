//! What came of `backup`.

use etcd_cat::backup::Backup;
use etcd_cat::catalogue::CatalogueError;
use etcd_cat::oc::{self, BackupPlan, shell_line};

/// What came of `backup`.
#[derive(Debug, Default)]
pub(crate) struct BackupRun {
    /// Whether one was taken.
    pub(crate) outcome: RunOutcome,
    /// Why none was taken.
    pub(crate) reason: Option<String>,
    /// The node it was, or would be, taken on.
    pub(crate) node: Option<String>,
    /// Reasons against it that were overridden.
    pub(crate) forced: Vec<String>,
    /// Every command of `oc`, the look beforehand included: as it was run, or as it would be.
    pub(crate) commands: Vec<String>,
    /// The same for a shell, with what is told about them in comments; only of a plan.
    pub(crate) script: Option<String>,
    /// How it was taken.
    pub(crate) taken: Option<Box<oc::BackupRun>>,
    /// The new backup.
    pub(crate) backup: Option<Backup>,
    /// The backup is complete and verified, and could not be remembered.
    pub(crate) catalogue: Option<CatalogueError>,
}

/// Whether a backup was taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum RunOutcome {
    /// Taken and verified; the verdict says the rest.
    Taken,
    /// Taken, not to be believed, and put aside.
    Rejected,
    /// `--dry-run`.
    Planned,
    /// There was no need.
    #[default]
    Skipped,
}

impl RunOutcome {
    /// The word in documents.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Rejected => "rejected",
            Self::Planned => "planned",
            Self::Skipped => "skipped",
        }
    }
}

impl BackupRun {
    pub(super) fn skipped(reason: String) -> Self {
        Self {
            reason: Some(reason),
            ..Self::default()
        }
    }

    pub(super) fn planned(plan: &BackupPlan) -> Self {
        let commands = plan.looked.iter().chain(&plan.commands);
        Self {
            outcome: RunOutcome::Planned,
            node: Some(plan.node.clone()),
            forced: plan.forced.iter().map(ToString::to_string).collect(),
            commands: commands.map(|command| shell_line(command)).collect(),
            script: Some(plan.to_string()),
            ..Self::default()
        }
    }

    pub(super) fn taken(run: oc::BackupRun, backup: Option<Backup>) -> Self {
        Self {
            outcome: RunOutcome::Taken,
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
    pub(super) fn rejected(run: oc::BackupRun, backup: Option<Backup>) -> Self {
        let backup = backup.map(|mut backup| {
            if let Some(half) = &mut backup.snapshot {
                half.path.clone_from(&run.snapshot.path);
            }
            if let Some(half) = &mut backup.kuberesources {
                half.path.clone_from(&run.kuberesources.path);
            }
            backup
        });
        Self {
            outcome: RunOutcome::Rejected,
            ..Self::taken(run, backup)
        }
    }
}
