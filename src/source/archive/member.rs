//! One member of an archive, opened again.

use super::read::{ArchiveKind, ArchiveReader};
use super::step::ArchiveStep;
use crate::source::packed::PackedStream;
use crate::source::{IoError, Object, ObjectId, ObjectIdentity, OpenError, Pace, ReadAt, Store};
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// A member, however deep, of an object that is open. It has no bytes of its own: each reading goes through the archive
/// up to it.
#[derive(Debug)]
struct MemberObject {
    id: ObjectId,
    outermost: Box<dyn Object>,
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
    Ok(Box::new(MemberObject { id, outermost }))
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
        let mut stream = PackedStream::new(self.outermost.reader(pace)?);
        for name in names(&self.id) {
            stream = enter(stream, Path::new(name))
                .map_err(|source| io::Error::new(source.kind(), failure(&self.id, source)))?;
        }
        Ok(stream.into_reader())
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

/// Goes to the first member of this name in the archive that a stream is.
fn enter(stream: PackedStream<'static>, name: &Path) -> io::Result<PackedStream<'static>> {
    let mut stream = stream.unpack()?;
    let kind = ArchiveKind::of(stream.head(super::read::HEAD_BYTES)?)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "it is no archive any more"))?;
    let below = stream.below()?;
    let mut archive = ArchiveReader::new(stream.into_reader(), kind);
    loop {
        match archive.step()? {
            ArchiveStep::File { path, .. } if path == name => {
                return Ok(below.stream(Box::new(archive)));
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
