//! One member of an archive, opened again.

use super::kind::{ArchiveKind, HEAD_BYTES};
use super::read::ArchiveReader;
use super::step::ArchiveStep;
use crate::source::packed::{PackedStream, PackingBudget};
use crate::source::{
    IoError, Object, ObjectId, ObjectIdentity, OpenError, Pace, PageCache, ReadAt, Store,
};
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Members beside another one that are told: more than any shop packs into one directory.
const MAX_BESIDE: usize = 10_000;

/// A member, however deep, of an object that is open. It has no bytes of its own: each reading goes through the archive
/// up to it.
#[derive(Debug)]
struct MemberObject {
    id: ObjectId,
    outermost: Arc<dyn Object>,
    /// It can be read here and there.
    is_near: bool,
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
    let outermost = Arc::from(store.open(id.outermost(), listed)?);
    let is_near = store.is_near(id.outermost());
    let id = id.clone();
    Ok(Box::new(MemberObject {
        id,
        outermost,
        is_near,
        positions: OnceLock::new(),
    }))
}

/// Members that lie beside another one in the same archive, in its order, as far as it can be read.
///
/// # Errors
///
/// The archive cannot be opened.
pub(in crate::source) fn members_beside(
    id: &ObjectId,
    pace: Pace,
    store: &dyn Store,
) -> io::Result<Vec<ObjectId>> {
    let Some((archive, name)) = id.archive() else {
        return Ok(Vec::new());
    };
    let opened = match archive.archive() {
        Some(_) => open_member(archive, None, store),
        None => store.open(archive, None),
    };
    let opened = opened.map_err(io::Error::other)?;
    let (mut members, _) = open_archive(PackedStream::new(opened.reader(pace)?))?;
    let name = Path::new(name);
    let mut found = Vec::new();
    while found.len() < MAX_BESIDE {
        match members.step() {
            Ok(ArchiveStep::File { path, .. })
                if path != name && path.parent() == name.parent() =>
            {
                found.push(archive.member(path.as_os_str()));
            }
            Ok(ArchiveStep::File { .. } | ArchiveStep::PassedOver { .. }) => {}
            // The end, or damage: what was met before it may hold the keys all the same.
            _ => break,
        }
    }
    Ok(found)
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
            let outermost = self.open_outermost(pace)?;
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
    /// The outermost archive: a zip by its directory where that can be had.
    fn open_outermost(&self, pace: Pace) -> io::Result<OpenArchive> {
        if self.is_near {
            let size_bytes = self.outermost.identity().size_bytes();
            let zip = ArchiveReader::of_zip(Arc::clone(&self.outermost), size_bytes)?;
            if let Some(zip) = zip {
                return Ok(zip);
            }
        }
        open_archive(PackedStream::new(self.outermost.reader(pace)?))
    }

    /// Of several members of one name the last is meant: unpacking leaves that one. Which it is shows only at the end of the
    /// archive.
    fn positions(&self) -> io::Result<&[u64]> {
        if let Some(positions) = self.positions.get() {
            return Ok(positions);
        }
        let names = names(&self.id);
        let mut positions = Vec::new();
        for last in &names {
            let mut archive = self.open_outermost(Pace::Ahead(PageCache::Keep))?;
            for (name, position) in names.iter().zip(&positions) {
                archive = open_archive(enter(archive, Path::new(name), *position)?)?;
            }
            positions.push(last_of(archive, Path::new(last)));
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
fn last_of((mut archive, _): OpenArchive, name: &Path) -> u64 {
    let mut count: u64 = 0;
    loop {
        match archive.step() {
            Ok(ArchiveStep::File { path, .. }) if path == name => count += 1,
            Ok(ArchiveStep::File { .. } | ArchiveStep::PassedOver { .. }) => {}
            // What stands behind it nobody can unpack.
            Ok(ArchiveStep::Defect { .. } | ArchiveStep::End) | Err(_) => {
                return count.saturating_sub(1);
            }
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
