//! Halves that have no choice: nearly all of them, and no content has to be looked at for most.

use super::assign::Assignment;
use super::field::{CandidatePair, Field};
use super::rank::{ByPlace, PossiblePair};
use crate::inventory::{KuberesourcesIndex, SnapshotIndex};
use crate::parallel::{self, PIECE};

/// Joins what has no other choice, and returns the pairs that compete, but for those of two clusters.
///
/// Where a name is enough, no content is looked at: a hundred thousand backups lie all over the memory.
pub(super) fn join_lonely(field: &Field<'_>, assignment: &mut Assignment) -> Vec<PossiblePair> {
    let wanted = Wanted::new(field);
    let rows: Vec<(SnapshotIndex, &[KuberesourcesIndex])> = field.rows().collect();
    let decided = parallel::share(rows.chunks(PIECE), |(), rows| {
        let mut decided = Decided::default();
        for (snapshot, list) in rows {
            decided.add((*snapshot, list), field, &wanted);
        }
        decided
    });
    let mut contested = Vec::with_capacity(decided.iter().map(|part| part.contested.len()).sum());
    for part in decided {
        for (snapshot, kuberesources) in part.lonely {
            assignment.join(snapshot, kuberesources);
        }
        contested.extend(part.contested);
    }
    contested
}

/// What comes of some snapshots and what could belong to them.
#[derive(Default)]
struct Decided {
    lonely: Vec<CandidatePair>,
    contested: Vec<PossiblePair>,
}

impl Decided {
    fn add(
        &mut self,
        (snapshot, list): (SnapshotIndex, &[KuberesourcesIndex]),
        field: &Field<'_>,
        wanted: &Wanted,
    ) {
        let akin = list
            .iter()
            .filter(|archive| !field.are_strangers((snapshot, **archive)));
        let akin = akin.count();
        for &kuberesources in list {
            let pair = (snapshot, kuberesources);
            let is_only = list.len() == 1 && kuberesources.of(&wanted.by_all) == Some(&1);
            let by_place = is_only.then(|| field.by_place(pair));
            match by_place.unwrap_or(ByPlace::Undecided) {
                ByPlace::Impossible => continue,
                ByPlace::Possible => {
                    self.lonely.push(pair);
                    continue;
                }
                ByPlace::Undecided if field.are_strangers(pair) => continue,
                ByPlace::Undecided => {}
            }
            let is_only_akin = akin == 1 && kuberesources.of(&wanted.by_akin) == Some(&1);
            match field.weigh(pair) {
                Some(edge) if is_only_akin && !edge.contradicts => self.lonely.push(pair),
                edge => self.contested.extend(edge),
            }
        }
    }
}

/// How many snapshots a kuberesources is a candidate of.
struct Wanted {
    by_all: Vec<u32>,
    /// Those left out that are of another cluster.
    by_akin: Vec<u32>,
}

impl Wanted {
    fn new(field: &Field<'_>) -> Self {
        let count = field.inventory.kuberesources.len();
        let mut wanted = Self {
            by_all: vec![0; count],
            by_akin: vec![0; count],
        };
        for (snapshot, list) in field.rows() {
            for &kuberesources in list {
                let is_akin = !field.are_strangers((snapshot, kuberesources));
                if let Some(count) = kuberesources.of_mut(&mut wanted.by_all) {
                    *count = count.saturating_add(1);
                }
                if let Some(count) = kuberesources.of_mut(&mut wanted.by_akin) {
                    *count = count.saturating_add(u32::from(is_akin));
                }
            }
        }
        wanted
    }
}
