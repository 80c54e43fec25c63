//! Do the two halves belong together?

use super::notes::PairNotes;
use super::text::first_few;
use crate::backup::Backup;
use crate::finding::{Code, Finding};

/// `pair-mismatch`: names every fact in which the halves differ.
pub(super) fn mismatch(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let (snapshot, kuberesources) = backup
        .snapshot
        .as_ref()
        .zip(backup.kuberesources.as_ref())?;
    // A key alone that does not open is told as encryption-key-wrong.
    if notes
        .contradictions
        .iter()
        .all(|contradiction| contradiction.field.starts_with("key "))
    {
        return None;
    }
    let lines: Vec<String> = notes
        .contradictions
        .iter()
        .map(|line| {
            format!(
                "{} is {} in the snapshot, {} in the kuberesources",
                line.field, line.snapshot, line.kuberesources
            )
        })
        .collect();
    let message = format!(
        "the two halves are not of one backup: {}",
        first_few(lines.iter().cloned(), 4)
    );
    let remedy = match &notes.substitute {
        Some(path) => format!("do not restore from these two; try {path} with this snapshot"),
        None => format!(
            "do not restore from these two; look for the kuberesources of {}",
            snapshot.path
        ),
    };
    Some(
        Finding::new(Code::PairMismatch, message)
            .with("contradictions", lines)
            .with("snapshot", snapshot.path.to_string())
            .with("kuberesources", kuberesources.path.to_string())
            .remedy(remedy),
    )
}

/// `pair-ambiguous`: names the choice, its reason and the others.
pub(super) fn ambiguous(backup: &Backup, notes: &PairNotes) -> Option<Finding> {
    let chosen = &backup.kuberesources.as_ref()?.path;
    if notes.rivals.is_empty() {
        return None;
    }
    let rivals: Vec<String> = notes.rivals.iter().map(ToString::to_string).collect();
    let message = format!(
        "{} was chosen because {}; as well could belong: {}",
        chosen,
        notes.reason,
        rivals.join(", ")
    );
    let remedy = "keep only the kuberesources of the same run beside each snapshot";
    Some(
        Finding::new(Code::PairAmbiguous, message)
            .with("chosen", chosen.to_string())
            .with("reason", notes.reason)
            .with("others", rivals)
            .remedy(remedy),
    )
}
