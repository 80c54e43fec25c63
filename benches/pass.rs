//! The one pass over a snapshot, timed in memory: `cargo bench --bench pass`. Needs no etcd; benches/verify.py does.
//!
//! Rates are medians of some runs over a database written here, beside the rates of the two things that no pass can do
//! without: reading every byte once, and SHA-256. What a word costs from one processor to the other and back tells how
//! far apart they are: on two dies it takes several times as long, and so do the chunks of a pass on two cores.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::unwrap_used,
    reason = "measures, and says what it has measured"
)]

#[path = "../tests/all/support/mod.rs"]
#[expect(dead_code, reason = "the part that writes databases is wanted")]
mod support;

use etcd_cat::digest::Crc32c;
use etcd_cat::monitor::Silent;
use etcd_cat::snapshot::{self, HashOn, ReadError, SnapshotQueue, SnapshotReading};
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::records::{Put, around, key_value, revision};
use support::write::{Form, database};

const RUNS: usize = 7;
const WORDS: u64 = 100_000;

fn main() {
    println!("{:<44} {:>9} {:>9}", "median of 7", "ms", "GB/s");
    for (name, keys, changes, value_bytes) in [
        ("objects of 4 KiB", 4_000, 24_000, 4_000),
        ("tiny keys", 300_000, 600_000, 16),
    ] {
        let file = store(keys, changes, value_bytes);
        let row = |what: &str, time: Duration| {
            let seconds = time.as_secs_f64();
            let rate = file.len() as f64 / seconds / 1e9;
            let both = format!("{name}: {what}");
            println!("{both:<44} {:>9.1} {rate:>9.2}", seconds * 1e3);
        };
        row("SHA-256 alone", median(|| Sha256::digest(&file)));
        row("CRC-32C alone", median(|| Crc32c::of(&file)));
        for (what, hash_on) in [
            ("whole pass, one core", HashOn::SameThread),
            ("whole pass, two cores", HashOn::OwnThread),
        ] {
            row(what, median(|| pass(&file, hash_on)));
        }
        // Two passes: half of the time is one's share.
        row("each of two, one core", median(|| two(&file)) / 2);
    }
    let there_and_back = median(|| exchange(WORDS)).as_nanos() / u128::from(WORDS);
    println!("a word to the other processor and back: {there_and_back} ns");
}

/// Sends as many words to another thread, each when the one before has come back.
fn exchange(words: u64) {
    let (there, back) = (OwnLine::default(), OwnLine::default());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for word in 1..=words {
                there.wait_for(word);
                back.0.store(word, Ordering::Release);
            }
        });
        for word in 1..=words {
            there.0.store(word, Ordering::Release);
            back.wait_for(word);
        }
    });
}

/// A word that shares no line of the cache with others.
#[derive(Default)]
#[repr(align(128))]
struct OwnLine(AtomicU64);

impl OwnLine {
    fn wait_for(&self, word: u64) {
        while self.0.load(Ordering::Acquire) != word {
            std::hint::spin_loop();
        }
    }
}

fn pass(mut file: &[u8], hash_on: HashOn) -> u64 {
    let reading = snapshot::read(&mut file, hash_on, &Silent).unwrap();
    assert_eq!(reading.snapshot.trailer, Some(reading.snapshot.computed));
    reading.snapshot.live_keys.unwrap()
}

/// Two snapshots at a time on one thread.
fn two(file: &[u8]) {
    let mut queue = Same { file, left: 2 };
    snapshot::read_all(&mut queue, &Silent).unwrap();
}

/// The same snapshot, some more times.
struct Same<'f> {
    file: &'f [u8],
    left: usize,
}

impl<'f> SnapshotQueue<'f> for Same<'f> {
    type Ticket = ();
    type Error = ReadError;

    fn next(&mut self) -> Option<((), Box<dyn Read + Send + 'f>)> {
        self.left = self.left.checked_sub(1)?;
        Some(((), Box::new(self.file)))
    }

    fn done(&mut self, (): (), read: Result<SnapshotReading, ReadError>) -> Result<(), ReadError> {
        black_box(read.map(|reading| reading.snapshot))?;
        Ok(())
    }
}

/// A snapshot in which each of `keys` keys is changed in turn.
fn store(keys: i64, changes: i64, value_bytes: usize) -> Vec<u8> {
    let value = vec![b'x'; value_bytes];
    let entry = |change: i64| {
        let (number, before) = (change % keys, change / keys);
        let put = Put {
            key: &format!("/kubernetes.io/configmaps/bench/{number}"),
            create: number + 2,
            modified: change + 2,
            version: before + 1,
        };
        (revision(change + 2, 0, false), key_value(put, &value))
    };
    database(&around((0..changes).map(entry).collect()), Form::default()).sealed()
}

fn median<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            black_box(work());
            started.elapsed()
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}
