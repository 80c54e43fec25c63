//! Bytes on their way from a store to whoever reads them, in pieces that are used over and over.
//!
//! Memory that goes back to the system and is asked for again is cleared by it each time, page by page; and what an allocator
//! keeps between large blocks of several threads is as much again as a few of them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

const PIECE_BYTES: usize = 1 << 20;
/// Pieces that are kept while nobody has a use for them.
const MOST_FREE: usize = 64;

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Bytes that are filled in at one end and read at the other.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    /// How many there are to be in all.
    expected: usize,
    /// How many were filled in.
    filled: usize,
    /// How far the first piece is read.
    position: usize,
}

impl Pieces {
    /// For so many bytes.
    pub(super) fn of(expected: usize) -> Self {
        Self {
            pieces: VecDeque::new(),
            expected,
            filled: 0,
            position: 0,
        }
    }

    /// How many bytes were filled in.
    pub(super) fn filled(&self) -> usize {
        self.filled
    }

    /// Fills bytes in; false where that would be more than were expected.
    pub(super) fn fill(&mut self, mut bytes: &[u8]) -> bool {
        if bytes.len() > self.expected.saturating_sub(self.filled) {
            return false;
        }
        while !bytes.is_empty() {
            let piece = match self.pieces.pop_back() {
                Some(piece) if piece.len() < piece.capacity() => piece,
                full => {
                    self.pieces.extend(full);
                    piece_for(self.expected.saturating_sub(self.filled))
                }
            };
            bytes = self.fill_piece(piece, bytes);
        }
        true
    }

    /// Fills one piece, and says what it has no room for.
    fn fill_piece<'b>(&mut self, mut piece: Vec<u8>, bytes: &'b [u8]) -> &'b [u8] {
        let room = piece.capacity().saturating_sub(piece.len());
        let (fitting, rest) = bytes.split_at(room.min(bytes.len()));
        piece.extend_from_slice(fitting);
        self.filled = self.filled.saturating_add(fitting.len());
        self.pieces.push_back(piece);
        rest
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.front() else {
            return Ok(0);
        };
        let mut rest = piece.get(self.position..).unwrap_or_default();
        let length = rest.read(buffer)?;
        self.position = self.position.saturating_add(length);
        if rest.is_empty() {
            self.position = 0;
            self.pieces.pop_front().into_iter().for_each(give_back);
        }
        Ok(length)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.pieces.drain(..).for_each(give_back);
    }
}

/// A piece for as much as it can hold of so many bytes.
fn piece_for(bytes: usize) -> Vec<u8> {
    if bytes < PIECE_BYTES {
        return Vec::with_capacity(bytes);
    }
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    free.unwrap_or_else(|| Vec::with_capacity(PIECE_BYTES))
}

fn give_back(mut piece: Vec<u8>) {
    if piece.capacity() != PIECE_BYTES {
        return;
    }
    piece.clear();
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if free.len() < MOST_FREE {
        free.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_in_comes_out() -> io::Result<()> {
        let bytes: Vec<u8> = (0..2_500_000_u32)
            .map(|byte| byte.to_le_bytes()[0])
            .collect();
        let mut pieces = Pieces::of(bytes.len());
        for part in bytes.chunks(700_001) {
            assert!(pieces.fill(part));
        }
        assert_eq!(pieces.filled(), bytes.len());
        assert!(!pieces.fill(b"x"), "that is more than were expected");
        let mut read = Vec::new();
        pieces.read_to_end(&mut read)?;
        assert!(read == bytes);
        Ok(())
    }
}
