//! A member of a zip that its directory names: what stands in front of it, its data, and whether they are what was told.

use super::zip_part::{Part, ZipSource};
use super::zip_record::{DirectoryRecord, LOCAL, LOCAL_BYTES, LocalHeader, Method, Sums};
use crate::bytes::to_u64;
use crate::source::read_full_at;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufReader, ErrorKind, Read};

/// Bytes of a member read at once.
const MEMBER_BUFFER_BYTES: usize = 512 << 10;
/// Signature and record in front of a member, without name and extra field.
pub(super) const LOCAL_HEADER_BYTES: usize = LOCAL.len() + LOCAL_BYTES;

const NOT_THERE: &str = "it does not lie where the directory of the zip says";

/// A member while it is read.
pub(super) struct ZipMember<'o> {
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

impl<'o> ZipMember<'o> {
    /// The member of a record, `in_front` bytes behind where that says, and in front of the directory; or why it is not
    /// what the directory says.
    pub(super) fn find(
        source: &ZipSource<'o>,
        record: &DirectoryRecord,
        in_front: u64,
        directory: u64,
    ) -> io::Result<Result<Self, &'static str>> {
        let (header, position) = match local_header(source, record, in_front)? {
            Ok(local) => local,
            Err(reason) => return Ok(Err(reason)),
        };
        let is_said_alike = header.has_descriptor || header.sums == record.sums;
        if header.method != record.method || !is_said_alike {
            return Ok(Err("it is another one than the directory of the zip says"));
        }
        let end = position.checked_add(record.sums.packed_bytes);
        let Some(end) = end.filter(|end| *end <= directory) else {
            return Ok(Err(NOT_THERE));
        };
        let part = Part::new(source, position, end);
        Ok(Ok(Self {
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
        }))
    }
}

impl Read for ZipMember<'_> {
    /// Nothing at its end, once it is what the directory says.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.is_done || out.is_empty() {
            return Ok(0);
        }
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
}

impl ZipMember<'_> {
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

/// What stands in front of a member, and where that ends; or why it is not what the directory says.
fn local_header(
    source: &ZipSource<'_>,
    record: &DirectoryRecord,
    in_front: u64,
) -> io::Result<Result<(LocalHeader, u64), &'static str>> {
    let Some(start) = record.offset.checked_add(in_front) else {
        return Ok(Err(NOT_THERE));
    };
    let mut head = vec![0; LOCAL_HEADER_BYTES + record.name.len()];
    let read = read_full_at(&*source.object, &mut head, start)?;
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
    let read = read_full_at(&*source.object, &mut extra, extra_at)?;
    if read < extra.len() || header.learn_extra(&extra).is_none() {
        return Ok(Err(NOT_THERE));
    }
    let behind = extra_at.saturating_add(to_u64(extra.len()));
    Ok(Ok((header, behind)))
}
