//! Is there room, here and on the host?

use super::error::OcError;
use super::options::BackupOptions;
use crate::oc::cluster::{ReasonCode, RefusalReason};
use crate::source::AtPath as _;
use std::fs::{DirBuilder, metadata};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

/// A kuberesources is below 1 MB; room for it and for what is written beside it.
const KUBERESOURCES_BYTES: u64 = 16 << 20;

/// The rule of cluster-etcd-operator (`backupstorage.go`): twice the database.
const HOST_FACTOR: u64 = 2;

/// Makes the destination directories, private to their owner. Existing ones stay as they are.
pub(super) fn make_directories(options: &BackupOptions) -> Result<(), OcError> {
    for directory in [&options.to, options.keys_directory()] {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(directory).at_path("create", directory)?;
        let is_writable = rustix::fs::access(directory, rustix::fs::Access::WRITE_OK);
        is_writable.at_path("write into", directory)?;
    }
    Ok(())
}

/// Free bytes that this user may fill.
fn free_bytes(directory: &Path) -> Result<u64, OcError> {
    let found = rustix::fs::statvfs(directory).at_path("measure", directory)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The snapshot comes out as large as the database, at most.
pub(super) fn local_reasons(
    options: &BackupOptions,
    database_bytes: u64,
) -> Result<Vec<RefusalReason>, OcError> {
    let keys_directory = options.keys_directory();
    let device = |path: &Path| {
        metadata(path)
            .at_path("read", path)
            .map(|found| found.dev())
    };
    let is_shared = device(&options.to)? == device(keys_directory)?;
    let mut needs = vec![(&options.to, database_bytes)];
    if is_shared {
        needs = vec![(
            &options.to,
            database_bytes.saturating_add(KUBERESOURCES_BYTES),
        )];
    } else {
        needs.push((keys_directory, KUBERESOURCES_BYTES));
    }
    let mut reasons = Vec::new();
    for (directory, needed) in needs {
        let free = free_bytes(directory)?;
        if free < needed {
            let shown = directory.display();
            let message = format!("{shown} has {free} bytes free, expected {needed}");
            reasons.push(RefusalReason::new(ReasonCode::NoSpaceLocal, message));
        }
    }
    Ok(reasons)
}

/// The host needs more than the file: etcd itself writes on the same partition.
pub(super) fn host_reason(
    directory: &str,
    free_bytes: u64,
    database_bytes: u64,
) -> Option<RefusalReason> {
    let needed = database_bytes.saturating_mul(HOST_FACTOR);
    let message = format!(
        "{directory} on the host has {free_bytes} bytes free, expected {needed} (twice the database)"
    );
    (free_bytes < needed).then(|| RefusalReason::new(ReasonCode::NoSpaceNode, message))
}

/// Available bytes in the output of `df -P -k`, which may have other lines around it.
///
/// ```text
/// Filesystem     1024-blocks     Used Available Capacity Mounted on
/// /dev/nvme0n1p4   125236204 30000000  95236204      24% /home
/// ```
pub(super) fn parse_df(output: &str) -> Option<u64> {
    output.lines().rev().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (_, _, available) = (fields.next()?, fields.next()?, fields.next()?);
        let capacity = fields.next()?;
        let kibibytes: u64 = capacity.ends_with('%').then(|| available.parse().ok())??;
        kibibytes.checked_mul(1024)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_space_is_read_among_other_lines() {
        let output = "warning: x\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda4 100 40 60 40% /home\n";
        assert_eq!(parse_df(output), Some(60 * 1024));
        assert_eq!(parse_df("df: /home: No such file or directory"), None);
    }

    #[test]
    fn the_host_needs_twice_the_database() {
        assert_eq!(host_reason("/home/core", 200, 100), None);
        let reason = host_reason("/home/core", 199, 100).expect("199 is less than 200");
        assert_eq!(reason.code, ReasonCode::NoSpaceNode);
    }
}
