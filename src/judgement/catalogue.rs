//! What the catalogue remembers against what is there now.

use super::notes::Replacement;
use crate::backup::Located;
use crate::finding::{Code, Finding, Severity};
use crate::instant::rfc3339_seconds;
use crate::inventory::UnreadableFile;
use crate::source::ReplacedMeanwhile;

/// `file-missing`: no place of a half is left.
pub(super) fn file_missing<T>(half: &Located<T>) -> Option<Finding> {
    if half.is_present {
        return None;
    }
    let places: Vec<String> = half.places().map(ToString::to_string).collect();
    let message = format!("{} is no longer there", half.path);
    let remedy = format!(
        "bring {} back, or drop the record with etcd-cat forget",
        half.path
    );
    Some(
        Finding::new(Code::FileMissing, message)
            .with("paths", places)
            .remedy(remedy),
    )
}

/// `file-changed`: something else was verified under this name before.
///
/// Where a copy is as it was, it is only told. So it is for a name without a stamp that holds something sound and newer:
/// this is how it is used.
pub(super) fn file_changed(replacement: &Replacement) -> Finding {
    let before = &replacement.before;
    let verified = before
        .verified_at
        .map_or_else(String::new, |at| format!(" at {}", rfc3339_seconds(at)));
    let path = replacement.path.to_string();
    let finding = if replacement.is_rotation {
        let message = format!(
            "{path} holds a newer backup than the one verified there{verified}: each run writes to this name"
        );
        let remedy = "nothing, if only the newest backup is to be kept; else let the job put the time into the name";
        Finding::new(Code::FileChanged, message)
            .severity(Severity::Info)
            .remedy(remedy)
    } else if let Some(untouched) = &replacement.untouched {
        let message = format!(
            "{path} holds other bytes than those verified{verified}, whose digest was {}; {untouched} holds the same now \
             and was not overwritten",
            before.digest
        );
        let remedy = format!("find out who wrote {path}; use {untouched}");
        Finding::new(Code::FileChanged, message)
            .severity(Severity::Info)
            .remedy(remedy)
    } else {
        let message = format!(
            "{path} holds other bytes than those verified{verified}, whose digest was {}",
            before.digest
        );
        let remedy = format!(
            "find out who wrote {path}; if the change was meant, drop the old record with etcd-cat forget"
        );
        Finding::new(Code::FileChanged, message).remedy(remedy)
    };
    finding
        .with("path", path)
        .with("digestBefore", before.digest.to_string())
}

/// `unreadable`, or `changed-while-reading` where another object took the name meanwhile.
pub(super) fn unreadable(file: &UnreadableFile) -> Finding {
    let path = &file.path;
    let place = file
        .offset
        .map_or_else(String::new, |offset| format!(" at offset {offset}"));
    let (code, message) = if ReplacedMeanwhile::is_told_by(&file.reason) {
        let message = format!("{path} changed while it was read");
        (Code::ChangedWhileReading, message)
    } else {
        let message = format!("cannot read {path}{place}: {}", file.reason);
        (Code::Unreadable, message)
    };
    let finding = Finding::new(code, message)
        .with("path", path.to_string())
        .with("reason", file.reason.as_str());
    match file.offset {
        Some(offset) => finding.with("offset", offset),
        None => finding,
    }
}
