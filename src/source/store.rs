//! The door: what every place that holds backups can be asked.

use super::{Custody, FileSystemId, IoError, ObjectId, ObjectIdentity};
use crate::bytes::{to_u64, to_usize};
use crate::monitor::Monitor;
use std::ffi::OsString;
use std::fmt::{self, Debug};
use std::io::{self, Read};
use std::ops::Range;

/// A place that holds objects. Everything waits until it is answered; several threads may ask at a time.
pub trait Store: Debug + Send + Sync {
    /// Everything below a location, or the one object that it is. Opens none of them.
    ///
    /// What cannot be listed is no error: it is told among the rest.
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing;

    /// What lies right beside an object: those in the same directory, and not below it.
    fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing;

    /// What an object looks like now.
    ///
    /// # Errors
    ///
    /// There is none, or the store refuses.
    fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity>;

    /// Opens an object for reading, never waiting for anybody to write to it.
    ///
    /// `listed` is what it looked like in a listing, if it was in one: a store may spare itself a question for that, and
    /// may refuse what is another object by now.
    ///
    /// # Errors
    ///
    /// There is none, the store refuses, or it is nothing that can be read to an end.
    fn open(
        &self,
        id: &ObjectId,
        listed: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError>;

    /// Creates an object that is whole under its name, or not there at all. What has the name already stays, and is told as
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists).
    ///
    /// Nothing new is begun once the monitor asks to stop: then, as after any failure, what was begun is removed.
    ///
    /// # Errors
    ///
    /// The name is taken, the store refuses or cannot be written to, or the monitor asked to stop
    /// ([`Interrupted`](io::ErrorKind::Interrupted)).
    fn create(
        &self,
        _id: &ObjectId,
        _new: &NewObject<'_>,
        _monitor: &dyn Monitor,
    ) -> io::Result<Created> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Removes what a process that was killed has left of an object that it was creating; `upload` is what it was told then.
    ///
    /// # Errors
    ///
    /// The store refuses.
    fn give_up(&self, _id: &ObjectId, _upload: &str) -> io::Result<()> {
        Ok(())
    }

    /// Could an object be created under this name, as far as can be told without one?
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    fn try_to_create(&self, _id: &ObjectId) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Which file system a location lies on; `None` where there is no such thing, or it is not there.
    fn file_system(&self, _location: &ObjectId) -> Option<FileSystemId> {
        None
    }

    /// How an object is kept, as the store said when it was asked about the object or for its bytes last: that is told once it
    /// has been read. What its clock shows is told as soon as anything was asked. `None` where nothing was said.
    fn custody(&self, _id: &ObjectId) -> Option<Custody> {
        None
    }

    /// False where each question goes over a network: then a list believes what was remembered.
    fn is_near(&self, _id: &ObjectId) -> bool {
        true
    }
}

/// Bytes that can be read anywhere.
pub trait ReadAt {
    /// Reads some bytes at an offset; none only at the end, or into no space.
    ///
    /// # Errors
    ///
    /// The store refuses, the object is another one by now, or the disk is bad there.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Reads a part from its first byte to its last, or to where the bytes end, the fastest way that there is; `None` where
    /// [`read_at`](Self::read_at) is that.
    fn part_reader(
        &self,
        _part: Range<u64>,
        _page_cache: PageCache,
    ) -> Option<Box<dyn Read + Send>> {
        None
    }
}

impl ReadAt for std::fs::File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut rest = self.get(to_usize(offset)..).unwrap_or_default();
        rest.read(buffer)
    }
}

/// What is to become an object.
pub struct NewObject<'n> {
    /// Its bytes.
    pub bytes: &'n dyn ReadAt,
    /// How many there are.
    pub size_bytes: u64,
    /// Told what the store calls an upload, before any of its parts is sent: a later process can give it up.
    pub begun: &'n dyn Fn(&str) -> io::Result<()>,
}

