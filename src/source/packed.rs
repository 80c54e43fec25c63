//! A stream that may be packed, once or several times over, and how much of that is put up with.
//!
//! What is packed says itself how it is packed, at each layer anew. Layers are counted from the outermost object down
//! through every archive, and what comes out of them is held against what went in: no file can ask for more work than one
//! layer of ordinary packing could.

use super::archive::ArchiveKind;
use super::compressed::{Compression, begin_unpacked, decompress_buffered};
use crate::bytes::to_u64;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Compressions one inside the other, and archives one inside the other.
pub(crate) const MAX_LAYERS: u8 = 3;
/// First bytes that tell what somebody packed.
pub(crate) const HEAD_BYTES: usize = 64 << 10;
/// The same where nothing unpacks from so few: lz4 packs blocks of up to 4 MiB, and gives none before all of it is there.
pub(crate) const LONG_HEAD_BYTES: usize = (4 << 20) + HEAD_BYTES;
/// Bytes taken from the outermost stream at once.
const OUTER_BUFFER_BYTES: usize = 1 << 20;
/// The same for a layer inside another one.
const INNER_BUFFER_BYTES: usize = 64 << 10;
/// Deflate itself ends at 1032 bytes for each.
const MAX_RATIO: u64 = 1100;
/// Below this the ratio says nothing.
const RATIO_FROM_BYTES: u64 = 1 << 30;

/// What all layers of one object share.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackingBudget {
    /// Bytes that were read of the object itself.
    packed_bytes: Arc<AtomicU64>,
    compressions: u8,
    archives: u8,
}

/// A stream at some layer of an object.
pub(crate) struct PackedStream<'r> {
    reader: Box<dyn Read + Send + 'r>,
    /// Bytes that were looked at in advance.
    head: Vec<u8>,
    position: usize,
    /// How the stream ended while it was looked at in advance: nobody asks it again.
    end: Option<io::Result<()>>,
    budget: PackingBudget,
}

impl PackingBudget {
    /// Counts bytes that were read of the object itself.
    pub(crate) fn meter(&self, bytes: usize) {
        self.packed_bytes
            .fetch_add(to_u64(bytes), Ordering::Relaxed);
    }

    /// What is left for the members of an archive at this layer.
    ///
    /// # Errors
    ///
    /// It lies too deep.
    pub(crate) fn below(&self) -> io::Result<Self> {
        let mut budget = self.clone();
        if budget.archives == MAX_LAYERS {
            let reason = format!("archives more than {MAX_LAYERS} deep: not looked into");
            return Err(io::Error::other(reason));
        }
        budget.archives += 1;
        Ok(budget)
    }

    /// A member of an archive at this layer.
    pub(crate) fn stream<'r>(&self, member: Box<dyn Read + Send + 'r>) -> PackedStream<'r> {
        PackedStream {
            reader: member,
            head: Vec::new(),
            position: 0,
            end: None,
            budget: self.clone(),
        }
    }
}

impl<'r> PackedStream<'r> {
    /// An object, from its first byte.
    pub(crate) fn new(object: impl Read + Send + 'r) -> Self {
        let budget = PackingBudget::default();
        let metered = Metered {
            reader: object,
            bytes: Arc::clone(&budget.packed_bytes),
        };
        budget.stream(Box::new(metered))
    }

    /// Its first bytes, without taking them: fewer than asked for only at its end, or where it breaks.
    ///
    /// # Errors
    ///
    /// Not even one byte can be read.
    pub(crate) fn head(&mut self, bytes: usize) -> io::Result<&[u8]> {
        let missing = bytes.saturating_sub(self.head.len());
        if missing > 0 && self.end.is_none() {
            let wanted = to_u64(missing);
            let outcome = self
                .reader
                .by_ref()
                .take(wanted)
                .read_to_end(&mut self.head);
            self.end = match outcome {
                Err(error) => Some(Err(error)),
                Ok(length) if length < missing => Some(Ok(())),
                Ok(_) => None,
            };
        }
        match &mut self.end {
            Some(end @ Err(_)) if self.head.is_empty() => {
                std::mem::replace(end, Ok(())).map(|()| self.head.as_slice())
            }
            _ => Ok(&self.head),
        }
    }

