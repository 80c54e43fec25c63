//! Hostile files: reading them ends soon, in bounded memory, without a panic.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "a test that fails is to stop where it fails"
)]

use crate::support::bolt::Bolt;
use crate::support::write::{Form, database, u16_bytes, u32_bytes, u64_bytes};
use crate::support::{codes, read, records, told};
use etcd_cat::bytes::ByteOrder;
use proptest::prelude::*;
use std::process::Command;
use std::time::{Duration, Instant};

const LITTLE: ByteOrder = ByteOrder::Little;
/// Size of each hostile file.
const FILE_BYTES: usize = 24 << 20;
/// Memory beyond a small multiple of the file: buffers, and what may be kept of any file.
const BASE_BYTES: usize = 200 << 20;
const TIME: Duration = Duration::from_secs(20);

/// A small store on pages of 1 KiB; one free page, a stored freelist.
fn small(changes: i64) -> Bolt {
    let form = Form {
        page_size: 1024,
        store_freelist: true,
        stale_every: 5,
        ..Form::default()
    };
    database(&records::store(changes), form)
}

/// Two meta pages, and pages made by `page` from their ids.
fn hostile(page_size: usize, page: impl Fn(u64, &mut Vec<u8>)) -> Vec<u8> {
    let pages = (FILE_BYTES / page_size) as u64;
    let mut bytes = vec![0; 2 * page_size];
    for id in 2..pages {
        let mut body = Vec::with_capacity(page_size);
        page(id, &mut body);
        body.resize(page_size, 0);
        bytes.extend(body);
    }
    let mut bolt = Bolt {
        bytes,
        page_size,
        order: LITTLE,
    };
    for at in [0, page_size] {
        bolt.put_u16(at + 8, 4);
        bolt.put_u32(at + 16, 0xED0C_DAED);
        bolt.put_u32(at + 20, 2);
        bolt.put_u32(at + 24, page_size as u32);
        bolt.put_u64(at + 32, 2);
        bolt.put_u64(at + 48, u64::MAX);
        bolt.put_u64(at + 56, pages);
    }
    bolt.sign_metas();
    bolt.sealed()
}

fn header(page: &mut Vec<u8>, id: u64, flags: u16, count: u16, overflow: u32) {
    page.extend(u64_bytes(LITTLE, id));
    page.extend(u16_bytes(LITTLE, flags));
    page.extend(u16_bytes(LITTLE, count));
    page.extend(u32_bytes(LITTLE, overflow));
}

fn branch(page: &mut Vec<u8>, id: u64, overflow: u32, children: &[u64]) {
    header(page, id, 1, children.len() as u16, overflow);
    for (index, child) in children.iter().enumerate() {
        // One byte of key each.
        page.extend(u32_bytes(
            LITTLE,
            (16 * (children.len() - index) + index) as u32,
        ));
        page.extend(u32_bytes(LITTLE, 1));
        page.extend(u64_bytes(LITTLE, *child));
    }
    page.extend((0..children.len()).map(|index| index as u8));
}

fn leaf(page: &mut Vec<u8>, id: u64, overflow: u32, flags: u32, entries: &[(Vec<u8>, Vec<u8>)]) {
    header(page, id, 2, entries.len() as u16, overflow);
    let mut data = 16 * entries.len();
    for (index, (key, value)) in entries.iter().enumerate() {
        for number in [
            flags,
            (data - 16 * index) as u32,
            key.len() as u32,
            value.len() as u32,
        ] {
            page.extend(u32_bytes(LITTLE, number));
        }
        data += key.len() + value.len();
    }
    for (key, value) in entries {
        page.extend(key);
        page.extend(value);
    }
}

fn buckets_to(roots: &[u64]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bucket = |(index, root): (usize, &u64)| {
        let value = [u64_bytes(LITTLE, *root), [0; 8]].concat();
        (vec![b'a', (index >> 8) as u8, index as u8], value)
    };
    roots.iter().enumerate().map(bucket).collect()
}

type Build = fn() -> Vec<u8>;

/// As long a run as fits between the page and the end, and as is looked at.
fn longest(id: u64, page_size: usize) -> u32 {
    let left = (FILE_BYTES / page_size) as u64 - id - 1;
    left.min((32 << 20) / page_size as u64 - 1) as u32
}

