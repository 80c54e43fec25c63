//! tar, member by member, nothing extracted and nothing skipped over in silence.
//!
//! The `tar` crate knows the header's layout; the walk is ours, because three things must show that its iterator
//! passes over: end blocks that are missing, what stands behind them, and a name as long as memory.
//!
//! Source: POSIX pax, section *ustar Interchange Format*; GNU tar, *Basic Tar Format*.

use crate::kuberesources::limits::Limits;
use std::io::{self, BufRead, Read};
use tar::{EntryType, Header, PaxExtensions};

const BLOCK_BYTES: u64 = 512;
const HEADER_BYTES: usize = 512;

/// Position and width of the checksum in a header, counted as spaces while it is computed.
const CHECKSUM: std::ops::Range<usize> = 148..148 + CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 8;

/// Memory for the data of a member before any of them came: a header may promise anything.
const FIRST_DATA_BYTES: usize = 64 << 10;

/// Mark in GNU headers of sparse files: one more block of the map follows.
const SPARSE_EXTENSION_POSITION: usize = 504;

type Block = [u8; HEADER_BYTES];

/// One member, its data not yet read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Member {
    pub(super) path: Vec<u8>,
    pub(super) kind: MemberKind,
    pub(super) size_bytes: u64,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum MemberKind {
    File,
    Directory,
    SymbolicLink {
        target: Vec<u8>,
    },
    HardLink {
        target: Vec<u8>,
    },
    /// Device, FIFO, sparse file, or a kind that tar programs disagree about.
    Special(u8),
}

/// What is wrong with the archive as a tar. Offsets count inflated bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TarDefect {
    /// A header whose checksum, size or name is no such thing; the walk goes on at the next sound one.
    Header { offset: u64 },
    /// The archive ends inside a header or a member.
    Truncated { offset: u64 },
    /// The two zero blocks at the end are not there.
    EndMissing { offset: u64 },
    /// Something stands behind the end.
    BehindEnd { offset: u64 },
    /// A name or an extended header longer than any real one.
    Name { offset: u64, size_bytes: u64 },
    /// More members than any real archive.
    Members { limit: u64 },
}

pub(super) enum Step {
    Member(Member),
    Defect(TarDefect),
    /// Nothing more; everything behind it was read.
    End,
}

/// What an extended header says of the next member.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size_bytes: Option<u64>,
}

pub(super) struct TarReader<R> {
    input: R,
    limits: Limits,
    offset: u64,
    /// Data and padding of the current member that were not read yet.
    unread_bytes: u64,
    /// Data of the current member that were not read yet.
    unread_data_bytes: u64,
    members: u64,
    is_lost: bool,
    is_ended: bool,
}