    /// Takes off every compression.
    ///
    /// # Errors
    ///
    /// There are more of them than anybody puts on, a decoder cannot be set up, or nothing can be read.
    pub(crate) fn unpack(mut self) -> io::Result<Self> {
        while let Some(compression) = Compression::of(self.head(Compression::MAGIC_BYTES)?) {
            self = self.take_off(compression)?;
        }
        Ok(self)
    }

    /// Takes off this compression.
    ///
    /// # Errors
    ///
    /// As [`unpack`](Self::unpack).
    pub(crate) fn take_off(self, compression: Compression) -> io::Result<Self> {
        let mut budget = self.budget.clone();
        if budget.compressions == MAX_LAYERS {
            let reason = format!("packed more than {MAX_LAYERS} times over: not unpacked");
            return Err(io::Error::other(reason));
        }
        let buffer_bytes = match budget.compressions {
            0 => OUTER_BUFFER_BYTES,
            _ => INNER_BUFFER_BYTES,
        };
        budget.compressions += 1;
        let packed = BufReader::with_capacity(buffer_bytes, self.into_reader());
        let bounded = Bounded {
            reader: decompress_buffered(packed, compression)?,
            bytes: 0,
            packed_bytes: Arc::clone(&budget.packed_bytes),
        };
        Ok(budget.stream(Box::new(bounded)))
    }

    /// Takes off every compression around an archive but the gzip that it is by itself: what comes out is the `.tar.gz` that
    /// was packed once more, or a tar that is not compressed any more.
    ///
    /// # Errors
    ///
    /// As [`unpack`](Self::unpack).
    pub(crate) fn unpack_to_archive(mut self) -> io::Result<Self> {
        loop {
            let head = self.head(HEAD_BYTES)?;
            let Some(compression) = Compression::of(head) else {
                return Ok(self);
            };
            let is_long = head.len() == HEAD_BYTES;
            let mut begin = begin_unpacked(head, compression, HEAD_BYTES);
            if begin.is_empty() && is_long {
                begin = begin_unpacked(self.head(LONG_HEAD_BYTES)?, compression, HEAD_BYTES);
            }
            let is_packed_again = Compression::of(&begin).is_some();
            let is_other = compression != Compression::Gzip && ArchiveKind::of(&begin).is_some();
            if !is_packed_again && !is_other {
                return Ok(self);
            }
            self = self.take_off(compression)?;
        }
    }

    /// What is left for the members of the archive that it is.
    ///
    /// # Errors
    ///
    /// It lies too deep.
    pub(crate) fn below(&self) -> io::Result<PackingBudget> {
        self.budget.below()
    }

    /// Something was taken off.
    pub(crate) fn is_unpacked(&self) -> bool {
        self.budget.compressions > 0
    }

    /// From the first byte.
    pub(crate) fn into_reader(self) -> Box<dyn Read + Send + 'r> {
        if self.head.is_empty() && self.end.is_none() {
            self.reader
        } else {
            Box::new(self)
        }
    }
}

impl Read for PackedStream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ahead = self.head.get(self.position..).unwrap_or_default();
        if ahead.is_empty() {
            return match self.end.replace(Ok(())) {
                Some(Err(error)) => Err(error),
                Some(Ok(())) => Ok(0),
                None => {
                    self.end = None;
                    self.reader.read(out)
                }
            };
        }
        let length = { ahead }.read(out)?;
        self.position += length;
        Ok(length)
    }
}

impl std::fmt::Debug for PackedStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PackedStream")
    }
}

/// Counts what is read of an object.
struct Metered<R> {
    reader: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(out)?;
        self.bytes.fetch_add(to_u64(length), Ordering::Relaxed);
        Ok(length)
    }
}

/// What comes out of a layer, as long as it is in proportion to what went in.
struct Bounded<'r> {
    reader: Box<dyn Read + Send + 'r>,
    bytes: u64,
    packed_bytes: Arc<AtomicU64>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(out)?;
        self.bytes += to_u64(length);
        if self.bytes > RATIO_FROM_BYTES {
            let packed = self.packed_bytes.load(Ordering::Relaxed).max(1);
            if self.bytes / packed > MAX_RATIO {
                let reason = format!(
                    "unpacks to more than {MAX_RATIO} times its size: not read any further"
                );
                return Err(io::Error::other(reason));
            }
        }
        Ok(length)
    }
}