impl Debug for NewObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewObject")
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// An object that was created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Created {
    /// What it looks like.
    pub identity: ObjectIdentity,
    /// Its version, where the store keeps several.
    pub version: Option<String>,
    /// The store was told to refuse a name that is taken. False: it knows no such condition, and somebody who took the
    /// name between the last look and the last word would have been replaced.
    pub is_new_only: bool,
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn part_reader(&self, part: Range<u64>, page_cache: PageCache) -> Option<Box<dyn Read + Send>> {
        (**self).part_reader(part, page_cache)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for std::sync::Arc<T> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn part_reader(&self, part: Range<u64>, page_cache: PageCache) -> Option<Box<dyn Read + Send>> {
        (**self).part_reader(part, page_cache)
    }
}

/// Fills `buffer` unless the object ends before; says how much of it is filled.
pub(crate) fn read_full_at(
    object: &(impl ReadAt + ?Sized),
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match object.read_at(rest, offset.saturating_add(to_u64(length))) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Where each question goes over a network, an object of no more bytes is small: one question brings all of it.
pub(crate) const SMALL_BYTES: u64 = 1 << 20;

/// An open object. Whoever replaces it meanwhile changes nothing for those who read it here: they get the bytes of the one
/// that was opened, or an error, and never bytes of both.
pub trait Object: ReadAt + Debug + Send + Sync {
    /// What it looked like when it was opened.
    fn identity(&self) -> &ObjectIdentity;

    /// What it looks like now, by whatever name.
    ///
    /// # Errors
    ///
    /// The store refuses.
    fn identity_now(&self) -> io::Result<ObjectIdentity>;

    /// Reads from the first byte to the last, the fastest way that the store has.
    ///
    /// # Errors
    ///
    /// As [`ReadAt::read_at`].
    fn reader(&self, pace: Pace) -> io::Result<Box<dyn Read + Send>>;

    /// For whoever will read all of it: a store that asks for each range over a network brings a small object as a whole, and
    /// keeps its bytes as long as it is open.
    ///
    /// # Errors
    ///
    /// As [`ReadAt::read_at`].
    fn bring(&self) -> io::Result<()> {
        Ok(())
    }

    /// All its bytes came with one answer, which named the object that was opened: it cannot have changed while it was read.
    fn came_at_once(&self) -> bool {
        false
    }
}

/// How an object is read from end to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// It may be large: several requests in flight, and this becomes of the page cache.
    Ahead(PageCache),
    /// It is small: one request after the other.
    OneByOne,
}

/// Whether bytes that had to be brought into the page cache may stay there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PageCache {
    /// As the system sees fit.
    #[default]
    Keep,
    /// They are dropped again, where the system allows it.
    Drop,
}

/// What a store has at a location.
#[derive(Debug, Default)]
pub struct Listing {
    /// The objects, in any order.
    pub objects: Vec<Listed>,
    /// What may hold more, and was not looked into, in any order.
    pub left_out: Vec<LeftOut>,
    /// The monitor asked to stop; the lists hold what was found until then.
    pub is_interrupted: bool,
}

/// An object of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// What it is called; for a symbolic link the path of the link.
    pub id: ObjectId,
    /// What it looks like, links resolved.
    pub identity: ObjectIdentity,
    /// For a symbolic link: the name of what it leads to.
    pub target_name: Option<OsString>,
}

/// Something that was not looked into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// What it is called.
    pub id: ObjectId,
    /// Why: lower case, no final period, with the system's words where the system refused.
    pub reason: String,
    /// What kind of thing it is.
    pub cause: Cause,
}

/// Why something was left out of a listing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// It should have been readable, and the system or the store said this: the listing is incomplete.
    Refused(io::ErrorKind),
    /// A symbolic link that leads nowhere: nothing is missing unless its name says so.
    LeadsNowhere,
    /// Nothing that can be read to an end.
    NoObject,
    /// It lies in the archive of its store, and is to be restored there before it can be read.
    Archived,
}

/// An object could not be opened for reading.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Not something that can be read to its end.
    #[error("{id} is {found}, expected a regular file")]
    NotRegular {
        /// The object.
        id: ObjectId,
        /// What it is.
        found: &'static str,
    },
}

impl Listing {
    /// Of a location that could not be looked into: why, in the program's words in front of those of the store.
    pub fn refused(location: &ObjectId, action: &str, error: &io::Error) -> Self {
        let left_out = LeftOut {
            id: location.clone(),
            reason: format!("{action}{error}"),
            cause: Cause::Refused(error.kind()),
        };
        Self {
            left_out: vec![left_out],
            ..Self::default()
        }
    }
}
