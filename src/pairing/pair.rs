//! Gives each snapshot its kuberesources: what has no choice, then best fit first.

use super::assign::{Assignment, Paired, sort_best_first};
use super::field::Field;
use super::lonely::join_lonely;
use super::rank::PossiblePair;
use crate::inventory::Inventory;

/// Joins halves to backups: one entry for each snapshot in their order, then the kuberesources that are left.
pub fn pair(inventory: &Inventory) -> Vec<Paired> {
    let field = Field::new(inventory);
    let mut assignment = Assignment::new(inventory);
    let contested = join_lonely(&field, &mut assignment);
    let (mut contradicting, mut fitting): (Vec<_>, Vec<_>) =
        contested.into_iter().partition(|edge| edge.contradicts);
    sort_best_first(inventory, &mut fitting);
    for edge in &fitting {
        assignment.give(inventory, edge);
    }
    // What contradicts is joined only when nobody else wants either half: then it is most likely one
    // backup of which one half was exchanged, and the person should see both.
    contradicting.extend(strangers(&field, &assignment));
    sort_best_first(inventory, &mut contradicting);
    for edge in &contradicting {
        assignment.give_leftover(edge);
    }
    assignment.into_pairs(&fitting)
}

/// Pairs of two clusters of which neither half has found another partner.
fn strangers(field: &Field<'_>, assignment: &Assignment) -> Vec<PossiblePair> {
    let waiting = field
        .rows()
        .filter(|(snapshot, _)| assignment.is_waiting(*snapshot));
    let pairs = waiting.flat_map(|(snapshot, list)| {
        let free = list.iter().filter(|archive| assignment.is_free(**archive));
        free.map(move |archive| (snapshot, *archive))
    });
    let strange = pairs.filter(|pair| field.are_strangers(*pair));
    strange.filter_map(|pair| field.weigh(pair)).collect()
}
