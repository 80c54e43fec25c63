//! gzip, read to its very end: every stream's CRC and length are checked, and what follows is looked at.
//!
//! `tar -xzf` reads through gzip(1): further gzip streams are one with the first, zero padding is passed over, and
//! anything else makes it exit 2.

use super::limits::ArchiveLimits;
use crate::digest::Sha256Digest;
use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read};

/// Bytes read at once: few, so that a reading that is to stop stops soon even where these inflate to a thousand times
/// as many.
const BUFFER_BYTES: usize = 64 << 10;

/// First two bytes of a gzip stream.
const GZIP_MAGIC: &[u8] = &[0x1F, 0x8B];

/// What ended the reading before its time, or stands behind its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum GzipDefect {
    /// The file itself could not be read on.
    Io { offset: u64, text: String },
    /// The file ends inside a gzip stream.
    Truncated { offset: u64 },
    /// No gzip, or damaged deflate data, or wrong CRC or length.
    Damaged { offset: u64, text: String },
    /// Bytes behind the last gzip stream.
    TrailingGarbage { offset: u64 },
    /// Zero bytes behind the last gzip stream: gzip(1) passes over them.
    ZeroPadding { offset: u64 },
    /// More inflated bytes than any real archive.
    TooLarge { limit_bytes: u64 },
    /// Inflates like nothing real.
    Ratio { ratio: u64, limit: u64 },
}

/// The compressed file: every byte that is read is hashed.
struct HashingReader<R> {
    file: R,
    buffer: Vec<u8>,
    position: usize,
    filled: usize,
    consumed_bytes: u64,
    hash: Sha256,
    error: Option<String>,
}

impl<R: Read> HashingReader<R> {
    fn new(file: R) -> Self {
        Self {
            file,
            buffer: vec![0; BUFFER_BYTES],
            position: 0,
            filled: 0,
            consumed_bytes: 0,
            hash: Sha256::new(),
            error: None,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let filled = loop {
            match self.file.read(&mut self.buffer) {
                Ok(filled) => break filled,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error.to_string());
                    return Err(error);
                }
            }
        };
        self.position = 0;
        self.filled = filled;
        self.hash
            .update(self.buffer.get(..filled).unwrap_or_default());
        Ok(())
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.fill_buf()?.read(out)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: Read> BufRead for HashingReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // After an error nothing more is asked of the file: it might answer, with a hole in between.
        if self.position == self.filled && self.error.is_none() {
            self.refill()?;
        }
        Ok(self
            .buffer
            .get(self.position..self.filled)
            .unwrap_or_default())
    }

    fn consume(&mut self, taken: usize) {
        self.position = self.filled.min(self.position + taken);
        self.consumed_bytes += u64::try_from(taken).unwrap_or(u64::MAX);
    }
}

/// Where in the file the reading is.
enum GzipState<R> {
    /// Boxed: the decoder is large and is handed on at every stream.
    Inside(Box<GzDecoder<HashingReader<R>>>),
    /// Not compressed at all.
    Plain(HashingReader<R>),
    Behind(HashingReader<R>),
    Empty,
}

/// The inflated bytes of all gzip streams of a file, within limits.
///
/// After the first defect it reads as ended; [`GzipReader::finish`] tells why.
pub(super) struct GzipReader<R> {
    state: GzipState<R>,
    limits: ArchiveLimits,
    inflated_bytes: u64,
    defect: Option<GzipDefect>,
}

/// What is known of the compressed file once it was read.
pub(super) struct GzipEnd {
    pub(super) sha256: Sha256Digest,
    pub(super) size_bytes: u64,
    pub(super) defect: Option<GzipDefect>,
}

impl<R: Read> GzipReader<R> {
    pub(super) fn new(file: R, limits: ArchiveLimits) -> Self {
        let decoder = GzDecoder::new(HashingReader::new(file));
        Self::at(GzipState::Inside(Box::new(decoder)), limits)
    }

    /// Of a tar that is not compressed any more: its bytes are passed on.
    pub(super) fn plain(file: R, limits: ArchiveLimits) -> Self {
        Self::at(GzipState::Plain(HashingReader::new(file)), limits)
    }

    fn at(state: GzipState<R>, limits: ArchiveLimits) -> Self {
        Self {
            state,
            limits,
            inflated_bytes: 0,
            defect: None,
        }
    }

    /// True when reading ended because of a defect.
    pub(super) fn is_broken(&self) -> bool {
        !matches!(
            self.defect,
            None | Some(GzipDefect::TrailingGarbage { .. } | GzipDefect::ZeroPadding { .. })
        )
    }

    fn compressed(&self) -> Option<&HashingReader<R>> {
        match &self.state {
            GzipState::Inside(decoder) => Some(decoder.get_ref()),
            GzipState::Behind(file) | GzipState::Plain(file) => Some(file),
            GzipState::Empty => None,
        }
    }

