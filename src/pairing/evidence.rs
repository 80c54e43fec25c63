//! Why two halves are taken for one backup, in sentences.

use super::assign::Paired;
use super::compare::remarks;
use super::rank::{NEAR_SECONDS, nearest, stamps};
use super::stamp::RunStamp;
use crate::backup::{Located, Pairing, PairingBasis};
use crate::inventory::Inventory;
use crate::kuberesources::Kuberesources;
use crate::snapshot::Snapshot;

/// Each fact that speaks for a pair; empty for a half alone.
pub fn pairing(inventory: &Inventory, paired: &Paired) -> Pairing {
    let snapshot = paired.snapshot;
    let snapshot = snapshot.and_then(|index| index.of(&inventory.snapshots));
    let kuberesources = paired.kuberesources;
    let kuberesources = kuberesources.and_then(|index| index.of(&inventory.kuberesources));
    let Some((snapshot, kuberesources)) = snapshot.zip(kuberesources) else {
        return Pairing::default();
    };
    let proven = inventory.proofs.find(&snapshot.facts, &kuberesources.facts);
    let mut evidence: Vec<String> = stamp_line(snapshot, kuberesources).into_iter().collect();
    let (mut agrees, mut contradicts) = (false, false);
    for remark in remarks(&snapshot.facts, &kuberesources.facts, proven) {
        agrees |= remark.agrees;
        contradicts |= !remark.agrees;
        if remark.agrees {
            evidence.push(remark.line());
        }
    }
    if evidence.is_empty() && snapshot.path.directory() == kuberesources.path.directory() {
        evidence.push("both lie in one directory".to_owned());
    }
    let basis = if agrees && !contradicts {
        PairingBasis::Content
    } else {
        PairingBasis::Name
    };
    Pairing { basis, evidence }
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
