//! One member of an archive, opened again.

use super::kind::{ArchiveKind, HEAD_BYTES};
use super::last_members::{LastMembers, Names};
use super::read::ArchiveReader;
use super::step::ArchiveStep;
use crate::monitor::Silent;
use crate::source::packed::{PackedStream, PackingBudget};
use crate::source::{
    IoError, Object, ObjectId, ObjectIdentity, OpenError, Pace, PageCache, ReadAt, Store,
};
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A member, however deep, of an object that is open. It has no bytes of its own: each reading goes through the archive
/// up to it.
#[derive(Debug)]
struct MemberObject {
    id: ObjectId,
    outermost: Arc<dyn Object>,
    /// It can be read here and there.
    is_near: bool,
    last: Arc<LastMembers>,
    /// Which member of its name is meant, in each archive on the way to it.
    positions: OnceLock<Vec<u64>>,
}

/// Opens a member. What is opened is the archive; whether the member is in it shows when it is read.
///
/// # Errors
///
/// The archive cannot be opened.
pub(in crate::source) fn open_member(
    id: &ObjectId,
    listed: Option<&ObjectIdentity>,
    store: &dyn Store,
    last: &Arc<LastMembers>,
) -> Result<Box<dyn Object>, OpenError> {
    let outermost = Arc::from(store.open(id.outermost(), listed)?);
    let is_near = store.is_near(id.outermost());
    let id = id.clone();
    Ok(Box::new(MemberObject {
        id,
        outermost,
        is_near,
        last: Arc::clone(last),
        positions: OnceLock::new(),
    }))
}

/// Shows every file of an archive, in its order, as far as it can be read. Of several of one name each is shown.
///
/// # Errors
///
/// The archive cannot be opened.
pub(in crate::source) fn each_member(
    archive: &ObjectId,
    page_cache: PageCache,
    store: &dyn Store,
    last: &Arc<LastMembers>,
    visit: &mut dyn FnMut(&ObjectId, &mut dyn Read),
) -> io::Result<()> {
    let (mut members, _) = if archive.archive().is_some() {
        let opened = open_member(archive, None, store, last).map_err(io::Error::other)?;
        open_archive(PackedStream::new(opened.reader(Pace::Ahead(page_cache))?))?
    } else {
        let opened = Arc::from(store.open(archive, None).map_err(io::Error::other)?);
        open_outermost(&opened, store.is_near(archive), page_cache)?
    };
    loop {
        match members.step() {
            Ok(ArchiveStep::File { path, .. }) => {
                visit(&archive.member(path.as_os_str()), &mut members);
            }
            Ok(ArchiveStep::PassedOver { .. }) => {}
            // The end, or damage: what was met before it is all that there is.
            Ok(ArchiveStep::Defect { .. } | ArchiveStep::End) | Err(_) => return Ok(()),
        }
    }
}

impl ReadAt for MemberObject {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut reader = self.reader(Pace::OneByOne)?;
        let skipped = io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
        if skipped < offset {
            return Ok(0);
        }
        reader.read(buffer)
    }
}

impl Object for MemberObject {
    fn identity(&self) -> &ObjectIdentity {
        self.outermost.identity()
    }

    fn identity_now(&self) -> io::Result<ObjectIdentity> {
        self.outermost.identity_now()
    }

    fn reader(&self, pace: Pace) -> io::Result<Box<dyn Read + Send>> {
        let found = self.positions().and_then(|positions| {
            let mut names = names(&self.id).into_iter().zip(positions);
            let page_cache = match pace {
                Pace::Ahead(page_cache) => page_cache,
                Pace::OneByOne => PageCache::Keep,
            };
            let outermost = open_outermost(&self.outermost, self.is_near, page_cache)?;
            let Some((name, position)) = names.next() else {
                return Err(ErrorKind::NotFound.into());
            };
            let mut stream = enter(outermost, Path::new(name), *position)?;
            for (name, position) in names {
                stream = enter(open_archive(stream)?, Path::new(name), *position)?;
            }
            Ok(stream.into_reader())
        });
        found.map_err(|source| io::Error::new(source.kind(), failure(&self.id, source)))
    }
}

impl MemberObject {
    /// Of several members of one name the last is meant: unpacking leaves that one. Which it is shows only at the end of the
    /// archive.
    fn positions(&self) -> io::Result<&[u64]> {
        if let Some(positions) = self.positions.get() {
            return Ok(positions);
        }
        let names = names(&self.id);
        let mut positions = Vec::new();
        for (archive, last) in archives(&self.id).into_iter().zip(&names) {
            let identity = self.outermost.identity();
            let known = self.last.before_last(archive, identity, last);
            let position = match known {
                Some(position) => position,
                None => {
                    let counted = self.count(&names, &positions, last)?;
                    let position = counted.before_last(last).unwrap_or_default();
                    self.last.keep(archive, identity, counted);
                    position
                }
            };
            positions.push(position);
        }
        Ok(self.positions.get_or_init(|| positions))
    }

    /// Goes through the archive that so many names lead to.
    fn count(&self, names: &[&OsStr], positions: &[u64], wanted: &OsStr) -> io::Result<Names> {
        let mut archive = open_outermost(&self.outermost, self.is_near, PageCache::Keep)?;
        for (name, position) in names.iter().zip(positions) {
            archive = open_archive(enter(archive, Path::new(name), *position)?)?;
        }
        Ok(names_in(archive, wanted))
    }
}