    fn consumed_bytes(&self) -> u64 {
        self.compressed().map_or(0, |file| file.consumed_bytes)
    }

    /// Inflates on; 0 at the end of the last stream and at a defect.
    fn inflate(&mut self, out: &mut [u8]) -> usize {
        if let GzipState::Plain(file) = &mut self.state {
            match file.read(out) {
                Ok(count) => {
                    self.count(count);
                    return count;
                }
                Err(error) => self.fail(&error),
            }
        }
        while let GzipState::Inside(decoder) = &mut self.state {
            match decoder.read(out) {
                Ok(0) => self.end_stream(),
                Ok(count) => {
                    self.count(count);
                    return count;
                }
                Err(error) => self.fail(&error),
            }
            if self.defect.is_some() {
                return 0;
            }
        }
        0
    }

    fn count(&mut self, count: usize) {
        self.inflated_bytes += u64::try_from(count).unwrap_or(u64::MAX);
        let ArchiveLimits {
            max_inflated_bytes: limit_bytes,
            max_ratio: limit,
            ratio_from_bytes,
            ..
        } = self.limits;
        if self.inflated_bytes > limit_bytes {
            self.defect = Some(GzipDefect::TooLarge { limit_bytes });
        }
        let ratio = self.inflated_bytes / self.consumed_bytes().max(1);
        if self.inflated_bytes > ratio_from_bytes && ratio > limit {
            self.defect = Some(GzipDefect::Ratio { ratio, limit });
        }
    }

    /// One gzip stream is complete, CRC and length included: another one, padding, garbage, or the end.
    fn end_stream(&mut self) {
        let GzipState::Inside(decoder) = std::mem::replace(&mut self.state, GzipState::Empty)
        else {
            return;
        };
        let mut file = decoder.into_inner();
        let offset = file.consumed_bytes;
        let first = file
            .fill_buf()
            .ok()
            .and_then(|bytes| bytes.first().copied());
        let error = file.error.take();
        match (first, error) {
            (_, Some(text)) => {
                self.defect = Some(GzipDefect::Io { offset, text });
                self.state = GzipState::Behind(file);
            }
            (None, None) => self.state = GzipState::Behind(file),
            // The second byte may lie in the next buffer: the decoder looks at it.
            (Some(byte), None) if GZIP_MAGIC.first() == Some(&byte) => {
                self.state = GzipState::Inside(Box::new(GzDecoder::new(file)));
            }
            (Some(_), None) => {
                self.defect = Some(behind_last_stream(&mut file, offset));
                self.state = GzipState::Behind(file);
            }
        }
    }

    fn fail(&mut self, error: &io::Error) {
        let offset = self.consumed_bytes();
        let io_text = self.compressed().and_then(|file| file.error.clone());
        self.defect = Some(match io_text {
            Some(text) => GzipDefect::Io { offset, text },
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                GzipDefect::Truncated { offset }
            }
            None => GzipDefect::Damaged {
                offset,
                text: error.to_string(),
            },
        });
    }

    /// Hashes what is left of the file, without inflating it, and tells how the reading ended.
    pub(super) fn finish(self) -> GzipEnd {
        let mut defect = self.defect;
        let mut file = match self.state {
            GzipState::Inside(decoder) => decoder.into_inner(),
            GzipState::Behind(file) | GzipState::Plain(file) => file,
            GzipState::Empty => {
                return GzipEnd {
                    sha256: Sha256Digest([0; 32]),
                    size_bytes: 0,
                    defect,
                };
            }
        };
        loop {
            match file.fill_buf().map(<[u8]>::len) {
                Ok(0) => break,
                Ok(count) => file.consume(count),
                Err(error) => {
                    let offset = file.consumed_bytes;
                    defect = Some(GzipDefect::Io {
                        offset,
                        text: error.to_string(),
                    });
                    break;
                }
            }
        }
        let sha256 = Sha256Digest(file.hash.finalize().into());
        GzipEnd {
            sha256,
            size_bytes: file.consumed_bytes,
            defect,
        }
    }
}

fn behind_last_stream<R: Read>(file: &mut HashingReader<R>, offset: u64) -> GzipDefect {
    loop {
        match file.fill_buf() {
            Ok([]) => return GzipDefect::ZeroPadding { offset },
            Ok(bytes) if bytes.iter().any(|&byte| byte != 0) => {
                return GzipDefect::TrailingGarbage { offset };
            }
            Ok(bytes) => {
                let count = bytes.len();
                file.consume(count);
            }
            Err(error) => {
                return GzipDefect::Io {
                    offset: file.consumed_bytes,
                    text: error.to_string(),
                };
            }
        }
    }
}

impl<R: Read> Read for GzipReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.defect.is_some() || out.is_empty() {
            return Ok(0);
        }
        Ok(self.inflate(out))
    }
}
