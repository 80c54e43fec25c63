//! Defects of an archive in the words of the contract.

use super::gzip::GzipDefect;
use super::member::ROOT;
use crate::finding::{Artifact, Code, Finding, Severity};
use crate::source::TarDefect;

/// What the reading of the gzip streams came upon.
pub(super) fn gzip_finding(defect: &GzipDefect) -> Finding {
    let corrupt = |message: String, offset: u64| {
        Finding::new(Code::KuberesourcesCorrupt, message).with("offset", offset)
    };
    match defect {
        GzipDefect::Io { offset, text } => {
            let message = format!("cannot read on at byte {offset}: {text}");
            Finding::new(Code::Unreadable, message)
                .artifact(Artifact::Kuberesources)
                .with("offset", *offset)
        }
        GzipDefect::Truncated { offset: 0 } => corrupt("the file is empty".to_owned(), 0),
        GzipDefect::Truncated { offset } => corrupt(
            format!("file ends inside the gzip stream, at byte {offset}"),
            *offset,
        ),
        GzipDefect::Damaged { offset, text } => corrupt(
            format!("gzip stream is damaged near byte {offset}: {text}"),
            *offset,
        ),
        GzipDefect::TrailingGarbage { offset } => corrupt(
            format!(
                "bytes behind the gzip stream, from byte {offset}: tar unpacks it and exits 2, which stops cluster-restore.sh"
            ),
            *offset,
        ),
        GzipDefect::ZeroPadding { offset } => {
            let message = format!(
                "zero bytes behind the gzip stream, from byte {offset}: gzip passes over them"
            );
            corrupt(message, *offset).severity(Severity::Warning)
        }
        GzipDefect::TooLarge { limit_bytes } => {
            let message =
                format!("inflates to more than {limit_bytes} bytes: not read any further");
            Finding::new(Code::KuberesourcesUnsafe, message).with("limitBytes", *limit_bytes)
        }
        GzipDefect::Ratio { ratio, limit } => {
            let message = format!(
                "inflates to {ratio} times its size, expected at most {limit}: not read any further"
            );
            Finding::new(Code::KuberesourcesUnsafe, message).with("ratio", *ratio)
        }
    }
}

/// What the walk over the tar came upon.
pub(super) fn tar_finding(defect: &TarDefect) -> Finding {
    let corrupt = |message: String, offset: u64| {
        Finding::new(Code::KuberesourcesCorrupt, message).with("inflatedOffset", offset)
    };
    match *defect {
        TarDefect::Header { offset } => {
            corrupt(format!("no tar header at inflated byte {offset}"), offset)
        }
        TarDefect::Truncated { offset } => corrupt(
            format!("tar ends inside a member, at inflated byte {offset}"),
            offset,
        ),
        TarDefect::EndMissing { offset } => {
            let message = format!(
                "tar ends at inflated byte {offset} without its two end blocks: members may be missing"
            );
            corrupt(message, offset)
        }
        TarDefect::BehindEnd { offset } => corrupt(
            format!("bytes behind the end of the tar, from inflated byte {offset}"),
            offset,
        ),
        TarDefect::Name { offset, size_bytes } => {
            let message =
                format!("name or extended header of {size_bytes} bytes at inflated byte {offset}");
            Finding::new(Code::KuberesourcesUnsafe, message).with("inflatedOffset", offset)
        }
        TarDefect::Members { limit } => {
            let message = format!("more than {limit} members: not read any further");
            Finding::new(Code::KuberesourcesUnsafe, message).with("limit", limit)
        }
    }
}

/// Findings of one kind beyond those that are told.
pub(super) fn left_out(code: Code, count: u64) -> Finding {
    Finding::new(code, format!("{count} more of this kind")).with("count", count)
}

/// The file had another length than was read.
pub(super) fn size_finding(
    expected: u64,
    found: u64,
    defect: Option<&GzipDefect>,
) -> Option<Finding> {
    let is_io = matches!(defect, Some(GzipDefect::Io { .. }));
    if expected == found || is_io {
        return None;
    }
    let message = format!("file had {expected} bytes and {found} were read");
    let finding =
        Finding::new(Code::ChangedWhileReading, message).artifact(Artifact::Kuberesources);
    Some(finding.with("expected", expected).with("found", found))
}

/// Somebody took the gzip off: a client that unpacks what it downloads.
pub(super) fn plain_tar() -> Finding {
    let message = "a plain tar, which is not compressed any more: cluster-restore.sh runs tar -xzf on it, which fails";
    let remedy =
        "compress it again, nothing is lost: gzip -n < FILE > static_kuberesources_STAMP.tar.gz";
    Finding::new(Code::KuberesourcesCorrupt, message).remedy(remedy)
}

/// A snapshot lies in the archive.
pub(super) fn combined() -> Finding {
    let message = format!(
        "snapshot.db lies in the archive beside {ROOT}: a whole backup in one file, as OpenShift 4.3.0 and 4.3.1 wrote it"
    );
    let remedy = "nothing: the snapshot in it is read as a file of its own, FILE!/snapshot.db";
    Finding::new(Code::KuberesourcesIncomplete, message)
        .severity(Severity::Info)
        .remedy(remedy)
}
