//! What the catalogue remembers against what is there now.

use super::text::instant;
use crate::backup::Located;
use crate::finding::{Code, Finding};
use crate::inventory::{Replaced, UnreadableFile};
use std::path::PathBuf;

/// `file-missing`: no place of a half is left.
pub(super) fn file_missing<T>(half: &Located<T>) -> Option<Finding> {
    if half.is_present {
        return None;
    }
    let places: Vec<String> = half
        .places()
        .map(|place| place.display().to_string())
        .collect();
    let message = format!("{} is no longer there", half.path.display());
    let remedy = format!(
        "bring {} back, or drop the record with etcd-cat forget",
        half.path.display()
    );
    Some(
        Finding::new(Code::FileMissing, message)
            .with("paths", places)
            .remedy(remedy),
    )
}

/// `file-changed`: something else was verified under this name before.
pub(super) fn file_changed((path, before): &(PathBuf, Replaced)) -> Finding {
    let verified = before
        .verified_at
        .map_or_else(String::new, |at| format!(" at {}", instant(at)));
    let path = path.display().to_string();
    let message = format!(
        "{path} holds other bytes than those verified{verified}, whose digest was {}",
        before.digest
    );
    let remedy = format!(
        "find out who wrote {path}; if the change was meant, drop the old record with etcd-cat forget"
    );
    Finding::new(Code::FileChanged, message)
        .with("path", path)
        .with("digestBefore", before.digest.to_string())
        .remedy(remedy)
}

/// `unreadable`.
pub(super) fn unreadable(file: &UnreadableFile) -> Finding {
    let path = file.path.display();
    let place = file
        .offset
        .map_or_else(String::new, |offset| format!(" at offset {offset}"));
    let finding = Finding::new(
        Code::Unreadable,
        format!("cannot read {path}{place}: {}", file.reason),
    )
    .with("path", path.to_string())
    .with("reason", file.reason.as_str());
    match file.offset {
        Some(offset) => finding.with("offset", offset),
        None => finding,
    }
}
