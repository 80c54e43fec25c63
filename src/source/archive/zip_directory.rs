//! zip, by the directory at its end, as every unpacker reads it: for files that can be read anywhere.
//!
//! What the directory does not name is not there, whatever bytes of it are left: a member that was deleted, or replaced by
//! another one.

use super::step::{ArchiveStep, file};
use super::tar::TarLimits;
use super::zip_end::{DirectoryPlace, find_directory};
use super::zip_member::{LOCAL_HEADER_BYTES, ZipMember};
use super::zip_part::{Part, ZipSource};
use super::zip_record::{DIRECTORY, DIRECTORY_BYTES, DirectoryRecord, Method, member_path};
use crate::bytes::to_u64;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

/// Bytes of the directory read at once.
const DIRECTORY_BUFFER_BYTES: usize = 64 << 10;

/// Walks over the members that the directory names.
pub(crate) struct ZipByDirectory<'o> {
    source: ZipSource<'o>,
    limits: TarLimits,
    place: DirectoryPlace,
    directory: BufReader<Part<'o>>,
    /// Records of the directory that are still to come.
    left: u64,
    count: u64,
    /// Bytes of all members so far: where they are more than the file has, some are told twice.
    member_bytes: u64,
    member: Option<ZipMember<'o>>,
    is_ended: bool,
}

impl<'o> ZipByDirectory<'o> {
    /// Opens the zip that an object is; `None` where no directory stands at its end.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(super) fn open(
        source: ZipSource<'o>,
        size_bytes: u64,
        limits: TarLimits,
    ) -> io::Result<Option<Self>> {
        let Some(place) = find_directory(&*source.object, size_bytes)? else {
            return Ok(None);
        };
        let part = Part::new(&source, place.start, place.end);
        Ok(Some(Self {
            source,
            limits,
            left: place.records,
            place,
            directory: BufReader::with_capacity(DIRECTORY_BUFFER_BYTES, part),
            count: 0,
            member_bytes: 0,
            member: None,
            is_ended: false,
        }))
    }

    /// Goes to the next file.
    pub(super) fn step(&mut self) -> io::Result<ArchiveStep> {
        self.member = None;
        loop {
            if self.is_ended {
                return Ok(ArchiveStep::End);
            }
            if self.left == 0 {
                return self.end();
            }
            self.left -= 1;
            let Some(record) = self.next_record()? else {
                return Ok(self.end_with("the directory of the zip is damaged".to_owned()));
            };
            if let Some(step) = self.take(&record)? {
                return Ok(step);
            }
        }
    }

    fn end(&mut self) -> io::Result<ArchiveStep> {
        if self.directory.fill_buf()?.is_empty() {
            self.is_ended = true;
            return Ok(ArchiveStep::End);
        }
        Ok(self.end_with("the directory of the zip has more records than it says".to_owned()))
    }

    fn end_with(&mut self, reason: String) -> ArchiveStep {
        self.is_ended = true;
        ArchiveStep::Defect {
            reason,
            is_incomplete: true,
        }
    }

    fn next_record(&mut self) -> io::Result<Option<DirectoryRecord>> {
        let mut head = [0; DIRECTORY.len() + DIRECTORY_BYTES];
        if !fill(&mut self.directory, &mut head)? || !head.starts_with(&DIRECTORY) {
            return Ok(None);
        }
        let fixed = head.get(DIRECTORY.len()..).unwrap_or_default();
        let Some((mut record, lengths)) = DirectoryRecord::parse(fixed) else {
            return Ok(None);
        };
        let [name_bytes, extra_bytes, comment_bytes] = lengths;
        let mut name = vec![0; name_bytes.into()];
        let mut extra = vec![0; extra_bytes.into()];
        let mut comment = vec![0; comment_bytes.into()];
        for part in [&mut name, &mut extra, &mut comment] {
            if !fill(&mut self.directory, part)? {
                return Ok(None);
            }
        }
        record.name = name;
        Ok(record.learn_extra(&extra).map(|()| record))
    }

    /// `None`: nothing that anybody would miss.
    fn take(&mut self, record: &DirectoryRecord) -> io::Result<Option<ArchiveStep>> {
        self.count += 1;
        if self.count > self.limits.max_members {
            let limit = self.limits.max_members;
            let reason = format!("more than {limit} members: not read any further");
            return Ok(Some(self.end_with(reason)));
        }
        if record.name.ends_with(b"/") || record.is_symbolic_link {
            return Ok(None);
        }
        let own_bytes = record
            .sums
            .packed_bytes
            .saturating_add(to_u64(LOCAL_HEADER_BYTES));
        self.member_bytes = self.member_bytes.saturating_add(own_bytes);
        if self.member_bytes > self.place.start {
            let reason = "members of the zip share their bytes: not read any further";
            return Ok(Some(self.end_with(reason.to_owned())));
        }
        let path = member_path(&record.name);
        let is_too_long = to_u64(record.name.len()) > self.limits.max_name_bytes;
        let reason = match record.method {
            _ if record.is_encrypted => "encrypted with a password: unzip it first".to_owned(),
            Method::Other(number) => format!("packed by method {number}: unzip it first"),
            _ if is_too_long => "its name is too long".to_owned(),
            Method::Stored | Method::Deflated => match self.find(record)? {
                Ok(member) => {
                    self.member = Some(member);
                    return Ok(Some(file(path, Some(record.sums.bytes))));
                }
                Err(reason) => reason.to_owned(),
            },
        };
        Ok(Some(ArchiveStep::PassedOver { path, reason }))
    }

    fn find(&self, record: &DirectoryRecord) -> io::Result<Result<ZipMember<'o>, &'static str>> {
        let DirectoryPlace {
            start, in_front, ..
        } = self.place;
        ZipMember::find(&self.source, record, in_front, start)
    }

    /// Reads on in the data of the current member; nothing at its end, once it is what the directory says.
    pub(super) fn read_member(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.member
            .as_mut()
            .map_or(Ok(0), |member| member.read(out))
    }
}

