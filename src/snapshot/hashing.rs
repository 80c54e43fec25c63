//! SHA-256 of a stream whose last 32 bytes may be the digest of all before them.

use super::sha256::Sha256;
use crate::bbolt::Layout;
use crate::bytes::{to_u64, to_usize};
use crate::digest::Sha256Digest;

/// Length of the trailer.
pub(super) const TRAILER_BYTES: u64 = 32;

/// Hashes everything but the 32 bytes seen last.
pub(super) struct TrailerHasher {
    sha: Sha256,
    held: Vec<u8>,
    /// Where the meta page says that the data ends.
    data_end: Option<u64>,
    at_data_end: Option<Sha256>,
    behind_data_end: Vec<u8>,
}

/// What a stream hashed to.
pub(super) struct Hashed {
    /// Length of the stream.
    pub(super) size_bytes: u64,
    /// SHA-256 of all bytes.
    pub(super) whole: Sha256Digest,
    /// SHA-256 of all bytes but the trailer.
    pub(super) computed: Sha256Digest,
    /// The trailer, where the length says that there is one.
    pub(super) trailer: Option<Sha256Digest>,
    /// The stream goes on behind the data, and the 32 bytes behind it are the data's digest.
    pub(super) is_whole_before_trailing_data: bool,
    /// Then: that digest.
    pub(super) before_trailing_data: Option<Sha256Digest>,
    /// SHA-256 of all bytes with `computed` behind them: of the whole file, had a trailer been lost.
    pub(super) with_own_digest: Sha256Digest,
}

impl TrailerHasher {
    pub(super) fn new() -> Self {
        let (held, behind_data_end) = (Vec::with_capacity(64), Vec::with_capacity(32));
        Self {
            sha: Sha256::new(),
            held,
            data_end: None,
            at_data_end: None,
            behind_data_end,
        }
    }

    pub(super) fn update(&mut self, chunk: &[u8]) {
        let body = self.hold(chunk);
        self.absorb(body);
    }

    /// Takes the next chunks of two streams, their blocks in turns.
    pub(super) fn update_both(&mut self, chunk: &[u8], other: &mut Self, other_chunk: &[u8]) {
        let body = self.hold(chunk);
        let other_body = other.hold(other_chunk);
        if self.reaches_data_end(body) || other.reaches_data_end(other_body) {
            self.absorb(body);
            other.absorb(other_body);
        } else {
            self.sha.update_both(body, &mut other.sha, other_body);
        }
    }

