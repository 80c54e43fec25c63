//! Creates a file: whole under its name or not there, for its owner alone.

use super::super::publish::{Temporary, rename_new, sync_directory};
use super::super::{Created, NewObject};
use crate::bytes::{to_u64, to_usize};
use crate::monitor::Monitor;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// So much is read before somebody looks whether it should go on.
const STEP_BYTES: u64 = 1 << 20;
/// Backups hold every Secret of a cluster.
const MODE: u32 = 0o600;

/// Creates the file of this path, and the directories above it.
pub(super) fn create(
    path: &Path,
    new: &NewObject<'_>,
    monitor: &dyn Monitor,
) -> io::Result<Created> {
    let directory = directory_of(path);
    make_directory(directory)?;
    if path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (temporary, mut file) = Temporary::create(directory, &name, MODE)?;
    let mut position = 0;
    while position < new.size_bytes {
        if monitor.is_interrupted() {
            return Err(io::Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        let mut bytes = vec![0; to_usize(STEP_BYTES.min(new.size_bytes - position))];
        let read = super::super::read_full_at(new.bytes, &mut bytes, position)?;
        if read < bytes.len() {
            let shorter = "it is shorter than it was";
            return Err(io::Error::new(ErrorKind::UnexpectedEof, shorter));
        }
        file.write_all(&bytes)?;
        position += to_u64(read);
        monitor.advance(to_u64(read));
    }
    file.sync_all()?;
    rename_new(temporary.path(), path)?;
    sync_directory(directory)?;
    Ok(Created {
        identity: (&path.metadata()?).into(),
        version: None,
        is_new_only: true,
    })
}

/// Can files be created beside this one?
pub(super) fn try_to_create(path: &Path) -> io::Result<()> {
    let directory = directory_of(path);
    make_directory(directory)?;
    Ok(rustix::fs::access(directory, rustix::fs::Access::WRITE_OK)?)
}

fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|path| !path.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory)
}
