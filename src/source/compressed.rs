//! Snapshots that were packed after they were taken: `.db.gz`, `.db.zst`.

use crate::discovery::Compression;
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Read};

/// Bytes taken from the packed file at once.
const BUFFER_BYTES: usize = 1 << 20;

/// The unpacked bytes of `packed`. Checksums of the packing are checked as its end is reached.
///
/// # Errors
///
/// The decoder cannot be set up (out of memory).
pub fn decompress<'r>(
    packed: impl Read + 'r,
    compression: Compression,
) -> io::Result<Box<dyn Read + 'r>> {
    let packed = BufReader::with_capacity(BUFFER_BYTES, packed);
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
    })
}
