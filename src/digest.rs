//! Digests and checksums as values: SHA-256 of whole files, CRC-32C that can be joined, FNV-1a of meta pages.

use crc_fast::CrcAlgorithm;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A SHA-256 digest; displays as 64 lower-case hex digits.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Sha256Digest(pub [u8; 32]);

impl Sha256Digest {
    /// The first 12 hex digits: what people call a backup by.
    pub fn id(&self) -> String {
        let beginning = self.0.get(..6).unwrap_or_default();
        data_encoding::HEXLOWER.encode(beginning)
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

/// FNV-1a, 64 bits: the checksum of a bbolt meta page.
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

/// FNV-1, 32 bits: names of keys are made of it.
pub(crate) fn fnv1_32(bytes: &[u8]) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    bytes.iter().fold(OFFSET_BASIS, |hash, &byte| {
        hash.wrapping_mul(PRIME) ^ u32::from(byte)
    })
}

/// CRC-32C of some bytes with their length, so that the parts of a whole can be hashed in any order and joined.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Crc32c {
    /// The checksum as etcd prints it (initial value and final complement applied).
    pub value: u32,
    /// How many bytes it covers.
    pub length: u64,
}

impl Crc32c {
    /// Checksum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            value: crc_fast::crc32_iscsi(bytes),
            length: crate::bytes::to_u64(bytes.len()),
        }
    }

    /// Checksum of what `self` covers, followed by `bytes`.
    #[must_use]
    pub fn followed_by(self, bytes: &[u8]) -> Self {
        let state = u64::from(!self.value);
        let mut whole = crc_fast::Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, state);
        whole.update(bytes);
        Self {
            // A checksum of 32 bits, in a word that has room for any.
            value: u32::try_from(whole.finalize()).unwrap_or_default(),
            length: self.length + crate::bytes::to_u64(bytes.len()),
        }
    }
}

/// Joins checksums of neighbours: the checksum of `A || B` from those of `A` and `B`.
///
/// Appending `n` bytes multiplies a CRC by x^(8n) modulo the polynomial. The factors for lengths below
/// 4,096 bytes (a page) and for multiples of it come from two tables, so that a join is one or two
/// multiplications.
#[derive(Debug)]
pub(crate) struct CrcJoiner {
    /// x^(8 i)
    small: Vec<u32>,
    /// x^(8 * 4096 i)
    large: Vec<u32>,
}

/// The Castagnoli polynomial, reflected.
const POLYNOMIAL: u32 = 0x82f6_3b78;
/// The polynomial 1, reflected.
const ONE: u32 = 0x8000_0000;
/// Length of both tables.
const STEPS: usize = 4096;

impl CrcJoiner {
    /// Computes both tables (some 8,000 multiplications).
    pub(crate) fn new() -> Self {
        // Reflected: the top bit is x^0, so x^8 is eight places below it.
        let small = powers(ONE >> 8);
        let large = powers(small.last().map_or(ONE, |&last| multiply(last, ONE >> 8)));
        Self { small, large }
    }

    /// The checksum of what `left` covers followed by what `right` covers.
    pub(crate) fn join(&self, left: Crc32c, right: Crc32c) -> Crc32c {
        Crc32c {
            value: multiply(left.value, self.shift(right.length)) ^ right.value,
            length: left.length + right.length,
        }
    }

    fn shift(&self, length: u64) -> u32 {
        let steps = crate::bytes::to_u64(STEPS);
        let small = self.power(&self.small, length % steps);
        let mut high = length / steps;
        if high == 0 {
            return small;
        }
        let mut factor = multiply(small, self.power(&self.large, high % steps));
        high /= steps;
        if high > 0 {
            // Joins of 16 MiB and more are rare (totals of whole buckets): square and multiply.
            let mut base = multiply(
                self.power(&self.large, steps - 1),
                self.power(&self.large, 1),
            );
            while high > 0 {
                if high & 1 == 1 {
                    factor = multiply(factor, base);
                }
                base = multiply(base, base);
                high >>= 1;
            }
        }
        factor
    }

    fn power(&self, table: &[u32], exponent: u64) -> u32 {
        table
            .get(crate::bytes::to_usize(exponent))
            .copied()
            .unwrap_or(ONE)
    }
}

impl Default for CrcJoiner {
    fn default() -> Self {
        Self::new()
    }
}

/// `base`^0, `base`^1, ... modulo the polynomial.
fn powers(base: u32) -> Vec<u32> {
    std::iter::successors(Some(ONE), |&power| Some(multiply(power, base)))
        .take(STEPS)
        .collect()
}

/// Product of two polynomials modulo [`POLYNOMIAL`], all reflected.
fn multiply(left: u32, right: u32) -> u32 {
    let mut product = 0;
    let mut right = right;
    for bit in (0..32).rev() {
        product ^= right & 0_u32.wrapping_sub((left >> bit) & 1);
        right = (right >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(right & 1));
    }
    product
}

#[cfg(test)]
mod tests {
    use super::{Crc32c, CrcJoiner, fnv1_32, fnv1a_64};

    #[test]
    fn joined_checksums_equal_the_checksum_of_the_whole() {
        let joiner = CrcJoiner::new();
        let bytes: Vec<u8> = (0..40_000_000_u32)
            .map(|i| u8::try_from(i * 7 % 251).expect("below 251"))
            .collect();
        for cut in [
            0, 1, 17, 4095, 4096, 4097, 70_000, 17_000_000, 39_999_999, 40_000_000,
        ] {
            let (left, right) = bytes.split_at(cut);
            assert_eq!(
                joiner.join(Crc32c::of(left), Crc32c::of(right)),
                Crc32c::of(&bytes),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn checksums_of_known_texts() {
        assert_eq!(Crc32c::of(b"123456789").value, 0xe306_9283);
        assert_eq!(Crc32c::of(b"1234").followed_by(b"56789").value, 0xe306_9283);
        assert_eq!(fnv1a_64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1_32(b""), 0x811c_9dc5);
        assert_eq!(fnv1_32(b"a"), 0x050c_5d7e);
        assert_eq!(fnv1_32(b"foobar"), 0x31f0_b262);
    }
}
