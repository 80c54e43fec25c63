//! The files of this machine, and of what is mounted there.

mod ahead;
mod create;
mod entries;
mod open;
mod page_cache;
mod reader;
mod walk;

pub(crate) use entries::DirectoryEntries;

use super::{
    AtPath as _, Created, FileSystemId, Listed, Listing, NewObject, Object, ObjectId,
    ObjectIdentity, OpenError, Store,
};
use crate::monitor::Monitor;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The store of all paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

impl Store for FileSystem {
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
        match path_of(location) {
            Ok(path) => walk::walk(path, monitor),
            Err(error) => Listing::refused(location, "", &error),
        }
    }

    /// Regular files only, and those alone that can be looked at: it was not asked for them.
    fn list_beside(&self, id: &ObjectId, _: &dyn Monitor) -> Listing {
        let directory = match id.as_path().and_then(Path::parent) {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        };
        let entries = DirectoryEntries::of(directory).into_iter().flatten();
        let objects = entries.filter_map(|entry| {
            let path = directory.join(entry.ok()?.name);
            let metadata = std::fs::symlink_metadata(&path).ok()?;
            metadata.is_file().then(|| Listed {
                id: path.into(),
                identity: (&metadata).into(),
                target_name: None,
            })
        });
        Listing {
            objects: objects.collect(),
            ..Listing::default()
        }
    }

    fn create(
        &self,
        id: &ObjectId,
        new: &NewObject<'_>,
        monitor: &dyn Monitor,
    ) -> io::Result<Created> {
        create::create(path_of(id)?, new, monitor)
    }

    fn try_to_create(&self, id: &ObjectId) -> io::Result<()> {
        create::try_to_create(path_of(id)?)
    }

    fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity> {
        let metadata = std::fs::metadata(path_of(id)?)?;
        if !metadata.is_file() {
            let reason = format!("{}, not a regular file", open::describe(&metadata));
            return Err(io::Error::new(ErrorKind::InvalidInput, reason));
        }
        Ok((&metadata).into())
    }

    fn file_system(&self, location: &ObjectId) -> Option<FileSystemId> {
        let path = location.as_path()?;
        let kind = rustix::fs::statfs(path).ok()?.f_type;
        let number = rustix::fs::statvfs(path).ok()?.f_fsid;
        let kind = u64::try_from(kind).ok()?;
        Some(FileSystemId { kind, number })
    }

    fn open(
        &self,
        id: &ObjectId,
        _: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError> {
        let path = path_of(id).at_path("open", id)?;
        Ok(Box::new(open::open_regular(id, path)?))
    }
}

fn path_of(id: &ObjectId) -> io::Result<&Path> {
    let no_path = || io::Error::new(ErrorKind::Unsupported, "not a path");
    id.as_path().ok_or_else(no_path)
}
