//! What the page cache of the system holds of a file, asked without waiting for a disk.

use rustix::fs::Advice;
use rustix::io::{Errno, ReadWriteFlags};
use std::fs::File;
use std::io::IoSliceMut;
use std::num::NonZeroU64;

/// Reads what the page cache holds at `offset`, without waiting for a disk.
pub(super) fn read_if_cached(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut buffers = [IoSliceMut::new(buffer)];
    rustix::io::preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT)
}

/// Does the page cache hold the page at `offset`, which lies inside the file?
pub(super) fn is_cached(file: &File, offset: u64) -> bool {
    read_if_cached(file, &mut [0], offset).is_ok_and(|length| length == 1)
}

/// Asks the system to forget what it has cached; it keeps what others use.
pub(super) fn drop_from_cache(file: &File, offset: u64, length: u64) {
    if let Some(length) = NonZeroU64::new(length) {
        let _ = rustix::fs::fadvise(file, offset, Some(length), Advice::DontNeed);
    }
}
