//! The two meta pages: where everything starts.

use super::page::{PageHeader, Pgid};
use crate::bytes::{ByteOrder, Fields};
use crate::digest::fnv1a_64;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// `meta.freelist` of a file whose freelist is not stored.
const NO_FREELIST: u64 = u64::MAX;
/// Smallest and largest page size of any system that etcd runs on, as powers of two.
const PAGE_SIZE_BITS: std::ops::RangeInclusive<u32> = 10..=16;

/// A meta page whose magic, version and checksum have been checked.
///
/// | offset in page | bytes | field | meaning |
/// |---|---|---|---|
/// | 16 | 4 | `magic` | `0xED0CDAED` |
/// | 20 | 4 | `version` | 2 |
/// | 24 | 4 | `pageSize` | bytes |
/// | 28 | 4 | `flags` | unused |
/// | 32 | 8 | `root.root` | page of the root bucket |
/// | 40 | 8 | `root.sequence` | unused |
/// | 48 | 8 | `freelist` | page of the freelist, all ones when not stored |
/// | 56 | 8 | `pgid` | high water mark: pages in use or free |
/// | 64 | 8 | `txid` | transaction that wrote it |
/// | 72 | 8 | `checksum` | FNV-1a 64 over the 56 bytes before |
///
/// Integers are in the byte order of the machine that wrote the file.
///
/// Source: bbolt `internal/common/meta.go`, struct `Meta`, at 4e65d8f.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Meta {
    /// Page size in bytes: a power of two.
    pub(crate) page_size: u32,
    /// Root page of the root bucket.
    pub(crate) root: Pgid,
    /// Page of the stored freelist, if it is stored.
    pub(crate) freelist: Option<Pgid>,
    /// Number of pages in use or free.
    pub(crate) high_water_mark: Pgid,
    /// Transaction id.
    pub(crate) txid: u64,
}

/// Why a meta page does not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MetaDefect {
    /// The file ends before it.
    #[error("meta page is cut off")]
    Short,
    /// No bbolt page.
    #[error("magic is {found:#010x}, expected 0xed0cdaed")]
    Magic {
        /// The four bytes found.
        found: u32,
    },
    /// A format of the future or the distant past.
    #[error("version is {found}, expected 2")]
    Version {
        /// The version found.
        found: u32,
    },
    /// Bytes of the meta page changed.
    #[error("checksum is {found:#018x}, expected {expected:#018x}")]
    Checksum {
        /// The checksum stored.
        found: u64,
        /// The checksum of the 56 bytes before it.
        expected: u64,
    },
    /// Checksum right, page size impossible.
    #[error("page size is {found}, expected a power of two from 1024 to 65536")]
    PageSize {
        /// The size found.
        found: u32,
    },
    /// Both meta pages are sound by themselves but of different page sizes.
    #[error("page size is {found}, the other meta page says {expected}")]
    OtherPageSize {
        /// The size found.
        found: u32,
        /// The size of the other one.
        expected: u32,
    },
}

impl Meta {
    /// Bytes from the start of the page to the end of the checksum.
    pub(crate) const END: usize = 80;

    /// Reads and checks the meta page that starts at the first byte of `page`.
    ///
    /// # Errors
    ///
    /// The first [`MetaDefect`] in the order of the fields.
    pub(crate) fn parse(page: &[u8], order: ByteOrder) -> Result<Self, MetaDefect> {
        let meta = page
            .get(PageHeader::SIZE_BYTES..Self::END)
            .ok_or(MetaDefect::Short)?;
        let (hashed, _) = meta.split_at_checked(56).ok_or(MetaDefect::Short)?;
        Self::fields(meta, order, fnv1a_64(hashed)).ok_or(MetaDefect::Short)?
    }

