//! Bytes on their way from a store to whoever reads them, in pieces that are used over and over.
//!
//! Memory that goes back to the system and is asked for again is cleared by it each time, page by page; and what an allocator
//! keeps between large blocks of several threads is as much again as a few of them.

use std::sync::{Mutex, PoisonError};

/// Bytes of a piece.
pub(super) const PIECE_BYTES: usize = 1 << 20;
/// Pieces that are kept while nobody has a use for them.
const MOST_FREE: usize = 64;

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Bytes that are filled in at one end of the way and read at the other.
#[derive(Debug)]
pub(super) struct Piece(Vec<u8>);

impl Piece {
    /// For as much as it can hold of so many bytes.
    pub(super) fn for_some_of(bytes: u64) -> Self {
        match usize::try_from(bytes) {
            Ok(bytes) if bytes < PIECE_BYTES => Self(Vec::with_capacity(bytes)),
            _ => {
                let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
                Self(free.unwrap_or_else(|| Vec::with_capacity(PIECE_BYTES)))
            }
        }
    }

    /// Fills bytes in, and says for which of them there is no room.
    pub(super) fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = self.0.capacity().saturating_sub(self.0.len());
        let (fitting, rest) = bytes.split_at(room.min(bytes.len()));
        self.0.extend_from_slice(fitting);
        rest
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() == self.0.capacity()
    }

    pub(super) fn filled(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        if bytes.capacity() != PIECE_BYTES {
            return;
        }
        bytes.clear();
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST_FREE {
            free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_in_comes_out() {
        let mut piece = Piece::for_some_of(5);
        assert_eq!(piece.fill(b"abc"), b"");
        assert!(!piece.is_full());
        assert_eq!(piece.fill(b"defg"), b"fg");
        assert!(piece.is_full());
        assert_eq!(piece.filled(), b"abcde");
        let mut long = Piece::for_some_of(u64::MAX);
        let bytes = vec![7; PIECE_BYTES + 1];
        assert_eq!((long.fill(&bytes), long.is_full()), ([7].as_slice(), true));
        drop(long);
        assert_eq!(
            Piece::for_some_of(1 << 30).filled(),
            b"",
            "it is used again"
        );
    }
}
