//! Headers of a tar: one block each, and what extended headers say of the member behind them.
//!
//! Source: POSIX pax, section *ustar Interchange Format*; GNU tar, *Basic Tar Format*.

use tar::{EntryType, Header, PaxExtensions};

/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 512;

/// Position and width of the checksum in a header, counted as spaces while it is computed.
const CHECKSUM: std::ops::Range<usize> = 148..148 + CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 8;

pub(crate) type HeaderBlock = [u8; HEADER_BYTES];

/// One member, its data not yet read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TarMember {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: TarMemberKind,
    pub(crate) size_bytes: u64,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum TarMemberKind {
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

/// A header whose checksum is right and whose size is a number.
pub(crate) struct SoundHeader<'b> {
    pub(crate) header: &'b Header,
    pub(crate) size_bytes: u64,
}

impl<'b> SoundHeader<'b> {
    pub(crate) fn parse(block: &'b HeaderBlock) -> Option<Self> {
        let header = Header::from_byte_slice(block);
        let sum = |bytes: &[u8]| bytes.iter().copied().map(u32::from).sum::<u32>();
        let own = block.get(CHECKSUM).unwrap_or_default();
        let sum = sum(block) - sum(own) + sum(&[b' '; CHECKSUM_BYTES]);
        let is_sound = header.cksum().is_ok_and(|stored| stored == sum);
        let size_bytes = header.entry_size().ok()?;
        is_sound.then_some(Self { header, size_bytes })
    }

    /// The member that it stands before, whose extended headers said `extension`.
    pub(crate) fn member(&self, extension: ExtendedHeader) -> TarMember {
        let kind = self.header.entry_type();
        // GNU tar reads no data behind a hard link, whatever its size says.
        let size_bytes = if kind.is_hard_link() {
            0
        } else {
            extension.size_bytes.unwrap_or(self.size_bytes)
        };
        let path = extension
            .path
            .unwrap_or_else(|| self.header.path_bytes().into_owned());
        let target = || {
            let stored = self.header.link_name_bytes();
            let stored = stored.map(std::borrow::Cow::into_owned);
            extension.target.or(stored).unwrap_or_default()
        };
        let kind = match kind {
            EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") => {
                TarMemberKind::Directory
            }
            EntryType::Regular | EntryType::Continuous => TarMemberKind::File,
            EntryType::Directory => TarMemberKind::Directory,
            EntryType::Symlink => TarMemberKind::SymbolicLink { target: target() },
            EntryType::Link => TarMemberKind::HardLink { target: target() },
            other => TarMemberKind::Special(other.as_byte()),
        };
        TarMember {
            path,
            kind,
            size_bytes,
        }
    }
}

/// What an extended header says of the next member.
#[derive(Default)]
pub(crate) struct ExtendedHeader {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size_bytes: Option<u64>,
}

impl ExtendedHeader {
    /// Is a header of this kind about the next member, and not one itself?
    pub(crate) fn is_announced_by(kind: EntryType) -> bool {
        kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions()
    }

    /// Takes the data of a header of this kind.
    pub(crate) fn learn(&mut self, kind: EntryType, data: &[u8]) {
        if kind.is_gnu_longname() {
            self.path = Some(until_nul(data));
        } else if kind.is_gnu_longlink() {
            self.target = Some(until_nul(data));
        } else {
            self.learn_pax(data);
        }
    }

    fn learn_pax(&mut self, data: &[u8]) {
        for record in PaxExtensions::new(data).map_while(Result::ok) {
            match record.key_bytes() {
                b"path" => self.path = Some(record.value_bytes().to_vec()),
                b"linkpath" => self.target = Some(record.value_bytes().to_vec()),
                b"size" => {
                    let size = record.value().ok();
                    self.size_bytes = size.and_then(|text| text.parse().ok());
                }
                _ => {}
            }
        }
    }
}

fn until_nul(data: &[u8]) -> Vec<u8> {
    data.split(|&byte| byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec()
}
