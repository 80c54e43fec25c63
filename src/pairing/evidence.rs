//! Why two halves are taken for one backup, in sentences.

use super::compare::remarks;
use super::rank::{NEAR_SECONDS, nearest, stamps};
use super::stamp::RunStamp;
use crate::backup::{Backup, Located, PairingBasis};
use crate::inventory::Proven;
use crate::kuberesources::Kuberesources;
use crate::snapshot::Snapshot;

/// What decided that two halves are one backup: their contents, when some fact agrees and none contradicts.
pub(crate) fn basis(
    snapshot: &Snapshot,
    kuberesources: &Kuberesources,
    proven: Option<&Proven>,
    contradicts: bool,
) -> PairingBasis {
    let key_proof = proven.map(|proven| &proven.key_proof);
    let mut remarks = remarks(snapshot, kuberesources, key_proof);
    match !contradicts && remarks.any(|remark| remark.agrees) {
        true => PairingBasis::Content,
        false => PairingBasis::Name,
    }
}

/// Each fact that speaks for its two halves being one backup, a line each; empty for a half alone.
///
/// Only what is shown is told: a hundred thousand backups would have a million lines.
pub fn evidence(backup: &Backup) -> Vec<String> {
    let both = backup.snapshot.as_ref().zip(backup.kuberesources.as_ref());
    let Some((snapshot, kuberesources)) = both else {
        return Vec::new();
    };
    let mut evidence: Vec<String> = stamp_line(snapshot, kuberesources).into_iter().collect();
    let key_proof = backup.key_proof.as_ref();
    let remarks = remarks(&snapshot.facts, &kuberesources.facts, key_proof);
    let agreeing = remarks.filter(|remark| remark.agrees);
    evidence.extend(agreeing.map(|remark| remark.line()));
    if evidence.is_empty() && snapshot.path.directory() == kuberesources.path.directory() {
        evidence.push("both lie in one directory".to_owned());
    }
    evidence
}

fn stamp_line(
    snapshot: &Located<Snapshot>,
    kuberesources: &Located<Kuberesources>,
) -> Option<String> {
    let of_kuberesources: Vec<RunStamp> = stamps(kuberesources).collect();
    let is_in_both = |stamp: &RunStamp| of_kuberesources.iter().any(|two| two.at == stamp.at);
    let Some(common) = stamps(snapshot).find(is_in_both) else {
        let of_snapshot: Vec<RunStamp> = stamps(snapshot).collect();
        let seconds = nearest(&of_snapshot, &of_kuberesources)?;
        return (seconds <= NEAR_SECONDS)
            .then(|| format!("stamps {seconds} s apart in the two names"));
    };
    let digits = common.at.format("%Y-%m-%d_%H%M%S");
    let line = if of_kuberesources.contains(&common) {
        format!("stamp {digits} in both names")
    } else {
        format!("stamp {digits} in both names, though only one of them says __POSSIBLY_DIRTY__")
    };
    Some(line)
}
