//! Indices of changes, those of keys whose hashes begin alike side by side: a sort that only counts.

use crate::bytes::to_usize;

/// More groups than these take more room than the cache next to a core leaves.
const MAX_GROUP_BITS: u32 = 12;

/// Indices in groups, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct HashGroups {
    /// 32 bits are enough: more changes in one sub-partition would take 240 GB.
    indices: Vec<u32>,
    /// Where each group ends and the next one begins; while they are gathered, where the next index goes.
    ends: Vec<u32>,
}

impl HashGroups {
    /// HashGroups `hashes` by their highest bits: one to two groups for each of them, up to a limit. In a group they
    /// keep their order.
    pub(super) fn gather(&mut self, hashes: impl ExactSizeIterator<Item = u64> + Clone) {
        let bits = (usize::BITS - hashes.len().leading_zeros()).clamp(1, MAX_GROUP_BITS);
        let group_of = |hash: u64| to_usize(hash >> (u64::BITS - bits));
        self.ends.clear();
        self.ends.resize(1 << bits, 0);
        for hash in hashes.clone() {
            if let Some(count) = self.ends.get_mut(group_of(hash)) {
                *count += 1;
            }
        }
        let mut start = 0;
        for end in &mut self.ends {
            start += std::mem::replace(end, start);
        }
        self.indices.clear();
        self.indices.resize(hashes.len(), 0);
        for (index, hash) in (0..).zip(hashes) {
            if let Some(end) = self.ends.get_mut(group_of(hash))
                && let Some(place) = self.indices.get_mut(to_usize(*end))
            {
                *place = index;
                *end += 1;
            }
        }
    }

    /// Each group that is not empty.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut [u32]> {
        let mut rest = self.indices.as_mut_slice();
        let mut start = 0;
        self.ends.iter().filter_map(move |&end| {
            let length = to_usize(end - std::mem::replace(&mut start, end));
            rest.split_off_mut(..length)
                .filter(|group| !group.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::HashGroups;

    /// The groups, each as its indices.
    fn gathered(hashes: &[u64]) -> Vec<Vec<u32>> {
        let mut groups = HashGroups::default();
        // What was gathered before is forgotten.
        groups.gather([u64::MAX; 3].into_iter());
        groups.gather(hashes.iter().copied());
        groups.iter_mut().map(|group| group.to_vec()).collect()
    }

    #[test]
    fn hashes_that_begin_alike_are_side_by_side() {
        assert_eq!(gathered(&[]), Vec::<Vec<u32>>::new());
        assert_eq!(gathered(&[7]), [[0]]);
        let (low, high) = (1, u64::MAX);
        assert_eq!(gathered(&[high, low, high]), [vec![1], vec![0, 2]]);
    }

    #[test]
    fn every_index_is_in_the_group_of_its_hash_whatever_their_number() {
        for count in [2_u64, 3, 4095, 4096, 4097, 20_000] {
            let spread: Vec<u64> = (0..count)
                .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                .collect();
            let groups = gathered(&spread);
            let hash = |index: &u32| spread.get(crate::bytes::to_usize(*index)).copied();
            assert!(
                groups
                    .concat()
                    .is_sorted_by_key(|index| hash(index).map(|hash| hash >> 52))
            );
            let mut indices = groups.concat();
            indices.sort_unstable();
            assert!(indices.into_iter().map(u64::from).eq(0..count));
            assert!(
                groups.len() > groups.concat().len().min(4096) / 2,
                "{count}"
            );
        }
    }

    #[test]
    fn one_hash_is_one_group_in_order() {
        let groups = gathered(&[0x1234_5678_9abc_def0; 5000]);
        assert!(groups.into_iter().flatten().eq(0..5000));
    }
}
