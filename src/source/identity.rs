//! What tells, from outside, that an object is the one that was read before.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// What an object looked like, without reading it. Equal identities: nobody wrote to it in between.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum ObjectIdentity {
    /// A file of this machine.
    File(FileIdentity),
    /// An object in a store that tells its versions apart.
    Tagged(TaggedIdentity),
}

/// Attributes of a file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct FileIdentity {
    /// Device that holds it.
    pub device: u64,
    /// Inode on that device.
    pub inode: u64,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Modification time: seconds since 1970, may be negative.
    pub modified_seconds: i64,
    /// Modification time: nanoseconds of that second.
    pub modified_nanoseconds: u32,
}

/// Attributes of an object in a store.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TaggedIdentity {
    /// Its `ETag`, without quotes.
    pub tag: Box<str>,
    /// Its version, where the store keeps several.
    pub version: Option<Box<str>>,
    /// Length in bytes.
    pub size_bytes: u64,
    /// When it was written: seconds since 1970, may be negative.
    pub modified_seconds: i64,
    /// When it was written: nanoseconds of that second.
    pub modified_nanoseconds: u32,
}

/// Which file system a directory lies on, as far as a mount and the next one of the same can be told to be one.
///
/// The device number is no part of it: network file systems get another one with every mount.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileSystemId {
    /// What kind of file system: its magic number.
    pub kind: u64,
    /// Its own number; 0 where it has none.
    pub number: u64,
}

impl FileSystemId {
    /// Certainly not the same.
    pub fn is_other_than(&self, other: &Self) -> bool {
        let are_numbered = self.number != 0 && other.number != 0;
        self.kind != other.kind || (are_numbered && self.number != other.number)
    }
}

impl FileIdentity {
    /// The same file by its own word, whatever number its device has now.
    pub(crate) fn is_same_on_another_device(&self, other: &Self) -> bool {
        Self {
            device: other.device,
            ..*self
        } == *other
    }

    /// Taken from the attributes of a file.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified_seconds: metadata.mtime(),
            modified_nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
        }
    }
}

impl ObjectIdentity {
    /// Length in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.size_bytes,
            Self::Tagged(object) => object.size_bytes,
        }
    }

    /// When it was written last: seconds since 1970 and nanoseconds of that second.
    pub fn modified(&self) -> (i64, u32) {
        match self {
            Self::File(file) => (file.modified_seconds, file.modified_nanoseconds),
            Self::Tagged(object) => (object.modified_seconds, object.modified_nanoseconds),
        }
    }

    /// When its store received it, by the clock of the store; `None` for a file, whose times are set by whoever copies it.
    pub fn received_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::File(_) => None,
            Self::Tagged(_) => self.modified_at(),
        }
    }

    /// When it was written last; `None` past the calendar's end.
    pub fn modified_at(&self) -> Option<DateTime<Utc>> {
        let (seconds, nanoseconds) = self.modified();
        DateTime::from_timestamp(seconds, nanoseconds)
    }
}

impl From<FileIdentity> for ObjectIdentity {
    fn from(file: FileIdentity) -> Self {
        Self::File(file)
    }
}

impl From<&Metadata> for ObjectIdentity {
    fn from(metadata: &Metadata) -> Self {
        FileIdentity::of(metadata).into()
    }
}
