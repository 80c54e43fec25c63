//! A database or an archive that was changed on its way as if it were text, or that begins behind other bytes.

use super::recognised::{Foreign, ForeignKind};
use crate::bytes::to_u64;

/// Bytes in front that are looked through.
const LOOKED_THROUGH: usize = 64 << 10;
/// bbolt's magic number, from a little-endian and from a big-endian machine, with the version behind it.
const MAGICS: [[u8; 8]; 2] = [
    [0xED, 0xDA, 0x0C, 0xED, 2, 0, 0, 0],
    [0xED, 0x0C, 0xDA, 0xED, 0, 0, 0, 2],
];
/// The magic number stands behind the header of its page.
const PAGE_HEADER_BYTES: usize = 16;
/// Page 0 is a meta page: its own number, and the flag of a meta page.
const HEADERS: [[u8; 10]; 2] = [
    [0, 0, 0, 0, 0, 0, 0, 0, 4, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 4],
];

/// What stands before the data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LeadingBytes {
    /// How many bytes.
    pub(crate) length: u64,
    /// They are printable.
    pub(crate) is_text: bool,
}

/// The bytes before the first page of a database, if there are some and such a page comes.
pub(crate) fn leading_bytes(head: &[u8]) -> Option<LeadingBytes> {
    let head = head.get(..LOOKED_THROUGH).unwrap_or(head);
    let mut from = 1;
    loop {
        let length = from + head.get(from..)?.windows(26).position(is_first_page)?;
        let before = head.get(..length)?;
        let is_text = before
            .iter()
            .all(|byte| matches!(*byte, b'\t' | b'\n' | b'\r' | 0x1B | b' '..=b'~'));
        // Zeros in front of a page look like its header: the page begins as late as it can.
        let next = head.get(length + 1..).unwrap_or_default();
        if next.len() >= 26 && next.get(..26).is_some_and(is_first_page) {
            from = length + 1;
            continue;
        }
        return Some(LeadingBytes {
            length: to_u64(length),
            is_text,
        });
    }
}

/// The header of page 0 with a meta page's magic behind it.
fn is_first_page(window: &[u8]) -> bool {
    let has_magic = window
        .get(PAGE_HEADER_BYTES..)
        .is_some_and(|rest| MAGICS.iter().any(|magic| rest.starts_with(magic)));
    has_magic && HEADERS.iter().any(|header| window.starts_with(header))
}

pub(super) fn recognise(head: &[u8]) -> Option<Foreign> {
    let what = if is_utf16(head) {
        "rewritten as UTF-16 text, as PowerShell's > does"
    } else if has_at(
        head,
        PAGE_HEADER_BYTES,
        b"\xEF\xBF\xBD\xEF\xBF\xBD\x0C\xEF\xBF\xBD\x02",
    ) || head.starts_with(b"\x1F\xEF\xBF\xBD\x08")
    {
        "rewritten as UTF-8 text: every byte that is no text was replaced by the same three"
    } else if has_at(head, PAGE_HEADER_BYTES, b"\xC3\xAD\xC3\x9A\x0C\xC3\xAD\x02")
        || head.starts_with(b"\x1F\xC2\x8B\x08")
    {
        "rewritten from Latin-1 to UTF-8 text"
    } else {
        return None;
    };
    Some(Foreign::new(
        ForeignKind::TextModeDamage,
        what,
        "transfer it again as it is: binary mode, no console and no text between (oc cp, scp, oc exec without -t)",
    ))
}

/// Begins with a byte order mark, and the database or the archive in every second byte.
fn is_utf16(head: &[u8]) -> bool {
    let halves = |first: usize| -> Vec<u8> {
        let bytes = head.iter().skip(2 + first).step_by(2);
        bytes.take(32).copied().collect()
    };
    let (own, other) = match head {
        [0xFF, 0xFE, ..] => (halves(0), halves(1)),
        [0xFE, 0xFF, ..] => (halves(1), halves(0)),
        _ => return false,
    };
    let is_archive = own.starts_with(b"\x1F") && own.get(2) == Some(&8);
    let is_database = own.starts_with(&[0; 8]) && own.get(8) == Some(&4);
    (is_archive || is_database) && other.iter().filter(|byte| **byte == 0).count() > 16
}

fn has_at(head: &[u8], offset: usize, bytes: &[u8]) -> bool {
    head.get(offset..)
        .is_some_and(|rest| rest.starts_with(bytes))
}