impl<R: BufRead> TarReader<R> {
    pub(super) fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            offset: 0,
            unread_bytes: 0,
            unread_data_bytes: 0,
            members: 0,
            is_lost: false,
            is_ended: false,
        }
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// Goes to the next member, passing over what is left of this one.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        let mut extension = Extension::default();
        loop {
            if self.is_ended {
                return Ok(Step::End);
            }
            if self.skip_unread()? > 0 {
                return Ok(self.end_with(TarDefect::Truncated {
                    offset: self.offset,
                }));
            }
            let offset = self.offset;
            let mut block = [0; HEADER_BYTES];
            match self.read_some(&mut block)? {
                HEADER_BYTES => {}
                0 => return Ok(self.end_with(TarDefect::EndMissing { offset })),
                _ => return Ok(self.end_with(TarDefect::Truncated { offset })),
            }
            if block.iter().all(|&byte| byte == 0) {
                return self.end_block(offset);
            }
            let Some(header) = SoundHeader::parse(&block) else {
                // After a damaged header every block of its data looks like another one: one report is enough.
                if std::mem::replace(&mut self.is_lost, true) {
                    continue;
                }
                return Ok(Step::Defect(TarDefect::Header { offset }));
            };
            self.is_lost = false;
            match self.take(&header, &mut extension)? {
                Some(step) => return Ok(step),
                None => continue,
            }
        }
    }

    /// Handles a sound header. `None`: it only said something of the next member.
    fn take(
        &mut self,
        header: &SoundHeader<'_>,
        extension: &mut Extension,
    ) -> io::Result<Option<Step>> {
        self.members += 1;
        if self.members > self.limits.max_members {
            let limit = self.limits.max_members;
            return Ok(Some(self.end_with(TarDefect::Members { limit })));
        }
        let kind = header.header.entry_type();
        if kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions() {
            return self.read_extension(kind, header.size_bytes, extension);
        }
        if kind.is_pax_global_extensions() {
            self.set_unread(header.size_bytes);
            return Ok(None);
        }
        let extension = std::mem::take(extension);
        // GNU tar reads no data behind a hard link, whatever its size says.
        let size_bytes = if kind.is_hard_link() {
            0
        } else {
            extension.size_bytes.unwrap_or(header.size_bytes)
        };
        if kind.is_gnu_sparse() {
            self.skip_sparse_map(header.header)?;
        }
        self.set_unread(size_bytes);
        let path = extension
            .path
            .unwrap_or_else(|| header.header.path_bytes().into_owned());
        let target = || {
            let stored = header
                .header
                .link_name_bytes()
                .map(std::borrow::Cow::into_owned);
            extension.target.clone().or(stored).unwrap_or_default()
        };
        let kind = match kind {
            EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") => {
                MemberKind::Directory
            }
            EntryType::Regular | EntryType::Continuous => MemberKind::File,
            EntryType::Directory => MemberKind::Directory,
            EntryType::Symlink => MemberKind::SymbolicLink { target: target() },
            EntryType::Link => MemberKind::HardLink { target: target() },
            other => MemberKind::Special(other.as_byte()),
        };
        Ok(Some(Step::Member(Member {
            path,
            kind,
            size_bytes,
        })))
    }

    fn read_extension(
        &mut self,
        kind: EntryType,
        size_bytes: u64,
        extension: &mut Extension,
    ) -> io::Result<Option<Step>> {
        let offset = self.offset;
        self.set_unread(size_bytes);
        let Some(data) = self.read_data(self.limits.max_name_bytes)? else {
            return Ok(Some(Step::Defect(TarDefect::Name { offset, size_bytes })));
        };
        if kind.is_gnu_longname() {
            extension.path = Some(until_nul(&data));
        } else if kind.is_gnu_longlink() {
            extension.target = Some(until_nul(&data));
        } else {
            for record in PaxExtensions::new(&data).map_while(Result::ok) {
                match record.key_bytes() {
                    b"path" => extension.path = Some(record.value_bytes().to_vec()),
                    b"linkpath" => extension.target = Some(record.value_bytes().to_vec()),
                    b"size" => {
                        let size = record.value().ok();
                        extension.size_bytes = size.and_then(|text| text.parse().ok());
                    }
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    /// The data of the current member; `None` when there are more than `max_bytes`. Shorter when the archive ends in it.
    pub(super) fn read_data(&mut self, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        if self.unread_data_bytes > max_bytes {
            return Ok(None);
        }
        // Grown as bytes really come; the limit bounds it.
        let promised = usize::try_from(self.unread_data_bytes).unwrap_or(usize::MAX);
        let mut data = Vec::with_capacity(promised.min(FIRST_DATA_BYTES));
        let count = (&mut self.input)
            .take(self.unread_data_bytes)
            .read_to_end(&mut data)?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(count);
        self.unread_bytes = self.unread_bytes.saturating_sub(count);
        self.unread_data_bytes = self.unread_data_bytes.saturating_sub(count);
        Ok(Some(data))
    }

    /// True while data of the current member are outstanding: the archive ended in the midst of it.
    pub(super) fn has_unread_data(&self) -> bool {
        self.unread_data_bytes > 0
    }

    fn set_unread(&mut self, size_bytes: u64) {
        self.unread_data_bytes = size_bytes;
        self.unread_bytes = size_bytes
            .checked_next_multiple_of(BLOCK_BYTES)
            .unwrap_or(u64::MAX);
    }

    /// Bytes that could not be skipped because the archive ended.
    fn skip_unread(&mut self) -> io::Result<u64> {
        while self.unread_bytes > 0 {
            let there = u64::try_from(self.input.fill_buf()?.len()).unwrap_or(u64::MAX);
            let count = there.min(self.unread_bytes);
            if count == 0 {
                break;
            }
            self.input
                .consume(usize::try_from(count).unwrap_or(usize::MAX));
            self.offset += count;
            self.unread_bytes -= count;
        }
        self.unread_data_bytes = 0;
        Ok(std::mem::take(&mut self.unread_bytes))
    }

    fn skip_sparse_map(&mut self, header: &Header) -> io::Result<()> {
        let mut is_extended = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while is_extended {
            let mut block = [0; HEADER_BYTES];
            let count = self.read_some(&mut block)?;
            is_extended = count == HEADER_BYTES && block.get(SPARSE_EXTENSION_POSITION) == Some(&1);
        }
        Ok(())
    }

    /// A zero block: the end if another one follows. GNU tar stops at a lone one as well, and only warns.
    fn end_block(&mut self, offset: u64) -> io::Result<Step> {
        let mut second = [0; HEADER_BYTES];
        if self.read_some(&mut second)? < HEADER_BYTES || second.iter().any(|&byte| byte != 0) {
            return Ok(self.end_with(TarDefect::EndMissing { offset }));
        }
        self.is_ended = true;
        let behind = self.offset;
        if self.drain()? {
            Ok(Step::End)
        } else {
            Ok(Step::Defect(TarDefect::BehindEnd { offset: behind }))
        }
    }

    /// Reads to the end of the input, so that its checksums are checked. False when a byte was not zero.
    fn drain(&mut self) -> io::Result<bool> {
        let mut is_zero = true;
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(is_zero);
            }
            is_zero &= bytes.iter().all(|&byte| byte == 0);
            let count = bytes.len();
            self.input.consume(count);
            self.offset += u64::try_from(count).unwrap_or(u64::MAX);
        }
    }

    fn end_with(&mut self, defect: TarDefect) -> Step {
        self.is_ended = true;
        Step::Defect(defect)
    }

    fn read_some(&mut self, block: &mut Block) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest)? {
                0 => break,
                count => filled += count,
            }
        }
        self.offset += u64::try_from(filled).unwrap_or(u64::MAX);
        Ok(filled)
    }
}

/// A header whose checksum is right and whose size is a number.
struct SoundHeader<'b> {
    header: &'b Header,
    size_bytes: u64,
}

impl<'b> SoundHeader<'b> {
    fn parse(block: &'b Block) -> Option<Self> {
        let header = Header::from_byte_slice(block);
        let sum = |bytes: &[u8]| bytes.iter().copied().map(u32::from).sum::<u32>();
        let own = block.get(CHECKSUM).unwrap_or_default();
        let sum = sum(block) - sum(own) + sum(&[b' '; CHECKSUM_BYTES]);
        let is_sound = header.cksum().is_ok_and(|stored| stored == sum);
        let size_bytes = header.entry_size().ok()?;
        is_sound.then_some(Self { header, size_bytes })
    }
}

fn until_nul(data: &[u8]) -> Vec<u8> {
    data.split(|&byte| byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec()
}