const HOSTILE: [(&str, Build); 15] = [
    ("all ones", || vec![0xFF; FILE_BYTES]),
    ("all ones behind meta pages", || {
        hostile(4096, |_, page| page.resize(4096, 0xFF))
    }),
    ("every page a huge leaf", || {
        hostile(1024, |id, page| {
            leaf(page, id, longest(id, 1024), 0, &[(vec![7; 900], vec![])]);
        })
    }),
    ("every page a huge leaf of buckets", || {
        hostile(1024, |id, page| {
            leaf(
                page,
                id,
                longest(id, 1024),
                1,
                &buckets_to(&[id + 1, id + 2]),
            );
        })
    }),
    ("every page a huge leaf of one value", || {
        hostile(1024, |id, page| {
            header(page, id, 2, 1, longest(id, 1024));
            let value = longest(id, 1024) * 1024;
            for number in [0, 16, 17, value] {
                page.extend(u32_bytes(LITTLE, number));
            }
            page.extend(records::revision(id as i64, 0, false));
        })
    }),
    ("every page a huge branch", || {
        hostile(1024, |id, page| {
            branch(page, id, longest(id, 1024), &[id + 1, id + 2, id + 3]);
        })
    }),
    ("all claim the same children", || {
        hostile(1024, |id, page| branch(page, id, 0, &[3; 59]))
    }),
    ("the same child, whose run ends on a used page", || {
        hostile(1024, |id, page| match id {
            // Ten thousand branches of 59 children, nearly all of them page 4.
            2 => leaf(page, 2, 0, 1, &buckets_to(&[10_004])),
            4 => leaf(page, 4, 10_000, 0, &[(vec![1], vec![])]),
            _ => {
                let mut children = [4; 59];
                let index = id.saturating_sub(10_004);
                children[57] = 10_004 + 2 * index + 1;
                children[58] = 10_004 + 2 * index + 2;
                branch(page, id, 0, &children);
            }
        })
    }),
    ("branches in a ring", || {
        hostile(1024, |id, page| {
            branch(page, id, 0, &[id + 1, 2, id, id - 1]);
        })
    }),
    ("a chain of branches", || {
        hostile(1024, |id, page| match id {
            2 => leaf(page, 2, 0, 1, &buckets_to(&(3..20).collect::<Vec<_>>())),
            _ => branch(page, id, 0, &[id + 1, u64::MAX, 0, 1]),
        })
    }),
    ("tables of 65535", || {
        hostile(4096, |id, page| {
            header(page, id, 1 + (id % 2) as u16, u16::MAX, 300);
        })
    }),
    ("zero elements", || {
        hostile(4096, |id, page| header(page, id, 1 + (id % 2) as u16, 0, 0))
    }),
    ("a bucket with an enormous name", || {
        hostile(4096, |id, page| match id {
            2 => {
                header(page, 2, 2, 1, 4000);
                for number in [1, 16, 4000 * 4096 - 100, 16] {
                    page.extend(u32_bytes(LITTLE, number));
                }
            }
            _ => branch(page, id, 0, &[0; 200]),
        })
    }),
    ("thousands of root pages, thousands of buckets", || {
        hostile(4096, |id, page| {
            leaf(page, id, 0, 1, &buckets_to(&[id + 1; 100]));
        })
    }),
    ("nothing but entries that decode to nothing", || {
        hostile(4096, |id, page| {
            let entry = |sub| (records::revision(id as i64, sub, false), vec![0xFF]);
            match id {
                2 => {
                    let mut buckets = buckets_to(&[3]);
                    buckets[0].0 = b"key".to_vec();
                    leaf(page, 2, 0, 1, &buckets);
                }
                3 => branch(page, 3, 0, &(4..204).collect::<Vec<_>>()),
                _ => leaf(page, id, 0, 0, &(0..110).map(entry).collect::<Vec<_>>()),
            }
        })
    }),
];

