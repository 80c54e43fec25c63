//! zip, member by member as it streams by: each has a header of its own in front of it.
//!
//! For streams: files that can be read anywhere are read by their directory (`zip_directory`), which is what unpackers go by.
//! Here it comes last, so it is compared: a zip whose directory names other
//! members than those that passed by is told of, and nothing of it is believed to be all.

use super::step::{ArchiveStep, file};
use super::tar::TarLimits;
use super::zip_record::{
    DESCRIPTOR, DIRECTORY, DIRECTORY_BYTES, END, END_64, END_BYTES, LOCAL, LOCAL_BYTES, LOCATOR_64,
    LOCATOR_64_BYTES, LocalHeader, Method, Sums, descriptor, directory_lengths, member_path,
};
use crate::bytes::to_u64;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, ErrorKind, Read};

/// A zip begins with a member, with its end if there is none, or with the mark of one that was cut into parts.
pub(super) fn is_zip(head: &[u8]) -> bool {
    [LOCAL, END]
        .iter()
        .any(|signature| head.starts_with(signature))
        || (head.starts_with(&DESCRIPTOR) && head.get(4..8) == Some(&LOCAL))
}

/// Walks over the members.
pub(crate) struct ZipReader<R: BufRead> {
    state: State<R>,
    limits: TarLimits,
    member: Option<Member>,
    passed: Names,
    named: Names,
    is_ended: bool,
}

/// Where in the zip the reading is.
enum State<R: BufRead> {
    Between(Metered<R>),
    /// Boxed: the decoder is large and comes with every member.
    Deflated(Box<DeflateDecoder<Metered<R>>>),
    Lost,
}

/// The member that is read.
struct Member {
    header: LocalHeader,
    /// Where its data begin.
    start: u64,
    /// Stored bytes that are still to come.
    stored_bytes: u64,
    crc: Crc,
    bytes: u64,
    is_done: bool,
}

/// Names in whatever order: how many, and the sum of their hashes.
#[derive(Debug, Default, Eq, PartialEq)]
struct Names {
    count: u64,
    sum: u64,
}

impl Names {
    fn add(&mut self, name: &[u8]) {
        self.count += 1;
        let hash: [u8; 32] = Sha256::digest(name).into();
        let first = hash.first_chunk().copied().unwrap_or_default();
        self.sum = self.sum.wrapping_add(u64::from_le_bytes(first));
    }
}

/// Counts what is taken.
struct Metered<R> {
    input: R,
    bytes: u64,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(out)?;
        self.bytes += to_u64(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, taken: usize) {
        self.bytes += to_u64(taken);
        self.input.consume(taken);
    }
}

