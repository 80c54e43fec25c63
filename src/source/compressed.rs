//! Snapshots that were packed after they were taken: `.db.gz`, `.db.zst`.

use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Bytes taken from the packed file at once.
const BUFFER_BYTES: usize = 1 << 20;

/// How a snapshot was packed after it was taken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Compression {
    /// `.db.gz`.
    Gzip,
    /// `.db.zst`.
    Zstd,
}

impl Compression {
    /// Bytes that tell.
    pub(crate) const MAGIC_BYTES: usize = 4;

    /// By the first bytes of a file; `None`: not packed.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1F, 0x8B]) {
            Some(Self::Gzip)
        } else if head.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

/// The unpacked bytes of `packed`; the bytes themselves if they are not packed. Checksums of the packing are checked as its
/// end is reached.
///
/// # Errors
///
/// The decoder cannot be set up (out of memory).
pub(crate) fn decompress<'r>(
    packed: impl Read + Send + 'r,
    compression: Option<Compression>,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    match compression {
        Some(compression) => {
            let packed = BufReader::with_capacity(BUFFER_BYTES, packed);
            decompress_buffered(packed, compression)
        }
        None => Ok(Box::new(packed)),
    }
}

/// The same for what lies in memory.
pub(crate) fn decompress_buffered<'r>(
    packed: impl BufRead + Send + 'r,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
    })
}

/// The bytes of a stream, unpacked if it begins as a packed one does.
///
/// # Errors
///
/// The stream cannot be read, or as [`decompress`].
pub(crate) fn unpack<'r>(
    mut stream: impl Read + Send + 'r,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    let mut head = Vec::with_capacity(Compression::MAGIC_BYTES);
    let most = crate::bytes::to_u64(Compression::MAGIC_BYTES);
    stream.by_ref().take(most).read_to_end(&mut head)?;
    let compression = Compression::of(&head);
    let whole = Cursor::new(head).chain(stream);
    decompress(whole, compression)
}

#[cfg(test)]
mod tests {
    use super::unpack;
    use std::io::{Read as _, Write as _};

    #[test]
    fn a_stream_is_unpacked_by_what_it_begins_with() -> std::io::Result<()> {
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
            unpack(stream.as_slice())?.read_to_end(&mut found)?;
            assert_eq!(found, plain);
        }
        for short in [&b""[..], b"\x1f", b"\x28\xb5\x2f"] {
            let mut found = Vec::new();
            unpack(short)?.read_to_end(&mut found)?;
            assert_eq!(found, short);
        }
        Ok(())
    }
}