/// The outermost archive: a zip by its directory where that can be had.
fn open_outermost(
    outermost: &Arc<dyn Object>,
    is_near: bool,
    page_cache: PageCache,
) -> io::Result<OpenArchive> {
    if is_near {
        let size_bytes = outermost.identity().size_bytes();
        let object = Arc::clone(outermost);
        let zip = ArchiveReader::of_zip(object, size_bytes, page_cache, &Silent)?;
        if let Some(zip) = zip {
            return Ok(zip);
        }
    }
    open_archive(PackedStream::new(
        outermost.reader(Pace::Ahead(page_cache))?,
    ))
}

fn failure(id: &ObjectId, source: io::Error) -> IoError {
    IoError {
        action: "find",
        id: id.clone(),
        source,
    }
}

/// The names on the way to a member, that in the outermost archive first.
fn names(id: &ObjectId) -> Vec<&OsStr> {
    let mut names = Vec::new();
    let mut inner = id;
    while let Some((archive, name)) = inner.archive() {
        names.push(name);
        inner = archive;
    }
    names.reverse();
    names
}

/// The archives on the way to a member, the outermost first.
fn archives(id: &ObjectId) -> Vec<&ObjectId> {
    let on_the_way = std::iter::successors(id.archive(), |(archive, _)| archive.archive());
    let mut archives: Vec<&ObjectId> = on_the_way.map(|(archive, _)| archive).collect();
    archives.reverse();
    archives
}

/// How often each name is there, this one above all.
fn names_in((mut archive, _): OpenArchive, wanted: &OsStr) -> Names {
    let mut names = Names::default();
    loop {
        match archive.step() {
            Ok(ArchiveStep::File { path, .. }) => names.count(path.as_os_str(), path == wanted),
            Ok(ArchiveStep::PassedOver { .. }) => {}
            // What stands behind it nobody can unpack.
            Ok(ArchiveStep::Defect { .. } | ArchiveStep::End) | Err(_) => return names,
        }
    }
}

type OpenArchive = (ArchiveReader<'static>, PackingBudget);

fn open_archive(stream: PackedStream<'static>) -> io::Result<OpenArchive> {
    let mut stream = stream.unpack()?;
    let kind = ArchiveKind::of(stream.head(HEAD_BYTES)?)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "it is no archive any more"))?;
    let below = stream.below()?;
    Ok((ArchiveReader::new(stream.into_reader(), kind), below))
}

/// Goes to a member of an archive, behind so many of the same name.
fn enter(
    (mut archive, below): OpenArchive,
    name: &Path,
    position: u64,
) -> io::Result<PackedStream<'static>> {
    let mut before = 0;
    loop {
        match archive.step()? {
            ArchiveStep::File { path, .. } if path == name => {
                if before == position {
                    return Ok(below.stream(Box::new(archive)));
                }
                before += 1;
            }
            ArchiveStep::Defect { reason, .. } => return Err(io::Error::other(reason)),
            ArchiveStep::End => {
                let reason = "the archive has no such member any more";
                return Err(io::Error::new(ErrorKind::NotFound, reason));
            }
            ArchiveStep::File { .. } | ArchiveStep::PassedOver { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Monitor;
    use crate::source::Listing;
    use crate::source::memory::MemoryBucket;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how often an object is read from its beginning.
    #[derive(Debug)]
    struct CountingStore(MemoryBucket, Arc<AtomicUsize>);

    #[derive(Debug)]
    struct CountingObject(Box<dyn Object>, Arc<AtomicUsize>);

    impl Store for CountingStore {
        fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
            self.0.list(location, monitor)
        }

        fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing {
            self.0.list_beside(id, monitor)
        }

        fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity> {
            self.0.stat(id)
        }

        fn open(
            &self,
            id: &ObjectId,
            listed: Option<&ObjectIdentity>,
        ) -> Result<Box<dyn Object>, OpenError> {
            let object = self.0.open(id, listed)?;
            Ok(Box::new(CountingObject(object, Arc::clone(&self.1))))
        }
    }

    impl ReadAt for CountingObject {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.0.read_at(buffer, offset)
        }
    }

    impl Object for CountingObject {
        fn identity(&self) -> &ObjectIdentity {
            self.0.identity()
        }

        fn identity_now(&self) -> io::Result<ObjectIdentity> {
            self.0.identity_now()
        }

        fn reader(&self, pace: Pace) -> io::Result<Box<dyn Read + Send>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.reader(pace)
        }
    }

    fn tar(members: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        for (name, text) in members {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(crate::bytes::to_u64(text.len()));
            let appended = builder.append_data(&mut header, name, text.as_bytes());
            appended.expect("memory");
        }
        builder.into_inner().expect("memory")
    }

    #[test]
    fn members_of_one_archive_are_counted_in_one_pass() {
        let bucket = MemoryBucket::default();
        let archive = ObjectId::parse(OsStr::new("mem://b/x.tar"));
        bucket.put(
            &archive,
            &tar(&[("a", "old"), ("b", "second"), ("a", "new")]),
        );
        let passes = Arc::new(AtomicUsize::new(0));
        let store = CountingStore(bucket, Arc::clone(&passes));
        let last = Arc::default();
        let read = |name: &str| {
            let id = archive.member(OsStr::new(name));
            let opened = open_member(&id, None, &store, &last).expect("it is there");
            let mut text = String::new();
            let mut reader = opened.reader(Pace::OneByOne).expect("it is there");
            reader.read_to_string(&mut text).expect("text");
            text
        };
        assert_eq!(read("a"), "new");
        assert_eq!(passes.load(Ordering::Relaxed), 2, "to count, and to read");
        assert_eq!(read("b"), "second");
        assert_eq!(passes.load(Ordering::Relaxed), 3, "to read");
        // Another archive under the same name is counted anew.
        store
            .0
            .put(&archive, &tar(&[("b", "other"), ("b", "last")]));
        assert_eq!(read("b"), "last");
        assert_eq!(passes.load(Ordering::Relaxed), 5);
    }
}
