//! The header of a redb file: a flipped bit in it makes a reader serve the commit before the last, which is whole and
//! sound, and says nothing of what was recorded since.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 9 | 1 | flags: 1 which slot is the last commit, 2 not closed, 8 not flushed |
//! | 64, 192 | 128 | commit slots |
//! | 104 of a slot | 8 | number of the commit, little-endian |

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

const FLAGS: usize = 9;
const SECOND_IS_LAST: u8 = 1;
const IS_OPEN: u8 = 2;
const IS_UNFLUSHED: u8 = 8;
const SLOTS: [usize; 2] = [64, 192];
const NUMBER: usize = 104;
const HEADER_BYTES: usize = 320;

/// True where a file that was closed names another commit than its last. A writer would go on from it.
pub(super) fn names_an_earlier_commit(path: &Path) -> bool {
    let mut header = [0; HEADER_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && is_earlier(&header) == Some(true)
}

/// Names the last commit in the copy of such a file.
pub(super) fn name_last_commit(bytes: &mut [u8]) {
    let is_swapped = is_earlier(bytes) == Some(true);
    if let Some(flags) = bytes.get_mut(FLAGS).filter(|_| is_swapped) {
        if *flags & IS_UNFLUSHED == 0 {
            *flags ^= SECOND_IS_LAST;
        }
        *flags &= !IS_UNFLUSHED;
    }
}

fn is_earlier(header: &[u8]) -> Option<bool> {
    let flags = header.get(FLAGS)?;
    let [first, second] = SLOTS.map(|slot| number(header, slot));
    let (named, other) = if flags & SECOND_IS_LAST == 0 {
        (first?, second?)
    } else {
        (second?, first?)
    };
    Some(flags & IS_OPEN == 0 && (named < other || flags & IS_UNFLUSHED != 0))
}

fn number(header: &[u8], slot: usize) -> Option<u64> {
    let bytes = header.get(slot + NUMBER..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}