    /// Absorbs what was held, holds the last bytes of `chunk`, and returns those before them.
    #[must_use]
    fn hold<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let is_first = self.held.is_empty();
        if is_first {
            self.expect_data_end(chunk);
        }
        let tail = to_usize(TRAILER_BYTES).min(chunk.len());
        let (body, held) = chunk
            .split_at_checked(chunk.len() - tail)
            .unwrap_or_default();
        let surplus = (self.held.len() + chunk.len())
            .saturating_sub(to_usize(TRAILER_BYTES))
            .min(self.held.len());
        let flushed: Vec<u8> = self.held.drain(..surplus).collect();
        self.absorb(&flushed);
        self.held.extend_from_slice(held);
        body
    }

    /// The first chunk holds both meta pages: they tell where the data ends.
    fn expect_data_end(&mut self, first_chunk: &[u8]) {
        if let Ok(layout) = Layout::find(first_chunk) {
            self.data_end = layout.meta.size_bytes();
        }
    }

    /// Is the end of the data among the next `bytes`, or has it been passed?
    fn reaches_data_end(&self, bytes: &[u8]) -> bool {
        let end = self.sha.length_bytes() + to_u64(bytes.len());
        self.data_end.is_some_and(|data_end| data_end < end)
    }

    fn absorb(&mut self, bytes: &[u8]) {
        let begin = self.sha.length_bytes();
        let cut = self
            .data_end
            .filter(|cut| (begin..begin + to_u64(bytes.len())).contains(cut));
        let (before, behind) = match cut {
            Some(cut) => bytes
                .split_at_checked(to_usize(cut - begin))
                .unwrap_or_default(),
            None => (bytes, Default::default()),
        };
        self.sha.update(before);
        if cut.is_some() {
            self.at_data_end = Some(self.sha.clone());
        } else if self.at_data_end.is_some() {
            self.note_behind(before);
        }
        self.note_behind(behind);
        self.sha.update(behind);
    }

    fn note_behind(&mut self, bytes: &[u8]) {
        let missing =
            to_usize(TRAILER_BYTES) - self.behind_data_end.len().min(to_usize(TRAILER_BYTES));
        self.behind_data_end.extend(bytes.iter().take(missing));
    }

    pub(super) fn finish(mut self) -> Hashed {
        let size_bytes = self.sha.length_bytes() + to_u64(self.held.len());
        let held = std::mem::take(&mut self.held);
        // etcd's own rule, `hasChecksum` in etcdutl/snapshot/v3_snapshot.go.
        let trailer = if size_bytes % 512 == TRAILER_BYTES {
            <[u8; 32]>::try_from(held.as_slice()).ok()
        } else {
            None
        };
        self.note_behind_if_cut(&held);
        let data = self.at_data_end.take().map(Sha256::finish);
        let before_trailing_data = data.filter(|data| data.0.as_slice() == self.behind_data_end);
        let before_held = self.sha.clone();
        self.sha.update(&held);
        let mut with_own_digest = self.sha.clone();
        let whole = self.sha.finish();
        let computed = match trailer {
            Some(_) => before_held.finish(),
            None => whole,
        };
        with_own_digest.update(&computed.0);
        Hashed {
            size_bytes,
            whole,
            computed,
            trailer: trailer.map(Sha256Digest),
            is_whole_before_trailing_data: before_trailing_data.is_some(),
            before_trailing_data,
            with_own_digest: with_own_digest.finish(),
        }
    }

    fn note_behind_if_cut(&mut self, held: &[u8]) {
        if self.at_data_end.is_some() {
            self.note_behind(held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TrailerHasher;
    use sha2::{Digest, Sha256};

    fn hash(bytes: &[u8], step: usize, data_end: Option<u64>) -> super::Hashed {
        let mut hasher = TrailerHasher::new();
        hasher.data_end = data_end;
        bytes.chunks(step).for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    }

    #[test]
    fn the_trailer_is_held_back_however_the_bytes_arrive() {
        let mut bytes = vec![7; 1024];
        bytes.extend(Sha256::digest(&bytes));
        for step in [1, 5, 31, 32, 33, 512, 4096] {
            let hashed = hash(&bytes, step, None);
            assert_eq!(hashed.size_bytes, 1056);
            assert_eq!(hashed.trailer, Some(hashed.computed), "in steps of {step}");
        }
    }

    #[test]
    fn without_a_trailer_everything_is_hashed() {
        for length in [0, 1, 31, 33, 512, 1000] {
            let bytes = vec![3; length];
            let hashed = hash(&bytes, 7, None);
            assert_eq!(hashed.trailer, None);
            assert_eq!(
                hashed.computed.0.as_slice(),
                Sha256::digest(&bytes).as_slice()
            );
        }
    }

    #[test]
    fn data_followed_by_its_digest_and_garbage_is_recognised() {
        let mut bytes = vec![7; 1024];
        bytes.extend(Sha256::digest(&bytes));
        for garbage in [1, 31, 32, 33, 512] {
            let mut longer = bytes.clone();
            longer.extend(vec![9; garbage]);
            for step in [1, 100, 4096] {
                assert!(
                    hash(&longer, step, Some(1024)).is_whole_before_trailing_data,
                    "{garbage} in steps of {step}"
                );
            }
        }
    }
}