    fn fields(meta: &[u8], order: ByteOrder, expected: u64) -> Option<Result<Self, MetaDefect>> {
        let mut fields = Fields::new(meta, order);
        let (magic, version) = (fields.u32()?, fields.u32()?);
        let (page_size, _flags) = (fields.u32()?, fields.u32()?);
        let (root, _sequence) = (fields.u64()?, fields.u64()?);
        let (freelist, pgid, txid, checksum) =
            (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        Some(if magic != MAGIC {
            Err(MetaDefect::Magic { found: magic })
        } else if version != VERSION {
            Err(MetaDefect::Version { found: version })
        } else if checksum != expected {
            Err(MetaDefect::Checksum {
                found: checksum,
                expected,
            })
        } else if !is_page_size(page_size) {
            Err(MetaDefect::PageSize { found: page_size })
        } else {
            let freelist = (freelist != NO_FREELIST).then_some(Pgid(freelist));
            Ok(Self {
                page_size,
                root: Pgid(root),
                freelist,
                high_water_mark: Pgid(pgid),
                txid,
            })
        })
    }

    /// Length of the database in bytes: what `snapshot status` calls `totalSize`. `None` when it overflows.
    pub(crate) fn size_bytes(&self) -> Option<u64> {
        self.high_water_mark
            .0
            .checked_mul(u64::from(self.page_size))
    }
}

fn is_page_size(size: u32) -> bool {
    size.is_power_of_two() && PAGE_SIZE_BITS.contains(&size.trailing_zeros())
}

/// Byte order, page size and the meta page that counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Layout {
    /// Byte order of every page.
    pub(crate) order: ByteOrder,
    /// The meta page that counts: valid, higher transaction id.
    pub(crate) meta: Meta,
    /// Why the other one is invalid, and which (0 or 1).
    pub(crate) other: Option<(Pgid, MetaDefect)>,
}

impl Layout {
    /// Finds the meta pages in the first bytes of a file.
    ///
    /// Page 1 lies one page size into the file; as long as page 0 is invalid, nobody knows where that is, so every
    /// page size is tried.
    ///
    /// # Errors
    ///
    /// What is wrong with page 0, when neither meta page is valid.
    pub(crate) fn find(head: &[u8]) -> Result<Self, MetaDefect> {
        let first =
            [ByteOrder::Little, ByteOrder::Big].map(|order| (order, Meta::parse(head, order)));
        for (order, parsed) in first {
            if let Ok(meta) = parsed {
                return Ok(Self::with_first(head, order, meta));
            }
        }
        let [(_, little), (_, big)] = first;
        let defect = match (little, big) {
            (Err(MetaDefect::Magic { .. }), Err(defect)) | (Err(defect), _) => defect,
            (Ok(_), _) => MetaDefect::Short,
        };
        Self::with_second_alone(head, defect).ok_or(defect)
    }

    fn with_first(head: &[u8], order: ByteOrder, first: Meta) -> Self {
        let second = head
            .get(crate::bytes::to_usize(first.page_size)..)
            .unwrap_or_default();
        let second = Meta::parse(second, order).and_then(|second| {
            let (found, expected) = (second.page_size, first.page_size);
            if found == expected {
                Ok(second)
            } else {
                Err(MetaDefect::OtherPageSize { found, expected })
            }
        });
        match second {
            Ok(second) if second.txid > first.txid => Self {
                order,
                meta: second,
                other: None,
            },
            Ok(_) => Self {
                order,
                meta: first,
                other: None,
            },
            Err(defect) => Self {
                order,
                meta: first,
                other: Some((Pgid(1), defect)),
            },
        }
    }

    fn with_second_alone(head: &[u8], defect: MetaDefect) -> Option<Self> {
        for bits in PAGE_SIZE_BITS {
            let page = head.get(1_usize << bits..)?;
            for order in [ByteOrder::Little, ByteOrder::Big] {
                match Meta::parse(page, order) {
                    Ok(meta) if meta.page_size == 1 << bits => {
                        return Some(Self {
                            order,
                            meta,
                            other: Some((Pgid(0), defect)),
                        });
                    }
                    _ => {}
                }
            }
        }
        None
    }
}
