//! Is a backup usable in spite of its errors?

use super::{Code, Severity};

/// What is wrong with the file as it lies, and with nothing that was saved.
const EXPLAINED: [Code; 7] = [
    Code::NotASnapshot,
    Code::Truncated,
    Code::TrailingData,
    Code::DigestMismatch,
    Code::DigestMissing,
    Code::OpenedSince,
    Code::Mended,
];

/// True when a known change that the digest proves explains every error: `stage` writes what was saved.
pub(crate) fn is_mended(
    marks: impl Iterator<Item = (Code, Severity)> + Clone,
    accepted: &[Code],
) -> bool {
    let is_proven = |code: Code| matches!(code, Code::OpenedSince | Code::Mended);
    let is_there = |code: Code| !matches!(code, Code::FileMissing | Code::Unreadable);
    let mut codes = marks.clone().map(|(code, _)| code);
    if !codes.clone().any(is_proven) || !codes.all(is_there) {
        return false;
    }
    let mut errors =
        marks.filter(|(code, severity)| *severity == Severity::Error && !accepted.contains(code));
    errors.all(|(code, _)| EXPLAINED.contains(&code))
}
