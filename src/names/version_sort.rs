//! Version sort as `ls -v` of GNU coreutils does it: what cluster-restore.sh picks by.
//!
//! Written from the documented rules (coreutils manual, chapter *Version sort ordering*) and held against the real
//! `ls` by a test. RHEL 8 and 9 ship coreutils 8.30 and 8.32; coreutils 9.1 changed corners that real names do not
//! reach, so both sets of rules are here and [`Coreutils`] names them.

use std::cmp::Ordering;

/// Whose rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Coreutils {
    /// 8.x: RHEL 8 and 9.
    ///
    /// An ending may begin with a dot that nothing follows, `..` ends the search for an ending to its left for good,
    /// and endings count only if what stands before them is equal byte by byte.
    V8,
    /// 9.1 and later: RHEL 10.
    ///
    /// An ending is the longest match of `(\.[A-Za-z~][A-Za-z0-9~]*)*`, and endings count
    /// whenever what stands before them compares equal.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "hosts on RHEL 10 are to come; the rules are held against its ls already"
        )
    )]
    V9,
}

/// Compares two file names; equal only for equal bytes.
///
/// Hidden names have rules of their own that changed with every other release; the globs of cluster-restore.sh do not
/// match them, so they are ordered here like any others.
pub(super) fn compare(left: &[u8], right: &[u8], rules: Coreutils) -> Ordering {
    let order = match rules {
        Coreutils::V8 => compare_v8(left, right),
        Coreutils::V9 => compare_v9(left, right),
    };
    order.then_with(|| left.cmp(right))
}

fn compare_v8(left: &[u8], right: &[u8]) -> Ordering {
    let (left_stem, right_stem) = (stem_v8(left), stem_v8(right));
    let is_shortened = left_stem.len() < left.len() || right_stem.len() < right.len();
    if is_shortened && left_stem == right_stem {
        return compare_versions(left, right);
    }
    compare_versions(left_stem, right_stem)
}

fn compare_v9(left: &[u8], right: &[u8]) -> Ordering {
    let stems = compare_versions(stem_v9(left), stem_v9(right));
    stems.then_with(|| compare_versions(left, right))
}

/// Cuts the ending off, by the rules of 8.x: one scan that opens an ending at a dot and gives it up on a wrong byte.
fn stem_v8(name: &[u8]) -> &[u8] {
    let mut end = None;
    let mut is_after_dot = false;
    for (index, &byte) in name.iter().enumerate() {
        let is_letter = byte.is_ascii_alphabetic() || byte == b'~';
        if is_after_dot {
            is_after_dot = false;
            end = end.filter(|_| is_letter);
        } else if byte == b'.' {
            is_after_dot = true;
            end = end.or(Some(index));
        } else if !is_letter && !byte.is_ascii_digit() {
            end = None;
        }
    }
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// Cuts the longest ending off.
fn stem_v9(name: &[u8]) -> &[u8] {
    let mut stem = name;
    while let Some(dot) = stem.iter().rposition(|byte| *byte == b'.') {
        let extension = stem.get(dot.saturating_add(1)..).unwrap_or_default();
        if !is_extension(extension) {
            break;
        }
        stem = stem.get(..dot).unwrap_or_default();
    }
    stem
}

fn is_extension(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'~';
    let is_allowed = |byte: &u8| is_letter(byte) || byte.is_ascii_digit();
    text.first().is_some_and(is_letter) && text.iter().all(is_allowed)
}

/// Compares by turns a run without digits and a number, until one of them differs.
fn compare_versions(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_text, left_rest) = split_while(left, |byte| !byte.is_ascii_digit());
        let (right_text, right_rest) = split_while(right, |byte| !byte.is_ascii_digit());
        let (left_digits, left_rest) = split_while(left_rest, u8::is_ascii_digit);
        let (right_digits, right_rest) = split_while(right_rest, u8::is_ascii_digit);
        let texts = compare_texts(left_text, right_text);
        let order = texts.then_with(|| compare_numbers(left_digits, right_digits));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

/// `~` before the end, the end before letters, letters before all else.
fn compare_texts(left: &[u8], right: &[u8]) -> Ordering {
    let length = left.len().max(right.len());
    let weights = |text: &[u8]| {
        (0..length)
            .map(|index| weight(text.get(index)))
            .collect::<Vec<_>>()
    };
    weights(left).cmp(&weights(right))
}

fn weight(byte: Option<&u8>) -> (u8, u8) {
    match byte {
        Some(b'~') => (0, 0),
        None => (1, 0),
        Some(letter) if letter.is_ascii_alphabetic() => (2, *letter),
        Some(other) => (3, *other),
    }
}

/// Numbers of any length; no digits are zero.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let (_, left) = split_while(left, |byte| *byte == b'0');
    let (_, right) = split_while(right, |byte| *byte == b'0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn split_while(bytes: &[u8], is_part: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !is_part(byte));
    bytes
        .split_at_checked(end.unwrap_or(bytes.len()))
        .unwrap_or((bytes, &[]))
}

#[cfg(test)]
mod tests;
