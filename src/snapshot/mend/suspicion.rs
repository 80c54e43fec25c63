//! Which changes could explain what is wrong with a file, by its first bytes and its length.

use super::how::{MendHow, Mended};
use crate::bbolt::{Layout, Pgid};
use crate::foreign::leading_bytes;
use crate::snapshot::hashing::{Hashed, TRAILER_BYTES};

/// Transactions of which each is tried, however large the file is: one run of `etcdutl hashkv` makes one (3.6) or two (3.7).
const MIN_TRANSACTIONS: u64 = 16;
/// The same of a small file: a script that ran every night for a month.
const MAX_TRANSACTIONS: u64 = 64;
/// Bytes hashed for all transactions together, as far as that is more than the least.
const MAX_HASHED_BYTES: u64 = 8 << 30;
/// First bytes that are looked at for line ends.
const LOOKED_AT: usize = 64 << 10;

/// What is to be tried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Suspect {
    /// One of these changes of the first bytes: the digest alone is computed of each, side by side.
    Heads(Vec<MendHow>),
    /// Everything has to be read as it was.
    Whole(MendHow),
    /// The first pass has proven it.
    Proven(Mended),
}

/// What could have happened; `None` where nothing is wrong with length and digest, or nothing known explains it.
pub(in crate::snapshot) fn suspects(
    head: &[u8],
    layout: Option<&Layout>,
    hashed: &Hashed,
) -> Option<Suspect> {
    let Some(layout) = layout else {
        let leading = leading_bytes(head).map(|leading| MendHow::Cut {
            start: leading.length,
        });
        let how = leading.or_else(|| has_line_ends(head).then_some(MendHow::LineEnds));
        return how.map(Suspect::Whole);
    };
    if hashed.trailer == Some(hashed.computed) {
        return None;
    }
    let data_bytes = layout.meta.size_bytes()?;
    let size_bytes = data_bytes.checked_add(TRAILER_BYTES)?;
    if let Some(digest) = hashed.before_trailing_data {
        let how = MendHow::Cut { start: 0 };
        return Some(Suspect::Proven(Mended {
            how,
            digest,
            size_bytes,
        }));
    }
    if hashed.size_bytes == size_bytes {
        return Some(Suspect::Heads(heads(layout)));
    }
    let is_longer = hashed.size_bytes > size_bytes;
    (is_longer && has_line_ends(head)).then_some(Suspect::Whole(MendHow::LineEnds))
}

fn heads(layout: &Layout) -> Vec<MendHow> {
    let head_bytes = u64::from(layout.meta.page_size).saturating_mul(2);
    if let Some((page, _)) = layout.other {
        let Pgid(page) = page;
        return vec![MendHow::MetaPage { head_bytes, page }];
    }
    let newest = layout.meta.txid;
    let transactions = layout
        .meta
        .size_bytes()
        .and_then(|bytes| MAX_HASHED_BYTES.checked_div(bytes))
        .unwrap_or_default()
        .clamp(MIN_TRANSACTIONS, MAX_TRANSACTIONS);
    let opened = (1..=transactions).filter_map(|by| {
        let txid = newest.checked_sub(by).filter(|txid| *txid > 0)?;
        Some(MendHow::Opened {
            head_bytes,
            txid,
            by,
        })
    });
    // A valid meta page of another transaction than it had: rewritten from the other one it may be right again.
    let rewritten = [0, 1].map(|page| MendHow::MetaPage { head_bytes, page });
    opened.chain(rewritten).collect()
}

/// Line feeds, and a carriage return before each.
fn has_line_ends(head: &[u8]) -> bool {
    let head = head.get(..LOOKED_AT).unwrap_or(head);
    let feeds = head.iter().filter(|byte| **byte == b'\n').count();
    let pairs = head.windows(2).filter(|pair| *pair == b"\r\n").count();
    feeds > 0 && feeds == pairs
}
