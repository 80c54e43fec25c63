//! SHA-256 as the chain of blocks that it is, so that two chains can take turns on one core.
//!
//! Each round waits for the one before, longer than a processor with instructions for SHA-256 needs to begin another.
//! A block of a second stream fills the wait: two streams in turns take three quarters of the time that they take one
//! after the other (`benches/pass.rs` shows it).

use crate::bytes::{to_u64, to_usize};
use crate::digest::Sha256Digest;
use sha2::block_api::compress256;

const BLOCK_BYTES: usize = 64;
/// The last bytes of the last block are the length of all, in bits.
const LENGTH_BYTES: usize = 8;

/// FIPS 180-4, 5.3.3.
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The digest of a stream, under way.
#[derive(Clone)]
pub(super) struct Sha256 {
    state: [u32; 8],
    /// Bytes that do not fill a block yet.
    pending: Vec<u8>,
    length_bytes: u64,
}

impl Sha256 {
    pub(super) fn new() -> Self {
        Self {
            state: INITIAL_STATE,
            pending: Vec::with_capacity(BLOCK_BYTES),
            length_bytes: 0,
        }
    }

    /// Bytes hashed so far.
    pub(super) fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let (blocks, rest) = self.align(bytes);
        compress256(&mut self.state, blocks);
        self.pending.extend_from_slice(rest);
    }

    /// Takes the next bytes of two streams.
    pub(super) fn update_both(&mut self, bytes: &[u8], other: &mut Self, other_bytes: &[u8]) {
        let (blocks, rest) = self.align(bytes);
        let (other_blocks, other_rest) = other.align(other_bytes);
        let turns = blocks.len().min(other_blocks.len());
        let (blocks, behind) = blocks.split_at_checked(turns).unwrap_or_default();
        let (other_blocks, other_behind) = other_blocks.split_at_checked(turns).unwrap_or_default();
        for (block, other_block) in blocks.chunks(1).zip(other_blocks.chunks(1)) {
            compress256(&mut self.state, block);
            compress256(&mut other.state, other_block);
        }
        compress256(&mut self.state, behind);
        compress256(&mut other.state, other_behind);
        self.pending.extend_from_slice(rest);
        other.pending.extend_from_slice(other_rest);
    }

    /// Completes the block that is pending, and cuts what comes behind it into blocks and a rest.
    fn align<'b>(&mut self, bytes: &'b [u8]) -> (&'b [[u8; BLOCK_BYTES]], &'b [u8]) {
        self.length_bytes += to_u64(bytes.len());
        let missing = (BLOCK_BYTES - self.pending.len()) % BLOCK_BYTES;
        let (head, behind) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.pending.extend_from_slice(head);
        if self.pending.len() == BLOCK_BYTES {
            compress256(&mut self.state, self.pending.as_chunks().0);
            self.pending.clear();
        }
        behind.as_chunks()
    }

    pub(super) fn finish(mut self) -> Sha256Digest {
        // FIPS 180-4, 5.1.1: a bit, zeros, and the length in bits.
        let length_bits = self.length_bytes.wrapping_mul(8);
        let used = to_usize(self.length_bytes % to_u64(BLOCK_BYTES)) + 1 + LENGTH_BYTES;
        self.pending.push(0x80);
        let zeros = used.next_multiple_of(BLOCK_BYTES) - used;
        self.pending.extend(std::iter::repeat_n(0, zeros));
        self.pending.extend(length_bits.to_be_bytes());
        compress256(&mut self.state, self.pending.as_chunks().0);
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Sha256Digest(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::Sha256;
    use sha2::Digest as _;

    fn bytes(length: usize, seed: usize) -> Vec<u8> {
        (0..length)
            .map(|i| u8::try_from((i * 31 + seed) % 251).expect("below 251"))
            .collect()
    }

    fn expected(bytes: &[u8]) -> [u8; 32] {
        sha2::Sha256::digest(bytes).into()
    }

    #[test]
    fn one_stream_of_any_length_in_any_steps() {
        for length in (0..260).chain([4095, 4096, 4097, 100_000]) {
            let bytes = bytes(length, 1);
            for step in [1, 3, 32, 63, 64, 65, 1000] {
                let mut sha = Sha256::new();
                bytes.chunks(step).for_each(|chunk| sha.update(chunk));
                assert_eq!(sha.length_bytes(), u64::try_from(length).expect("small"));
                assert_eq!(sha.finish().0, expected(&bytes), "{length} bytes by {step}");
            }
        }
    }

    #[test]
    fn two_streams_in_turns_hash_as_each_does_alone() {
        for (one_length, other_length) in [(0, 0), (1, 200), (64, 64), (1000, 63), (5000, 4097)] {
            for (one_step, other_step) in [(1, 64), (63, 65), (1000, 128), (96, 4096)] {
                let (first, second) = (bytes(one_length, 1), bytes(other_length, 2));
                let (mut one, mut other) = (Sha256::new(), Sha256::new());
                let mut one_chunks = first.chunks(one_step);
                let mut other_chunks = second.chunks(other_step);
                for _ in 0..6000 {
                    let chunk = one_chunks.next().unwrap_or_default();
                    let other_chunk = other_chunks.next().unwrap_or_default();
                    one.update_both(chunk, &mut other, other_chunk);
                }
                assert_eq!(one.finish().0, expected(&first));
                assert_eq!(other.finish().0, expected(&second));
            }
        }
    }
}
