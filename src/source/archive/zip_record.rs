//! The records of a zip: headers in front of members, the directory at its end, and what stands behind a member.
//!
//! Source: PKWARE, *.ZIP File Format Specification* 6.3, sections 4.3.7 to 4.3.16 and 4.5.3.

use crate::bytes::{ByteOrder, Fields};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const DIRECTORY: [u8; 4] = *b"PK\x01\x02";
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
pub(super) const END_64: [u8; 4] = *b"PK\x06\x06";
pub(super) const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// Length of a local header behind its signature, without name and extra field.
pub(super) const LOCAL_BYTES: usize = 26;
/// The same of a record of the directory.
pub(super) const DIRECTORY_BYTES: usize = 42;
/// The same of the end of the directory, without the comment.
pub(super) const END_BYTES: usize = 18;
/// The same of the locator of the larger end.
pub(super) const LOCATOR_64_BYTES: usize = 16;

const ENCRYPTED: u16 = 1;
const HAS_DESCRIPTOR: u16 = 8;
/// Stands for a length that is told in the extra field.
const IN_EXTRA: u32 = u32::MAX;
const EXTRA_64: u16 = 1;
const MADE_BY_UNIX: u16 = 3;
/// Bits of a mode that tell the type of a file.
const FILE_TYPE: u32 = 0o170_000;
const SYMBOLIC_LINK: u32 = 0o120_000;

/// How the data of a member are packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Method {
    Stored,
    Deflated,
    Other(u16),
}

impl Method {
    fn of(number: u16) -> Self {
        match number {
            0 => Self::Stored,
            8 => Self::Deflated,
            other => Self::Other(other),
        }
    }
}

/// What a local header says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LocalHeader {
    pub(super) method: Method,
    pub(super) is_encrypted: bool,
    /// Checksum and lengths stand behind the data.
    pub(super) has_descriptor: bool,
    pub(super) sums: Sums,
    pub(super) name_bytes: u16,
    pub(super) extra_bytes: u16,
    /// Lengths have eight bytes.
    pub(super) is_64: bool,
}

/// Checksum and lengths of a member.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sums {
    pub(super) crc: u32,
    pub(super) packed_bytes: u64,
    pub(super) bytes: u64,
}

impl LocalHeader {
    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(record, ByteOrder::Little);
        let (_version, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let _modified = fields.u32()?;
        let (crc, packed_bytes, bytes) = (fields.u32()?, fields.u32()?, fields.u32()?);
        Some(Self {
            method: Method::of(method),
            is_encrypted: flags & ENCRYPTED != 0,
            has_descriptor: flags & HAS_DESCRIPTOR != 0,
            sums: Sums {
                crc,
                packed_bytes: packed_bytes.into(),
                bytes: bytes.into(),
            },
            name_bytes: fields.u16()?,
            extra_bytes: fields.u16()?,
            is_64: packed_bytes == IN_EXTRA || bytes == IN_EXTRA,
        })
    }

    /// Takes the lengths that the extra field tells.
    pub(super) fn learn_extra(&mut self, extra: &[u8]) -> Option<()> {
        let lengths = [&mut self.sums.bytes, &mut self.sums.packed_bytes];
        self.is_64 |= learn_extra(extra, lengths)?;
        Some(())
    }
}

/// Takes the numbers that the extra field tells in the place of those too large for four bytes; says whether it has any.
fn learn_extra<const N: usize>(extra: &[u8], mut numbers: [&mut u64; N]) -> Option<bool> {
    let mut is_64 = false;
    let mut rest = extra;
    while let Some((head, behind)) = rest.split_first_chunk::<4>() {
        let mut fields = Fields::new(head, ByteOrder::Little);
        let (id, length) = (fields.u16()?, fields.u16()?);
        let (data, behind) = behind.split_at_checked(length.into())?;
        rest = behind;
        if id == EXTRA_64 {
            is_64 = true;
            let mut told = Fields::new(data, ByteOrder::Little);
            for one in &mut numbers {
                if **one == u64::from(IN_EXTRA) {
                    **one = told.u64()?;
                }
            }
        }
    }
    Some(is_64)
}

/// A record of the directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct DirectoryRecord {
    pub(super) name: Vec<u8>,
    pub(super) method: Method,
    pub(super) is_encrypted: bool,
    pub(super) is_symbolic_link: bool,
    pub(super) sums: Sums,
    /// Where the member begins, from the beginning of the zip.
    pub(super) offset: u64,
}

impl DirectoryRecord {
    /// Without its name, and the lengths of name, extra field and comment behind it.
    pub(super) fn parse(record: &[u8]) -> Option<(Self, [u16; 3])> {
        let mut fields = Fields::new(record, ByteOrder::Little);
        let (made_by, _version) = (fields.u16()?, fields.u16()?);
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let _modified = fields.u32()?;
        let (crc, packed_bytes, bytes) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let lengths = [fields.u16()?, fields.u16()?, fields.u16()?];
        let (_disk, _internal) = (fields.u16()?, fields.u16()?);
        let (attributes, offset) = (fields.u32()?, fields.u32()?);
        let is_of_unix = made_by >> 8 == MADE_BY_UNIX;
        let record = Self {
            name: Vec::new(),
            method: Method::of(method),
            is_encrypted: flags & ENCRYPTED != 0,
            is_symbolic_link: is_of_unix && attributes >> 16 & FILE_TYPE == SYMBOLIC_LINK,
            sums: Sums {
                crc,
                packed_bytes: packed_bytes.into(),
                bytes: bytes.into(),
            },
            offset: offset.into(),
        };
        Some((record, lengths))
    }

    /// Takes the numbers that the extra field tells.
    pub(super) fn learn_extra(&mut self, extra: &[u8]) -> Option<()> {
        let numbers = [
            &mut self.sums.bytes,
            &mut self.sums.packed_bytes,
            &mut self.offset,
        ];
        learn_extra(extra, numbers).map(|_| ())
    }
}

/// The name of a member as a path. A client on Windows takes its own separator.
pub(super) fn member_path(name: &[u8]) -> PathBuf {
    let mut name = name.to_vec();
    if !name.contains(&b'/') {
        name.iter_mut()
            .filter(|byte| **byte == b'\\')
            .for_each(|byte| *byte = b'/');
    }
    PathBuf::from(OsString::from_vec(name))
}

/// Lengths of name, extra field and comment of a record of the directory.
pub(super) fn directory_lengths(record: &[u8]) -> Option<[u16; 3]> {
    let mut fields = Fields::new(record.get(24..)?, ByteOrder::Little);
    Some([fields.u16()?, fields.u16()?, fields.u16()?])
}

/// What stands behind the data of a member, its signature taken.
pub(super) fn descriptor(record: &[u8], is_64: bool) -> Option<Sums> {
    let mut fields = Fields::new(record, ByteOrder::Little);
    let crc = fields.u32()?;
    let mut length = || {
        if is_64 {
            fields.u64()
        } else {
            fields.u32().map(u64::from)
        }
    };
    Some(Sums {
        crc,
        packed_bytes: length()?,
        bytes: length()?,
    })
}