/// Reads until `out` is full; false where there is not so much.
fn fill(input: &mut impl Read, out: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(out) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::to_usize;
    use crate::monitor::Silent;
    use crate::source::packed::PackingBudget;
    use crate::source::{PageCache, ReadAt};
    use proptest::prelude::*;
    use std::sync::Arc;

    struct Bytes(Vec<u8>);

    impl ReadAt for Bytes {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let rest = self.0.get(to_usize(offset)..).unwrap_or_default();
            { rest }.read(buffer)
        }
    }

    fn sample() -> Vec<u8> {
        let path = "testdata/cases/bundles/backup.zip";
        std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("there")
    }

    /// Bytes of all members, and how often something was wrong; `None`: it does not end as a zip does.
    fn walk(bytes: Vec<u8>) -> Option<(u64, u64)> {
        let limits = TarLimits {
            max_members: 100,
            max_name_bytes: 1000,
        };
        let size_bytes = to_u64(bytes.len());
        let source = ZipSource {
            object: Arc::new(Bytes(bytes)),
            page_cache: PageCache::Keep,
            budget: PackingBudget::default(),
            monitor: &Silent,
        };
        let zip = ZipByDirectory::open(source, size_bytes, limits);
        let mut zip = zip.expect("memory")?;
        let (mut read, mut wrong) = (0, 0);
        loop {
            match zip.step() {
                Ok(ArchiveStep::End) => return Some((read, wrong)),
                Ok(ArchiveStep::File { .. }) => {
                    let mut chunk = [0; 4096];
                    loop {
                        match zip.read_member(&mut chunk) {
                            Ok(0) => break,
                            Ok(length) => read += to_u64(length),
                            Err(_) => {
                                wrong += 1;
                                break;
                            }
                        }
                    }
                }
                Ok(ArchiveStep::PassedOver { .. } | ArchiveStep::Defect { .. }) => wrong += 1,
                Err(_) => return Some((read, wrong + 1)),
            }
        }
    }

    #[test]
    fn a_sound_zip_is_read_whole() {
        let (read, wrong) = walk(sample()).expect("a zip");
        assert!(read > 0);
        assert_eq!(wrong, 0);
        assert_eq!(walk(b"no zip".to_vec()), None);
        assert_eq!(walk(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn whatever_is_changed_it_ends(
            changes in prop::collection::vec((0_usize..4096, any::<u8>()), 1..6),
        ) {
            let mut bytes = sample();
            // The directory and the headers are where a lie does most.
            let length = bytes.len();
            for (at, value) in changes {
                let at = if at % 2 == 0 { at % length } else { length - 1 - at % 600 };
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            if let Some((read, _)) = walk(bytes) {
                // Deflate makes no more of a byte than this.
                    prop_assert!(read <= to_u64(length) * 1032);
            }
        }
    }
}
