//! tar, member by member, nothing extracted and nothing skipped over in silence.
//!
//! The `tar` crate knows the header's layout; the walk is ours, because three things must show that its iterator
//! passes over: end blocks that are missing, what stands behind them, and a name as long as memory.

use super::tar_header::{ExtendedHeader, HEADER_BYTES, SoundHeader, TarMember};
use crate::bytes::to_u64;
use std::io::{self, BufRead};
use tar::{EntryType, Header};
use zeroize::Zeroizing;

const BLOCK_BYTES: u64 = 512;

/// Mark in GNU headers of sparse files: one more block of the map follows.
const SPARSE_EXTENSION_POSITION: usize = 504;

/// How much a tar may ask of us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TarLimits {
    /// Members, directories included.
    pub(crate) max_members: u64,
    /// Bytes of a member's name or of its extended header. Linux allows 4,096 for a path.
    pub(crate) max_name_bytes: u64,
}

/// What is wrong with the archive as a tar. Offsets count inflated bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TarDefect {
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

/// What the walk has come to.
pub(crate) enum TarStep {
    Member(TarMember),
    Defect(TarDefect),
    /// Nothing more; everything behind it was read.
    End,
}

/// Walks over the members.
pub(crate) struct TarReader<R> {
    input: R,
    limits: TarLimits,
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
    pub(crate) fn new(input: R, limits: TarLimits) -> Self {
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

    pub(crate) fn into_inner(self) -> R {
        self.input
    }

    /// Goes to the next member, passing over what is left of this one.
    pub(crate) fn step(&mut self) -> io::Result<TarStep> {
        let mut extension = ExtendedHeader::default();
        loop {
            if self.is_ended {
                return Ok(TarStep::End);
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
                return Ok(TarStep::Defect(TarDefect::Header { offset }));
            };
            self.is_lost = false;
            if let Some(step) = self.take(&header, &mut extension)? {
                return Ok(step);
            }
        }
    }

    /// Handles a sound header. `None`: it only said something of the next member.
    fn take(
        &mut self,
        header: &SoundHeader<'_>,
        extension: &mut ExtendedHeader,
    ) -> io::Result<Option<TarStep>> {
        self.members += 1;
        if self.members > self.limits.max_members {
            let limit = self.limits.max_members;
            return Ok(Some(self.end_with(TarDefect::Members { limit })));
        }
        let kind = header.header.entry_type();
        if ExtendedHeader::is_announced_by(kind) {
            return self.read_extension(kind, header.size_bytes, extension);
        }
        if kind.is_pax_global_extensions() {
            self.set_unread(header.size_bytes);
            return Ok(None);
        }
        let member = header.member(std::mem::take(extension));
        if kind.is_gnu_sparse() {
            self.skip_sparse_map(header.header)?;
        }
        self.set_unread(member.size_bytes);
        Ok(Some(TarStep::Member(member)))
    }

    fn read_extension(
        &mut self,
        kind: EntryType,
        size_bytes: u64,
        extension: &mut ExtendedHeader,
    ) -> io::Result<Option<TarStep>> {
        let offset = self.offset;
        self.set_unread(size_bytes);
        let Some(data) = self.read_data(self.limits.max_name_bytes)? else {
            return Ok(Some(TarStep::Defect(TarDefect::Name {
                offset,
                size_bytes,
            })));
        };
        extension.learn(kind, &data);
        Ok(None)
    }

    /// The data of the current member, wiped when dropped: they may be keys. `None` when there are more than
    /// `max_bytes`. Shorter when the archive ends in it.
    pub(crate) fn read_data(&mut self, max_bytes: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        if self.unread_data_bytes > max_bytes {
            return Ok(None);
        }
        // In one piece, as a vector that grows leaves copies behind. A header may promise anything: the limit bounds
        // it.
        let promised = usize::try_from(self.unread_data_bytes).unwrap_or(usize::MAX);
        let mut data = Zeroizing::new(vec![0; promised]);
        let filled = self.read_some(&mut data)?;
        data.truncate(filled);
        let count = u64::try_from(filled).unwrap_or(u64::MAX);
        self.unread_bytes = self.unread_bytes.saturating_sub(count);
        self.unread_data_bytes = self.unread_data_bytes.saturating_sub(count);
        Ok(Some(data))
    }

    /// Reads on in the data of the current member; nothing at its end.
    pub(crate) fn read_member(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.unread_data_bytes).unwrap_or(usize::MAX);
        let length = most.min(out.len());
        let Some(out) = out.get_mut(..length).filter(|out| !out.is_empty()) else {
            return Ok(0);
        };
        let count = to_u64(self.input.read(out)?.min(length));
        if count == 0 {
            let reason = "the archive ends in the midst of this member";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
        self.offset += count;
        self.unread_bytes = self.unread_bytes.saturating_sub(count);
        self.unread_data_bytes = self.unread_data_bytes.saturating_sub(count);
        Ok(usize::try_from(count).unwrap_or(length))
    }

    /// True while data of the current member are outstanding: the archive ended in the midst of it.
    pub(crate) fn has_unread_data(&self) -> bool {
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
    fn end_block(&mut self, offset: u64) -> io::Result<TarStep> {
        let mut second = [0; HEADER_BYTES];
        if self.read_some(&mut second)? < HEADER_BYTES || second.iter().any(|&byte| byte != 0) {
            return Ok(self.end_with(TarDefect::EndMissing { offset }));
        }
        self.is_ended = true;
        let behind = self.offset;
        if self.drain()? {
            Ok(TarStep::End)
        } else {
            Ok(TarStep::Defect(TarDefect::BehindEnd { offset: behind }))
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

    fn end_with(&mut self, defect: TarDefect) -> TarStep {
        self.is_ended = true;
        TarStep::Defect(defect)
    }

    /// Reads until `out` is full or the archive ends.
    fn read_some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest)? {
                0 => break,
                count => filled += count,
            }
        }
        self.offset += u64::try_from(filled).unwrap_or(u64::MAX);
        Ok(filled)
    }
}
