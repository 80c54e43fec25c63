//! One snapshot, two cores: scans on the thread that reads, hashes on another; buffers go round in a ring.

use super::hashing::{Hashed, TrailerHasher};
use super::pass::Pass;
use super::read::{HashOn, ReadError, Reading};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of one read: they go from core to core, by way of the cache that both share. Like the size of a lane's reads a
/// multiple of 64 KiB, the largest page size, and enough to hold both meta pages.
const CHUNK_BYTES: usize = 1 << 20;
/// Buffers between the scan and the hash.
const BUFFERS: usize = 4;

/// A buffer, how much of it is filled, and where the data ends if that has just been seen.
type Chunk = (Vec<u8>, usize, Option<u64>);

/// Reads the snapshot of `pass` to its end.
pub(super) fn read_one(mut pass: Pass<'_>) -> Result<Reading, ReadError> {
    let hashed = scan_and_hash(&mut pass)?;
    Ok(pass.conclude(&hashed, HashOn::OwnThread))
}

fn scan_and_hash(pass: &mut Pass<'_>) -> Result<Hashed, ReadError> {
    let (full, to_hash) = sync_channel::<Chunk>(BUFFERS);
    let (empty, recycled) = sync_channel::<Vec<u8>>(BUFFERS);
    std::thread::scope(|scope| {
        let hash = scope.spawn(move || hash_all(&to_hash, &empty));
        let scanned = scan_all(pass, &full, &recycled);
        drop(full);
        let hashed = hash.join().map_err(|_| ReadError::Interrupted);
        scanned.and(hashed)
    })
}

fn scan_all(
    pass: &mut Pass<'_>,
    full: &SyncSender<Chunk>,
    recycled: &Receiver<Vec<u8>>,
) -> Result<(), ReadError> {
    let mut made = 0;
    loop {
        let mut buffer = if made < BUFFERS {
            made += 1;
            vec![0; CHUNK_BYTES]
        } else {
            recycled.recv().map_err(|_| ReadError::Interrupted)?
        };
        let length = pass.fill(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let data_end = pass.scan_chunk(buffer.get(..length).unwrap_or_default());
        full.send((buffer, length, data_end))
            .map_err(|_| ReadError::Interrupted)?;
    }
}

fn hash_all(full: &Receiver<Chunk>, empty: &SyncSender<Vec<u8>>) -> Hashed {
    let mut hasher = TrailerHasher::new();
    while let Ok((buffer, length, data_end)) = full.recv() {
        if let Some(data_end) = data_end {
            hasher.expect_data_end(data_end);
        }
        hasher.update(buffer.get(..length).unwrap_or_default());
        // The scan has ended when nobody takes the buffer back.
        let _ = empty.try_send(buffer);
    }
    hasher.finish()
}
