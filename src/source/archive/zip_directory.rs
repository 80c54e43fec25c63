//! zip, by the directory at its end, as every unpacker reads it: for files that can be read anywhere.
//!
//! What the directory does not name is not there, whatever bytes of it are left: a member that was deleted, or replaced by
//! another one.

use super::step::{ArchiveStep, file};
use super::tar::TarLimits;
use super::zip_end::{DirectoryPlace, find_directory};
use super::zip_record::{
    DIRECTORY, DIRECTORY_BYTES, DirectoryRecord, LOCAL, LOCAL_BYTES, LocalHeader, Method, Sums,
    member_path,
};
use crate::bytes::to_u64;
use crate::source::packed::PackingBudget;
use crate::source::{ReadAt, read_full_at};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::sync::Arc;

/// Bytes of the directory read at once.
const DIRECTORY_BUFFER_BYTES: usize = 64 << 10;
/// The same of a member.
const MEMBER_BUFFER_BYTES: usize = 512 << 10;
/// Signature and record in front of a member, without name and extra field.
const LOCAL_HEADER_BYTES: usize = LOCAL.len() + LOCAL_BYTES;

const NOT_THERE: &str = "it does not lie where the directory of the zip says";

/// Where the bytes are.
type Source<'o> = Arc<dyn ReadAt + Send + Sync + 'o>;

/// Walks over the members that the directory names.
pub(crate) struct ZipByDirectory<'o> {
    source: Source<'o>,
    budget: PackingBudget,
    limits: TarLimits,
    place: DirectoryPlace,
    directory: BufReader<Part<'o>>,
    /// Records of the directory that are still to come.
    left: u64,
    count: u64,
    /// Bytes of all members so far: where they are more than the file has, some are told twice.
    member_bytes: u64,
    member: Option<Member<'o>>,
    is_ended: bool,
}

/// A member while it is read.
struct Member<'o> {
    data: Data<'o>,
    told: Sums,
    crc: Crc,
    bytes: u64,
    is_done: bool,
}

enum Data<'o> {
    Stored(Part<'o>),
    /// Boxed: the decoder is large.
    Deflated(Box<DeflateDecoder<BufReader<Part<'o>>>>),
}

impl<'o> ZipByDirectory<'o> {
    /// Opens the zip that an object is; `None` where no directory stands at its end. What is read of it counts for `budget`.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(super) fn open(
        source: Source<'o>,
        size_bytes: u64,
        budget: PackingBudget,
        limits: TarLimits,
    ) -> io::Result<Option<Self>> {
        let Some(place) = find_directory(&*source, size_bytes)? else {
            return Ok(None);
        };
        let part = Part {
            source: Arc::clone(&source),
            budget: budget.clone(),
            position: place.start,
            end: place.end,
        };
        Ok(Some(Self {
            source,
            budget,
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
            Method::Stored | Method::Deflated => match self.enter(record)? {
                Ok(()) => return Ok(Some(file(path, Some(record.sums.bytes)))),
                Err(reason) => reason.to_owned(),
            },
        };
        Ok(Some(ArchiveStep::PassedOver { path, reason }))
    }

    /// Goes to the data of a member; or why that is not what the directory says.
    fn enter(&mut self, record: &DirectoryRecord) -> io::Result<Result<(), &'static str>> {
        let (header, behind) = match self.local_header(record)? {
            Ok(local) => local,
            Err(reason) => return Ok(Err(reason)),
        };
        let is_said_alike = header.has_descriptor || header.sums == record.sums;
        if header.method != record.method || !is_said_alike {
            return Ok(Err("it is another one than the directory of the zip says"));
        }
        let position = behind;
        let end = position.checked_add(record.sums.packed_bytes);
        let Some(end) = end.filter(|end| *end <= self.place.start) else {
            return Ok(Err(NOT_THERE));
        };
        let part = Part {
            source: Arc::clone(&self.source),
            budget: self.budget.clone(),
            position,
            end,
        };
        self.member = Some(Member {
            data: match record.method {
                Method::Deflated => {
                    let buffered = BufReader::with_capacity(MEMBER_BUFFER_BYTES, part);
                    Data::Deflated(Box::new(DeflateDecoder::new(buffered)))
                }
                _ => Data::Stored(part),
            },
            told: record.sums,
            crc: Crc::new(),
            bytes: 0,
            is_done: false,
        });
        Ok(Ok(()))
    }

    /// What stands in front of a member, and where that ends; or why it is not what the directory says.
    fn local_header(
        &self,
        record: &DirectoryRecord,
    ) -> io::Result<Result<(LocalHeader, u64), &'static str>> {
        let Some(start) = record.offset.checked_add(self.place.in_front) else {
            return Ok(Err(NOT_THERE));
        };
        let mut head = vec![0; LOCAL_HEADER_BYTES + record.name.len()];
        let read = read_full_at(&*self.source, &mut head, start)?;
        let (fixed, name) = head
            .split_at_checked(LOCAL_HEADER_BYTES)
            .unwrap_or_default();
        let header = fixed.strip_prefix(&LOCAL).and_then(LocalHeader::parse);
        let Some(mut header) = header.filter(|_| read == head.len()) else {
            return Ok(Err(NOT_THERE));
        };
        if name != record.name || usize::from(header.name_bytes) != name.len() {
            return Ok(Err(
                "it has another name than the directory of the zip says",
            ));
        }
        let mut extra = vec![0; header.extra_bytes.into()];
        let extra_at = start.saturating_add(to_u64(head.len()));
        let read = read_full_at(&*self.source, &mut extra, extra_at)?;
        if read < extra.len() || header.learn_extra(&extra).is_none() {
            return Ok(Err(NOT_THERE));
        }
        let behind = extra_at.saturating_add(to_u64(extra.len()));
        Ok(Ok((header, behind)))
    }

    /// Reads on in the data of the current member; nothing at its end, once it is what the directory says.
    pub(super) fn read_member(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.member {
            Some(member) if !member.is_done && !out.is_empty() => member.read(out),
            _ => Ok(0),
        }
    }
}

impl Member<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.data {
            Data::Stored(part) => part.read(out)?,
            Data::Deflated(decoder) => decoder.read(out)?,
        };
        self.crc.update(out.get(..length).unwrap_or_default());
        self.bytes += to_u64(length);
        if length == 0 {
            self.is_done = true;
            self.check()?;
        }
        Ok(length)
    }

    fn check(&self) -> io::Result<()> {
        let found = Sums {
            crc: self.crc.sum(),
            packed_bytes: match &self.data {
                Data::Stored(_) => self.told.packed_bytes,
                Data::Deflated(decoder) => decoder.total_in(),
            },
            bytes: self.bytes,
        };
        if found == self.told {
            return Ok(());
        }
        Err(io::Error::new(
            ErrorKind::InvalidData,
            "checksum or length of this member are not those that the zip tells",
        ))
    }
}

/// Some bytes in a row.
struct Part<'o> {
    source: Source<'o>,
    budget: PackingBudget,
    position: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let length = left.min(out.len());
        let Some(out) = out.get_mut(..length).filter(|out| !out.is_empty()) else {
            return Ok(0);
        };
        let read = self.source.read_at(out, self.position)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.position += to_u64(read);
        self.budget.meter(read);
        Ok(read)
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
    use proptest::prelude::*;

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
        let budget = PackingBudget::default();
        let zip = ZipByDirectory::open(Arc::new(Bytes(bytes)), size_bytes, budget, limits);
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
