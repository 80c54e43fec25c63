//! What is wrong with where the files lie.

use super::encryption::encrypted;
use super::notes::PairNotes;
use super::restore_choice::{ChoiceOutcome, RestoreChoice};
use crate::backup::{Backup, Located};
use crate::finding::{Code, Finding, Severity};
use crate::kuberesources::Kuberesources;
use crate::names::BackupName;
use crate::snapshot::{Flavour, Snapshot};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `keys-beside-snapshot`.
pub(super) fn keys_beside(
    snapshot: &Located<Snapshot>,
    kuberesources: &Located<Kuberesources>,
) -> Option<Finding> {
    encrypted(&snapshot.facts).next()?;
    let mut pairs = snapshot
        .places()
        .flat_map(|place| kuberesources.places().map(move |second| (place, second)));
    let (snapshot, kuberesources) =
        pairs.find(|(place, second)| place.directory() == second.directory())?;
    let directory = snapshot.directory().unwrap_or_default();
    let directory = directory.display().to_string();
    let message = format!(
        "encryption is on and both halves lie in {directory}: whoever reads it has data and keys"
    );
    let remedy = format!("keep {kuberesources} in another place with other access rights");
    let finding = Finding::new(Code::KeysBesideSnapshot, message).with("directory", directory);
    Some(
        finding
            .with("kuberesources", kuberesources.to_string())
            .remedy(remedy),
    )
}

/// `snapshot-compressed`: a warning where the name hides it.
pub(super) fn compressed(snapshot: &Located<Snapshot>) -> Option<Finding> {
    let is_member = snapshot.path.archive().is_some();
    if !snapshot.is_packed && !is_member {
        return None;
    }
    let name = snapshot.path.file_name().and_then(BackupName::parse);
    let is_told = name.is_some_and(|name| name.compression.is_some());
    let path = &snapshot.path;
    let finding = if is_member {
        let message = format!(
            "{path} lies in an archive: cluster-restore.sh cannot take it, and stage takes it out"
        );
        Finding::new(Code::SnapshotCompressed, message)
    } else if is_told {
        let message =
            format!("{path} is packed: cluster-restore.sh cannot take it, and stage unpacks it");
        Finding::new(Code::SnapshotCompressed, message)
    } else {
        let message = format!(
            "{path} is packed, and its name does not say so: cluster-restore.sh would take it as it is and fail"
        );
        Finding::new(Code::SnapshotCompressed, message)
            .severity(Severity::Warning)
            .remedy("let etcd-cat stage unpack it, and give the packed file a name that says what it is")
    };
    Some(finding.with("path", path.to_string()))
}

/// `completion-mark-missing`.
pub(super) fn unmarked(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let beside = notes.complete_beside.as_ref()?;
    let run = backup.path()?.outermost().parent()?;
    let message = format!(
        "{beside} is marked COMPLETE and {run} beside it is not: it may still be written, or be on its way out"
    );
    Some(
        Finding::new(Code::CompletionMarkMissing, message)
            .with("directory", run.to_string())
            .with("complete", beside.to_string()),
    )
}

/// `restore-picks-other`: in the directory of the shown snapshot the script takes files with other bytes.
///
/// A warning where what it takes is no whole backup, or one that does not restore. Where one half is missing the script
/// stops, or takes the other half from another backup: both are told only when it would take something.
pub(super) fn picks_other(
    backup: &Backup,
    choices: &BTreeMap<PathBuf, RestoreChoice>,
) -> Option<Finding> {
    let snapshot = backup.snapshot.as_ref()?;
    // Other clusters are not restored with this script.
    if snapshot.facts.flavour != Flavour::OpenShift {
        return None;
    }
    let directory = snapshot.path.as_path()?.parent()?;
    let choice = choices.get(directory)?;
    let is_own = |pick: &&PathBuf| snapshot.places().any(|place| *place == **pick);
    let is_partner = |pick: &&PathBuf| {
        let mut archives = backup.kuberesources.iter().flat_map(Located::places);
        archives.any(|place| *place == **pick)
    };
    let taken_snapshot = choice.snapshot.as_ref().filter(|pick| !is_own(pick));
    let taken_kuberesources = choice
        .kuberesources
        .as_ref()
        .filter(|pick| !is_partner(pick));
    let taken: Vec<&PathBuf> = taken_snapshot
        .into_iter()
        .chain(taken_kuberesources)
        .collect();
    if taken.is_empty() {
        return None;
    }
    let names: Vec<String> = taken.iter().filter_map(|pick| name_of(pick)).collect();
    let directory = directory.display().to_string();
    let (severity, what) = match &choice.outcome {
        ChoiceOutcome::Mixture => (Severity::Warning, " and so join halves of two backups"),
        _ if choice.is_harmful() => (Severity::Warning, ", of a backup that does not restore"),
        _ => (Severity::Info, ""),
    };
    let message = format!(
        "cluster-restore.sh run on {directory} would not take this pair but {} there{what}",
        names.join(" and ")
    );
    let remedy = format!(
        "copy this pair alone with etcd-cat stage {} --to DIR and run the script on DIR",
        snapshot.facts.computed.id()
    );
    let taken: Vec<String> = taken
        .iter()
        .map(|pick| pick.display().to_string())
        .collect();
    let finding = Finding::new(Code::RestorePicksOther, message).severity(severity);
    let finding = finding.with("directory", directory).with("picks", taken);
    Some(finding.remedy(remedy))
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.display().to_string())
}
