//! Which worker reads what: the largest first, each to the worker that has the least.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The shard of each group, by their sizes in bytes. Reading a group costs its bytes and as much as a megabyte for each
/// beginning, so that many small ones do not all go to one worker.
pub(super) fn balance(sizes: &[u64], shards: u32) -> Vec<u32> {
    const BEGINNING: u64 = 1 << 20;
    let mut order: Vec<(usize, u64)> = sizes.iter().copied().enumerate().collect();
    order.sort_by_key(|(index, bytes)| (Reverse(*bytes), *index));
    let mut loads: BinaryHeap<Reverse<(u64, u32)>> = (0..shards.max(1))
        .map(|shard| Reverse((0, shard)))
        .collect();
    let mut chosen = vec![0; sizes.len()];
    for (index, bytes) in order {
        let Some(Reverse((load, shard))) = loads.pop() else {
            break;
        };
        if let Some(slot) = chosen.get_mut(index) {
            *slot = shard;
        }
        let load = load.saturating_add(bytes).saturating_add(BEGINNING);
        loads.push(Reverse((load, shard)));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::balance;

    #[test]
    fn no_worker_has_more_than_its_part_and_one_group() {
        let sizes: Vec<u64> = (1..1000)
            .map(|size| size * 1_000_003 % 90_000_007)
            .collect();
        let shards = 7;
        let chosen = balance(&sizes, shards);
        let mut loads = vec![0_u64; 7];
        for (shard, bytes) in chosen.iter().zip(&sizes) {
            let index = usize::try_from(*shard).expect("small");
            *loads.get_mut(index).expect("a shard") += bytes;
        }
        let fair = sizes.iter().sum::<u64>() / u64::from(shards);
        let largest = sizes.iter().copied().max().unwrap_or_default();
        assert!(
            loads.iter().all(|load| *load <= fair + largest),
            "{loads:?}"
        );
        assert_eq!(balance(&[5, 5], 0), [0, 0]);
    }
}
