//! Why two halves are taken for one backup, in sentences.

use super::assign::Paired;
use super::compare::remarks;
use super::rank::stamps;
use super::stamp::Stamp;
use crate::backup::{Located, Pairing, PairingBasis};
use crate::inventory::Inventory;

/// Each fact that speaks for a pair; empty for a half alone.
pub(crate) fn pairing(inventory: &Inventory, paired: &Paired) -> Pairing {
    let snapshot = paired
        .snapshot
        .and_then(|index| inventory.snapshots.get(index));
    let kuberesources = paired
        .kuberesources
        .and_then(|index| inventory.kuberesources.get(index));
    let Some((half, other)) = snapshot.zip(kuberesources) else {
        return Pairing::default();
    };
    let proven = inventory.proofs.find(&half.facts, &other.facts);
    let mut evidence: Vec<String> = stamp_line(half, other).into_iter().collect();
    let (mut agrees, mut contradicts) = (false, false);
    for remark in remarks(&half.facts, &other.facts, proven) {
        agrees |= remark.agrees;
        contradicts |= !remark.agrees;
        if remark.agrees {
            evidence.push(remark.line());
        }
    }
    if evidence.is_empty() && half.path.directory() == other.path.directory() {
        evidence.push("both lie in one directory".to_owned());
    }
    let basis = if agrees && !contradicts {
        PairingBasis::Content
    } else {
        PairingBasis::Name
    };
    Pairing { basis, evidence }
}

fn stamp_line<A, B>(half: &Located<A>, other: &Located<B>) -> Option<String> {
    let of_other: Vec<Stamp> = stamps(other).collect();
    let common = stamps(half).find(|stamp| of_other.iter().any(|other| other.at == stamp.at))?;
    let digits = common.at.format("%Y-%m-%d_%H%M%S");
    let line = if of_other.contains(&common) {
        format!("stamp {digits} in both names")
    } else {
        format!("stamp {digits} in both names, though only one of them says __POSSIBLY_DIRTY__")
    };
    Some(line)
}
