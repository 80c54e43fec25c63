//! One number for all that lives, whatever the order: equal where two members hold the same keys and values.

use serde::{Deserialize, Serialize};

/// A sum over every live key of what it holds: equal for equal keys, values and revisions, however pages, compactions and
/// stale versions lie. It is no proof against whoever wants two to be equal.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LiveDigest(pub u128);

impl LiveDigest {
    /// Adds one live key by what tells its newest version: the checksum of key and value, revisions, version.
    pub(super) fn add(&mut self, parts: [u64; 5]) {
        let high = u128::from(mixed(parts, 1)) << u64::BITS;
        self.join(Self(high | u128::from(mixed(parts, 2))));
    }

    /// Adds what was added to another one.
    pub(super) fn join(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

/// All parts spread over one word; another seed spreads them otherwise.
fn mixed(parts: [u64; 5], seed: u64) -> u64 {
    parts
        .into_iter()
        .fold(seed, |state, part| spread(state ^ part))
}

/// The output function of SplitMix64: one-to-one, and each bit of the input moves half of those of the output.
fn spread(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::LiveDigest;

    fn of(keys: &[[u64; 5]]) -> LiveDigest {
        let mut digest = LiveDigest::default();
        keys.iter().for_each(|key| digest.add(*key));
        digest
    }

    #[test]
    fn order_means_nothing_and_every_part_counts() {
        let keys = [[1, 2, 0, 2, 1], [5, 3, 0, 3, 1], [7, 4, 1, 2, 2]];
        let mut turned = keys;
        turned.reverse();
        assert_eq!(of(&keys), of(&turned));
        let mut halves = of(&keys[..1]);
        halves.join(of(&keys[1..]));
        assert_eq!(halves, of(&keys));
        let [first, second, third] = keys;
        for part in 0..5 {
            let mut other = second;
            other
                .iter_mut()
                .skip(part)
                .take(1)
                .for_each(|part| *part ^= 1);
            assert_ne!(of(&keys), of(&[first, other, third]), "{part}");
        }
        assert_ne!(of(&keys), of(&keys[1..]));
    }

    /// It is kept in catalogues: the same for ever.
    #[test]
    fn the_number_stays_what_it_is() {
        assert_eq!(of(&[]), LiveDigest(0));
        assert_eq!(
            of(&[[1, 2, 3, 4, 5]]).0,
            0xdba6_178f_e70a_efac_c65c_a547_3a4c_bd93
        );
    }
}
