//! Snapshots that were packed after they were taken: `.db.gz`, `.db.zst`, `.db.xz`, `.db.bz2`, `.db.lz4`.
//!
//! Each decoder looks back as far as its packer did, in memory; how far is written in the file, and a file that claims
//! more than any packer is told to do by its ordinary options is refused.

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Read};

/// Memory of an xz decoder: `xz -9` looks back 64 MiB.
const XZ_MEMORY_KIB: u32 = 66 << 10;
/// Window of a zstd decoder: 128 MiB, that of `zstd --long=27` and the most that `zstd -d` takes unasked.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How a snapshot was packed after it was taken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Compression {
    /// `.db.gz`.
    Gzip,
    /// `.db.zst`.
    Zstd,
    /// `.db.xz`.
    Xz,
    /// `.db.bz2`.
    Bzip2,
    /// `.db.lz4`, in frames.
    Lz4,
}

impl Compression {
    /// Bytes that tell.
    pub(crate) const MAGIC_BYTES: usize = 10;

    /// By the first bytes of a file; `None`: not packed.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1F, 0x8B]) {
            Some(Self::Gzip)
        } else if head.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
            Some(Self::Zstd)
        } else if head.starts_with(b"\xFD7zXZ\0") {
            Some(Self::Xz)
        } else if head.starts_with(&[0x04, 0x22, 0x4D, 0x18]) {
            Some(Self::Lz4)
        } else if is_bzip2(head) {
            Some(Self::Bzip2)
        } else {
            None
        }
    }
}

/// Frames of lz4 one after the other: the decoder ends with the first.
struct Lz4Frames<R: BufRead>(FrameDecoder<R>);

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.0.read(buffer)?;
            let before = self.0.get_mut().fill_buf()?.len();
            if length > 0 || before == 0 || buffer.is_empty() {
                return Ok(length);
            }
            // A read that gives nothing and takes nothing would go on for ever.
            let length = self.0.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            if self.0.get_mut().fill_buf()?.len() == before {
                return Err(io::Error::other("data behind the lz4 frames"));
            }
        }
    }
}

/// Says of a window that is too large what it is: libzstd does not.
struct ZstdFrames<R>(R);

impl<R: Read> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let is_window = error.to_string().contains("too much memory");
            if is_window {
                let most = 1_u64 << (ZSTD_WINDOW_LOG - 20);
                io::Error::other(format!(
                    "its zstd window is larger than {most} MiB, that of zstd --long={ZSTD_WINDOW_LOG}: pack it anew"
                ))
            } else {
                error
            }
        })
    }
}

/// `BZh`, the size of blocks, and the magic number of a block or of the end.
fn is_bzip2(head: &[u8]) -> bool {
    let rest = head.strip_prefix(b"BZh").and_then(<[u8]>::split_first);
    rest.is_some_and(|(size, rest)| {
        (b'1'..=b'9').contains(size)
            && (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
    })
}

/// The unpacked bytes of `packed`. Checksums of the packing are checked as its end is reached.
///
/// # Errors
///
/// The decoder cannot be set up (out of memory).
pub(super) fn decompress_buffered<'r>(
    packed: impl BufRead + Send + 'r,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(ZstdFrames(decoder))
        }
        Compression::Xz => Box::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY_KIB)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
        Compression::Lz4 => Box::new(Lz4Frames(FrameDecoder::new(packed))),
    })
}

/// What unpacks from the first bytes of something packed, up to a limit: a bomb costs no more than this. They end in the
/// middle, so an error at their end is expected.
pub(crate) fn begin_unpacked(head: &[u8], compression: Compression, limit: usize) -> Vec<u8> {
    let mut unpacked = Vec::new();
    if let Ok(decoder) = decompress_buffered(head, compression) {
        let mut limited = decoder.take(crate::bytes::to_u64(limit));
        // What was unpacked before the error is kept in the vector.
        let _ended_early = limited.read_to_end(&mut unpacked).is_err();
    }
    unpacked
}

#[cfg(test)]
mod tests {
    use crate::source::PackedStream;
    use std::io::{self, Read, Write as _};

    fn unpack(stream: &[u8]) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(PackedStream::new(stream).unpack()?.into_reader())
    }

    #[test]
    fn a_stream_is_unpacked_by_what_it_begins_with() -> io::Result<()> {
        let plain = b"pages and pages".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain)?;
        let packed = [
            plain.clone(),
            gzip.finish()?,
            zstd::stream::encode_all(plain.as_slice(), 1)?,
        ];
        for stream in packed {
            let mut found = Vec::new();
            unpack(&stream)?.read_to_end(&mut found)?;
            assert_eq!(found, plain);
        }
        for short in [&b""[..], b"\x1f", b"\x28\xb5\x2f"] {
            let mut found = Vec::new();
            unpack(short)?.read_to_end(&mut found)?;
            assert_eq!(found, short);
        }
        Ok(())
    }

    #[test]
    fn packed_streams_one_after_the_other_are_one() -> io::Result<()> {
        macro_rules! packed {
            ($ending:literal) => {
                include_bytes!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/testdata/cases/packed/snapshot_2025-05-13_080917.db.",
                    $ending
                ))
                .as_slice()
            };
        }
        let mut plain = Vec::new();
        unpack(packed!("zst"))?.read_to_end(&mut plain)?;
        for packed in [
            packed!("xz"),
            packed!("bz2"),
            packed!("lz4"),
            packed!("zst"),
        ] {
            let mut found = Vec::new();
            unpack(&[packed, packed].concat())?.read_to_end(&mut found)?;
            assert!(found == plain.repeat(2));
        }
        Ok(())
    }
}