fn damaged(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

impl<R: BufRead> ZipReader<R> {
    pub(super) fn new(input: R, limits: TarLimits) -> Self {
        Self {
            state: State::Between(Metered { input, bytes: 0 }),
            limits,
            member: None,
            passed: Names::default(),
            named: Names::default(),
            is_ended: false,
        }
    }

    /// Goes to the next file, passing over what is left of this one.
    pub(super) fn step(&mut self) -> io::Result<ArchiveStep> {
        self.skip_member()?;
        loop {
            if self.is_ended {
                return Ok(ArchiveStep::End);
            }
            let mut signature = [0; 4];
            if self.read_some(&mut signature)? < signature.len() {
                return Ok(self.end_with("the zip ends before its directory".to_owned(), true));
            }
            match signature {
                LOCAL => {
                    if let Some(step) = self.take_member()? {
                        return Ok(step);
                    }
                }
                DIRECTORY => self.take_directory()?,
                END => return self.take_end(),
                END_64 => {
                    let length = u64::from_le_bytes(self.record()?);
                    self.skip(length)?;
                }
                LOCATOR_64 => self.skip(to_u64(LOCATOR_64_BYTES))?,
                // In front of the first member of one that was to be cut into parts.
                DESCRIPTOR if self.passed.count == 0 => {}
                _ => {
                    let at = self.position();
                    let reason = format!("no record of a zip at byte {at} of it");
                    return Ok(self.end_with(reason, true));
                }
            }
        }
    }

    fn end_with(&mut self, reason: String, is_incomplete: bool) -> ArchiveStep {
        self.is_ended = true;
        ArchiveStep::Defect {
            reason,
            is_incomplete,
        }
    }

    /// `None`: a directory.
    fn take_member(&mut self) -> io::Result<Option<ArchiveStep>> {
        let record = self.record::<LOCAL_BYTES>()?;
        let cut = || damaged("a header of the zip is damaged".to_owned());
        let mut header = LocalHeader::parse(&record).ok_or_else(cut)?;
        let name = self.bytes(header.name_bytes)?;
        let extra = self.bytes(header.extra_bytes)?;
        header.learn_extra(&extra).ok_or_else(cut)?;
        self.passed.add(&name);
        if self.passed.count > self.limits.max_members {
            let limit = self.limits.max_members;
            let reason = format!("more than {limit} members: not read any further");
            return Ok(Some(self.end_with(reason, true)));
        }
        let is_too_long = to_u64(name.len()) > self.limits.max_name_bytes;
        let is_directory = name.ends_with(b"/");
        let path = member_path(&name);
        let reason = match header.method {
            _ if header.is_encrypted => "encrypted with a password: unzip it first".to_owned(),
            Method::Other(number) => format!("packed by method {number}: unzip it first"),
            Method::Stored if header.has_descriptor && header.sums.packed_bytes == 0 => {
                "stored without its length in front: unzip it first".to_owned()
            }
            _ if is_too_long => "its name is too long".to_owned(),
            Method::Stored | Method::Deflated => {
                self.enter(header);
                let size_bytes = (!header.has_descriptor).then_some(header.sums.bytes);
                return Ok((!is_directory).then(|| file(path, size_bytes)));
            }
        };
        if header.has_descriptor && header.sums.packed_bytes == 0 && !is_directory {
            let reason = format!("{}: {reason}", path.display());
            return Ok(Some(self.end_with(reason, true)));
        }
        self.skip(header.sums.packed_bytes)?;
        if header.has_descriptor {
            self.read_descriptor(header.is_64)?;
        }
        Ok((!is_directory).then_some(ArchiveStep::PassedOver { path, reason }))
    }

    fn enter(&mut self, header: LocalHeader) {
        let start = self.position();
        if header.method == Method::Deflated {
            self.state = match std::mem::replace(&mut self.state, State::Lost) {
                State::Between(input) => State::Deflated(Box::new(DeflateDecoder::new(input))),
                other => other,
            };
        }
        self.member = Some(Member {
            header,
            start,
            stored_bytes: header.sums.packed_bytes,
            crc: Crc::new(),
            bytes: 0,
            is_done: false,
        });
    }

    /// Reads on in the data of the current member; nothing at its end, once it is what its header says.
    pub(super) fn read_member(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(member) = self.member.as_mut().filter(|member| !member.is_done) else {
            return Ok(0);
        };
        if out.is_empty() {
            return Ok(0);
        }
        let length = match &mut self.state {
            State::Deflated(decoder) => decoder.read(out)?,
            State::Between(input) => {
                let mut rest = input.take(member.stored_bytes);
                let length = rest.read(out)?;
                member.stored_bytes -= to_u64(length);
                if length == 0 && member.stored_bytes > 0 {
                    let reason = "the zip ends in the midst of this member";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, reason));
                }
                length
            }
            State::Lost => return Err(damaged("the zip is damaged".to_owned())),
        };
        member.crc.update(out.get(..length).unwrap_or_default());
        member.bytes += to_u64(length);
        if length == 0 {
            member.is_done = true;
            self.check_member()?;
        }
        Ok(length)
    }

    fn check_member(&mut self) -> io::Result<()> {
        let mut end = None;
        self.state = match std::mem::replace(&mut self.state, State::Lost) {
            State::Deflated(decoder) => {
                let input = decoder.into_inner();
                end = Some(input.bytes);
                State::Between(input)
            }
            other => other,
        };
        let Some(member) = &self.member else {
            return Ok(());
        };
        let (header, found) = (
            member.header,
            Sums {
                crc: member.crc.sum(),
                packed_bytes: end.map_or(member.header.sums.packed_bytes, |end| end - member.start),
                bytes: member.bytes,
            },
        );
        let told = if header.has_descriptor {
            self.read_descriptor(header.is_64)?
        } else {
            header.sums
        };
        if told == found {
            return Ok(());
        }
        Err(damaged(
            "checksum or length of this member are not those that the zip tells".to_owned(),
        ))
    }

    fn skip_member(&mut self) -> io::Result<()> {
        if self.member.is_some() {
            let mut buffer = vec![0; 64 << 10];
            while self.read_member(&mut buffer)? > 0 {}
        }
        self.member = None;
        Ok(())
    }

    fn read_descriptor(&mut self, is_64: bool) -> io::Result<Sums> {
        let first = self.record::<4>()?;
        let mut record = if first == DESCRIPTOR {
            Vec::new()
        } else {
            first.to_vec()
        };
        let whole = if is_64 { 20 } else { 12 };
        let rest = self.bytes(whole - u16::try_from(record.len()).unwrap_or_default())?;
        record.extend(rest);
        descriptor(&record, is_64).ok_or_else(|| damaged("the zip is damaged".to_owned()))
    }

    fn take_directory(&mut self) -> io::Result<()> {
        let record = self.record::<DIRECTORY_BYTES>()?;
        let [name_bytes, extra_bytes, comment_bytes] = directory_lengths(&record)
            .ok_or_else(|| damaged("the directory of the zip is damaged".to_owned()))?;
        let name = self.bytes(name_bytes)?;
        self.named.add(&name);
        self.skip(u64::from(extra_bytes) + u64::from(comment_bytes))
    }

    fn take_end(&mut self) -> io::Result<ArchiveStep> {
        let record = self.record::<END_BYTES>()?;
        let [.., low, high] = record;
        self.skip(u16::from_le_bytes([low, high]).into())?;
        if self.named != self.passed {
            let (named, passed) = (self.named.count, self.passed.count);
            let reason = format!(
                "the directory of the zip names {named} members, and {passed} passed by, or others: what unzip makes of it was not read"
            );
            return Ok(self.end_with(reason, true));
        }
        self.is_ended = true;
        let mut rest = [0; 1];
        if self.read_some(&mut rest)? > 0 {
            return Ok(self.end_with("bytes behind the end of the zip".to_owned(), true));
        }
        Ok(ArchiveStep::End)
    }

    fn input(&mut self) -> io::Result<&mut Metered<R>> {
        match &mut self.state {
            State::Between(input) => Ok(input),
            State::Deflated(_) | State::Lost => Err(damaged("the zip is damaged".to_owned())),
        }
    }

    fn position(&self) -> u64 {
        match &self.state {
            State::Between(input) => input.bytes,
            State::Deflated(_) | State::Lost => 0,
        }
    }

    /// Reads until `out` is full or the zip ends.
    fn read_some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let input = self.input()?;
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match input.read(rest)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    fn record<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut record = [0; N];
        if self.read_some(&mut record)? < N {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(record)
    }

    fn bytes(&mut self, count: u16) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count.into()];
        if self.read_some(&mut bytes)? < bytes.len() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.input()?.take(count), &mut io::sink())?;
        if skipped < count {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}
