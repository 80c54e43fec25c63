//! One member of an archive, opened again.

use super::read::{ArchiveKind, ArchiveReader};
use super::step::ArchiveStep;
use crate::source::packed::{PackedStream, PackingBudget};
use crate::source::{
    IoError, Object, ObjectId, ObjectIdentity, OpenError, Pace, PageCache, ReadAt, Store,
};
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::OnceLock;

/// A member, however deep, of an object that is open. It has no bytes of its own: each reading goes through the archive
/// up to it.
#[derive(Debug)]
struct MemberObject {
    id: ObjectId,
    outermost: Box<dyn Object>,
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
) -> Result<Box<dyn Object>, OpenError> {
    let outermost = store.open(id.outermost(), listed)?;
    let id = id.clone();
    Ok(Box::new(MemberObject {
        id,
        outermost,
        positions: OnceLock::new(),
    }))
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
            let mut stream = PackedStream::new(self.outermost.reader(pace)?);
            for (name, position) in names(&self.id).into_iter().zip(positions) {
                stream = enter(stream, Path::new(name), *position)?;
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
        for name in &names {
            let mut stream =
                PackedStream::new(self.outermost.reader(Pace::Ahead(PageCache::Keep))?);
            for (name, position) in names.iter().zip(&positions) {
                stream = enter(stream, Path::new(name), *position)?;
            }
            positions.push(last_of(stream, Path::new(name))?);
        }
        Ok(self.positions.get_or_init(|| positions))
    }
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

/// How many members of this name stand before the last one.
fn last_of(stream: PackedStream<'static>, name: &Path) -> io::Result<u64> {
    let (mut archive, _) = open_archive(stream)?;
    let mut count: u64 = 0;
    loop {
        match archive.step() {
            Ok(ArchiveStep::File { path, .. }) if path == name => count += 1,
            Ok(ArchiveStep::File { .. } | ArchiveStep::PassedOver { .. }) => {}
            // What stands behind it nobody can unpack.
            Ok(ArchiveStep::Defect { .. } | ArchiveStep::End) | Err(_) => {
                return Ok(count.saturating_sub(1));
            }
        }
    }
}

type OpenArchive = (ArchiveReader<Box<dyn Read + Send>>, PackingBudget);

fn open_archive(stream: PackedStream<'static>) -> io::Result<OpenArchive> {
    let mut stream = stream.unpack()?;
    let kind = ArchiveKind::of(stream.head(super::read::HEAD_BYTES)?)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "it is no archive any more"))?;
    let below = stream.below()?;
    Ok((ArchiveReader::new(stream.into_reader(), kind), below))
}

/// Goes to a member of the archive that a stream is, behind so many of the same name.
fn enter(
    stream: PackedStream<'static>,
    name: &Path,
    position: u64,
) -> io::Result<PackedStream<'static>> {
    let (mut archive, below) = open_archive(stream)?;
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