/// Each hostile file in a process of its own, so that a hang or hunger for memory ends nothing but that.
#[test]
fn hostile_files_end_soon_in_bounded_memory() {
    let this = std::env::current_exe().expect("tests run from a file");
    for (name, _) in HOSTILE {
        let start = Instant::now();
        let mut child = Command::new(&this)
            .args([
                "--exact",
                "limits::hostile_file",
                "--ignored",
                "--test-threads=1",
            ])
            .env("HOSTILE_FILE", name)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("a test can start itself");
        let status = loop {
            if let Some(status) = child.try_wait().expect("it is our child") {
                break status;
            }
            if start.elapsed() > TIME {
                child.kill().expect("it is our child");
                panic!("{name}: still reading after {TIME:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{name}: {status}");
    }
}

#[test]
#[ignore = "run by hostile_files_end_soon_in_bounded_memory"]
fn hostile_file() {
    let wanted = std::env::var("HOSTILE_FILE").expect("run by the other test");
    let (name, build) = HOSTILE
        .iter()
        .find(|(name, _)| *name == wanted)
        .expect("one of the table");
    let bytes = build();
    // Forgets the peak of building the file, where the system can.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
    let before = peak_bytes();
    let start = Instant::now();
    let reading = read(&bytes);
    let (took, took_bytes) = (start.elapsed(), peak_bytes() - before);
    let findings = &reading.snapshot.findings;
    assert!(!findings.is_empty(), "{name}");
    assert!(findings.len() < 100, "{name}: {} findings", findings.len());
    let told = told(&reading);
    assert!(
        told.len() < 100_000,
        "{name}: {} bytes of messages",
        told.len()
    );
    assert!(
        took_bytes < BASE_BYTES + 6 * FILE_BYTES,
        "{name}: {} MiB",
        took_bytes >> 20
    );
    let line = format!(
        "{name}: {took:?}, {} MiB, {:?}\n",
        took_bytes >> 20,
        codes(&reading)
    );
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("stderr");
}

/// The most memory that this process ever had, where the system tells.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.unwrap_or_default() << 10
}

/// Reads a list of variants on all cores.
fn for_each(count: usize, look: impl Fn(usize) + Sync) {
    let threads = 4;
    std::thread::scope(|scope| {
        for first in 0..threads {
            let look = &look;
            scope.spawn(move || (first..count).step_by(threads).for_each(look));
        }
    });
}

#[test]
fn every_flipped_byte_of_a_sealed_database_is_noticed() {
    let sound = small(40).sealed();
    assert_eq!(codes(&read(&sound)), Vec::<&str>::new());
    for_each(sound.len(), |at| {
        let mut file = sound.clone();
        file[at] ^= 1 << (at * 7 % 8);
        let found = codes(&read(&file));
        let is_seen = [
            "digest-mismatch",
            "truncated",
            "trailing-data",
            "not-a-snapshot",
        ];
        assert!(
            found.iter().any(|code| is_seen.contains(code)),
            "byte {at}: {found:?}"
        );
    });
}

#[test]
fn bytes_set_to_their_extremes_in_a_resealed_database_never_panic() {
    let sound = small(24);
    for_each(sound.bytes.len() / 2, |pair| {
        for byte in [0xFF, 0x7F] {
            let mut bolt = sound.clone();
            bolt.bytes[2 * pair..2 * pair + 2].fill(byte);
            if 2 * pair < 2048 {
                bolt.sign_metas();
            }
            read(&bolt.sealed());
        }
    });
}

#[test]
fn every_wide_field_set_to_its_greatest_value_never_panics() {
    let sound = small(24);
    for_each(sound.bytes.len() / 4, |at| {
        let mut bolt = sound.clone();
        let end = bolt.bytes.len().min(4 * at + 8);
        bolt.bytes[4 * at..end].fill(0xFF);
        if 4 * at < 2048 {
            bolt.sign_metas();
        }
        read(&bolt.sealed());
    });
}

#[test]
fn every_shorter_length_is_noticed() {
    let sound = small(24).sealed();
    for_each(sound.len(), |length| {
        let found = codes(&read(&sound[..length]));
        let is_seen = ["truncated", "not-a-snapshot", "digest-missing"];
        assert!(
            found.iter().any(|code| is_seen.contains(code)),
            "length {length}: {found:?}"
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert!(!read(&bytes).snapshot.findings.is_empty());
    }

    #[test]
    fn any_bytes_behind_sound_meta_pages_never_panic(bytes in proptest::collection::vec(any::<u8>(), 4096)) {
        let mut bolt = small(24);
        let end = bolt.bytes.len().min(2048 + bytes.len());
        bolt.bytes[2048..end].copy_from_slice(&bytes[..end - 2048]);
        read(&bolt.sealed());
    }

    #[test]
    fn spliced_pages_never_panic(splices in proptest::collection::vec((2_usize..60, 2_usize..60, any::<bool>()), 1..12)) {
        let mut bolt = small(300);
        let pages = bolt.bytes.len() / 1024;
        for (from, to, keep_id) in splices {
            let (from, to) = (from % pages, to % pages);
            bolt.bytes.copy_within(from * 1024..from * 1024 + 1024, to * 1024);
            if keep_id {
                bolt.put_u64(to * 1024, to as u64);
            }
        }
        bolt.sign_metas();
        read(&bolt.sealed());
    }

    #[test]
    fn scattered_bytes_never_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..40)) {
        let mut bolt = small(100);
        let length = bolt.bytes.len();
        for (at, byte) in changes {
            bolt.bytes[at % length] = byte;
        }
        bolt.sign_metas();
        read(&bolt.sealed());
    }
}
