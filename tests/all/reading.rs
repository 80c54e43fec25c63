//! Sources that stutter, fail and panic: what is learnt does not depend on who reads, and nothing waits for ever.
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a source that panics is the subject, and a test that fails is to stop where it fails"
)]

use crate::support::dice::Dice;
use crate::support::samples;
use etcd_cat::monitor::{Monitor, Silent};
use etcd_cat::snapshot::{self, HashOn, ReadError, Snapshot};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

const CHUNK_BYTES: usize = 1 << 20;

/// What becomes of a source at some offset.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Sound,
    Fails(usize),
    Panics(usize),
}

/// Reads short, interrupts, yields, and ends as told.
struct Stuttering<'f> {
    bytes: &'f [u8],
    position: usize,
    end: End,
    dice: Dice,
}

impl Read for Stuttering<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.dice.roll(8) {
            0 => return Err(io::ErrorKind::Interrupted.into()),
            1 => std::thread::yield_now(),
            2 => std::thread::sleep(Duration::from_micros(200)),
            _ => {}
        }
        let stop = match self.end {
            End::Sound => self.bytes.len(),
            End::Fails(at) | End::Panics(at) => at,
        };
        let most = [out.len(), 70_001, CHUNK_BYTES / 2][self.dice.length(3)];
        let length = out.len().min(most).min(stop - self.position);
        if length == 0 {
            match self.end {
                End::Sound => {}
                End::Fails(_) => return Err(io::Error::other("bad sector")),
                End::Panics(_) => panic!("a source that panics"),
            }
        }
        out[..length].copy_from_slice(&self.bytes[self.position..self.position + length]);
        self.position += length;
        Ok(length)
    }
}

/// `None` for a panic.
fn read(bytes: &[u8], end: End, hash_on: HashOn, seed: u64) -> Option<Result<Snapshot, ReadError>> {
    let mut source = Stuttering {
        bytes,
        position: 0,
        end,
        dice: Dice(seed),
    };
    let read = || snapshot::read(&mut source, hash_on, &Silent).map(|reading| reading.snapshot);
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// Snapshots of many lengths: a real one, cut or followed by what does not belong to it.
fn files() -> Vec<Vec<u8>> {
    let sample = samples::bytes("backups/prod/snapshot_2024-11-02_030000.db");
    let around = [0, 1, 31, 32, 33, 512 + 32];
    let lengths = [0, CHUNK_BYTES, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES];
    let mut files = vec![sample.clone()];
    for length in lengths {
        for more in around {
            let mut file = sample.clone();
            file.resize(length + more, 7);
            files.push(file);
        }
        let mut file = sample.clone();
        file.resize(length.max(1) - 1, 7);
        files.push(file);
    }
    files
}

#[test]
fn two_cores_learn_what_one_does_from_a_source_that_stutters() {
    let (done, is_done) = channel();
    let reading = std::thread::spawn(move || {
        for (number, bytes) in files().iter().enumerate() {
            let alone = snapshot::read(&mut bytes.as_slice(), HashOn::SameThread, &Silent);
            let expected = alone.expect("memory can be read").snapshot;
            for seed in 0..4 {
                let places = u64::try_from(bytes.len()).expect("usize fits") + 1;
                let at = Dice(seed + 1).length(places);
                for end in [End::Sound, End::Fails(at), End::Panics(at)] {
                    for hash_on in [HashOn::OwnThread, HashOn::SameThread] {
                        let told = format!("file {number}, {end:?}, {hash_on:?}, seed {seed}");
                        match (end, read(bytes, end, hash_on, seed)) {
                            (End::Sound, Some(Ok(found))) => assert_eq!(found, expected, "{told}"),
                            (End::Fails(at), Some(Err(ReadError::Io { offset, .. }))) => {
                                assert_eq!(usize::try_from(offset), Ok(at), "{told}");
                            }
                            (End::Panics(_), None) => {}
                            (_, other) => panic!("{told}: {other:?}"),
                        }
                    }
                }
            }
        }
        done.send(()).expect("somebody waits");
    });
    // Nothing may wait for ever; the panics on the way are part of the test.
    let ended = is_done.recv_timeout(Duration::from_secs(300));
    if ended.is_ok() || reading.is_finished() {
        reading.join().expect("as expected");
    }
    assert!(ended.is_ok(), "still reading");
}

/// Is asked so many times before it wants the reading to stop.
struct Patience(AtomicU32);

impl Monitor for Patience {
    fn is_interrupted(&self) -> bool {
        let left = |left: u32| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
            .is_err()
    }
}

#[test]
fn an_interruption_stops_both_cores_and_comes_too_late_behind_the_end() {
    let mut bytes = samples::bytes("backups/prod/snapshot_2024-11-02_030000.db");
    bytes.resize(3 * CHUNK_BYTES, 7);
    for hash_on in [HashOn::OwnThread, HashOn::SameThread] {
        let read = |questions| {
            let monitor = Patience(AtomicU32::new(questions));
            snapshot::read(&mut bytes.as_slice(), hash_on, &monitor)
        };
        let is_interrupted = |questions| matches!(read(questions), Err(ReadError::Interrupted));
        let enough = (0..1000).find(|questions| !is_interrupted(*questions));
        // One for each buffer at least, and one for the end.
        assert!(enough.is_some_and(|enough| enough >= 4), "{enough:?}");
        assert!(enough.is_some_and(|enough| read(enough).is_ok()));
    }
}
