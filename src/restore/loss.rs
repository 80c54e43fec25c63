//! What a restore loses against the newest backup of the same cluster, from what was counted when both were read.

use super::check::RestoreCheck;
use crate::backup::Backup;
use crate::snapshot::KindContent;
use std::collections::BTreeMap;

/// The newest backup of the cluster, and how many objects of each kind it has beside those of the chosen one.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss<'c> {
    /// The newest one; the chosen one itself when nothing newer is known.
    pub newest: &'c Backup,
    /// Whether that is the chosen one.
    pub is_newest: bool,
    /// Kinds of which both do not have as many; `None` when one of them was read before kinds were counted.
    pub kinds: Option<Vec<KindLoss>>,
}

/// A kind of which the two backups do not have as many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KindLoss {
    /// `plural.group`, or the plural alone.
    pub resource: String,
    /// Objects in the chosen backup.
    pub chosen: u64,
    /// Objects in the newest one.
    pub newest: u64,
}

impl RestoreCheck {
    /// What is lost against the newest backup of the cluster, whether or not it can be restored; `None` without a choice.
    pub fn loss(&self) -> Option<Loss<'_>> {
        let chosen = &self.chosen.as_ref()?.backup;
        let mut candidates = self.candidates.iter().map(|one| &one.backup);
        let newest = candidates.find(|backup| backup.snapshot.is_some())?;
        let is_newest = newest.digest == chosen.digest;
        Some(Loss {
            newest,
            is_newest,
            kinds: kinds(chosen)
                .zip(kinds(newest))
                .map(|(own, other)| differing(own, other)),
        })
    }
}

/// `None` when they were not counted: a cluster has some.
fn kinds(backup: &Backup) -> Option<&[KindContent]> {
    let snapshot = backup.snapshot.as_ref()?;
    Some(snapshot.facts.kinds.as_slice()).filter(|kinds| !kinds.is_empty())
}

/// The largest difference first.
fn differing(chosen: &[KindContent], newest: &[KindContent]) -> Vec<KindLoss> {
    let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for (side, kinds) in [chosen, newest].into_iter().enumerate() {
        for kind in kinds {
            let counts = counts.entry(name(kind)).or_default();
            if let Some(count) = counts.get_mut(side) {
                *count = kind.objects;
            }
        }
    }
    let all = counts
        .into_iter()
        .map(|(resource, [chosen, newest])| KindLoss {
            resource,
            chosen,
            newest,
        });
    let mut differing: Vec<KindLoss> = all.filter(|one| one.chosen != one.newest).collect();
    differing.sort_by_key(|one| std::cmp::Reverse(one.chosen.abs_diff(one.newest)));
    differing
}

fn name(kind: &KindContent) -> String {
    if kind.group.is_empty() {
        kind.plural.clone()
    } else {
        format!("{}.{}", kind.plural, kind.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(plural: &str, objects: u64) -> KindContent {
        KindContent {
            plural: plural.to_owned(),
            objects,
            ..KindContent::default()
        }
    }

    #[test]
    fn kinds_are_subtracted_and_the_largest_difference_comes_first() {
        let chosen = [kind("nodes", 3), kind("pods", 10), kind("secrets", 5)];
        let newest = [kind("pods", 8), kind("routes", 9), kind("secrets", 5)];
        let told: Vec<(String, u64, u64)> = differing(&chosen, &newest)
            .into_iter()
            .map(|one| (one.resource, one.chosen, one.newest))
            .collect();
        let expected = [("routes", 0, 9), ("nodes", 3, 0), ("pods", 10, 8)];
        assert_eq!(
            told,
            expected.map(|(name, own, other)| (name.to_owned(), own, other))
        );
    }
}
