//! Zips as unpackers read them: what the directory at the end names is there, and nothing else.

use crate::cli::bundles::{KUBERESOURCES, SNAPSHOT, kuberesources, snapshot, verify};
use crate::cli::contract::VerifyReport;
use crate::cli::environment::TestEnv;
use crate::hostile::within_limit;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write as _;

/// A member, and in which ways it is written.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    name: String,
    bytes: Vec<u8>,
    is_deflated: bool,
    /// Checksum and lengths stand behind the data.
    has_descriptor: bool,
    /// Lengths have eight bytes.
    is_64: bool,
    is_encrypted: bool,
    is_link: bool,
    /// Left out of the directory, as one that was deleted.
    is_deleted: bool,
}

impl Entry {
    pub(crate) fn new(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            ..Self::default()
        }
    }

    pub(crate) fn deflated(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            is_deflated: true,
            ..Self::new(name, bytes)
        }
    }

    fn packed(&self) -> Vec<u8> {
        if !self.is_deflated {
            return self.bytes.clone();
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn lengths(&self, packed: &[u8]) -> [u64; 2] {
        [packed.len() as u64, self.bytes.len() as u64]
    }

    fn sums(&self, packed: &[u8]) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(&self.bytes);
        let mut sums = crc.sum().to_le_bytes().to_vec();
        for length in self.lengths(packed) {
            let length = if self.is_64 { u32::MAX } else { length as u32 };
            sums.extend(length.to_le_bytes());
        }
        sums
    }

    /// Flags, method and time.
    fn kind(&self) -> Vec<u8> {
        let flags = u16::from(self.is_encrypted) | u16::from(self.has_descriptor) << 3;
        let method = if self.is_deflated { 8_u16 } else { 0 };
        [flags, method, 0, 0x5000].map(u16::to_le_bytes).concat()
    }

    /// The extra field of long lengths.
    fn extra(&self, packed: &[u8], offset: Option<u64>) -> Vec<u8> {
        if !self.is_64 {
            return Vec::new();
        }
        let [packed, bytes] = self.lengths(packed);
        let numbers = [Some(bytes), Some(packed), offset].into_iter().flatten();
        let numbers: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        let head = [1, numbers.len() as u16].map(u16::to_le_bytes).concat();
        [head, numbers].concat()
    }

    pub(crate) fn local(&self) -> Vec<u8> {
        let packed = self.packed();
        let (sums, extra) = if self.has_descriptor {
            (vec![0; 12], Vec::new())
        } else {
            (self.sums(&packed), self.extra(&packed, None))
        };
        let lengths = [self.name.len() as u16, extra.len() as u16];
        let lengths = lengths.map(u16::to_le_bytes).concat();
        let name = self.name.as_bytes().to_vec();
        let mut local = [
            b"PK\x03\x04\x14\0".to_vec(),
            self.kind(),
            sums,
            lengths,
            name,
            extra,
        ]
        .concat();
        local.extend(&packed);
        if self.has_descriptor {
            local.extend(b"PK\x07\x08");
            local.extend(self.sums(&packed));
        }
        local
    }

    pub(crate) fn record(&self, offset: u64) -> Vec<u8> {
        let packed = self.packed();
        let extra = self.extra(&packed, Some(offset));
        let lengths = [self.name.len() as u16, extra.len() as u16, 0, 0, 0];
        let lengths = lengths.map(u16::to_le_bytes).concat();
        let mode: u32 = if self.is_link { 0o120_777 } else { 0o100_600 };
        let attributes = (mode << 16).to_le_bytes().to_vec();
        let offset = if self.is_64 { u32::MAX } else { offset as u32 };
        [
            b"PK\x01\x02\x14\x03\x14\0".to_vec(),
            self.kind(),
            self.sums(&packed),
            lengths,
            attributes,
            offset.to_le_bytes().to_vec(),
            self.name.as_bytes().to_vec(),
            extra,
        ]
        .concat()
    }
}

/// A zip of these members; `is_64`: with the larger end.
pub(crate) fn zip(entries: &[Entry], is_64: bool) -> Vec<u8> {
    let (mut zip, mut directory, mut records) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        if !entry.is_deleted {
            directory.extend(entry.record(zip.len() as u64));
            records += 1;
        }
        zip.extend(entry.local());
    }
    end(zip, &directory, records, is_64)
}

pub(crate) fn end(mut zip: Vec<u8>, directory: &[u8], records: u16, is_64: bool) -> Vec<u8> {
    let (start, length) = (zip.len() as u64, directory.len() as u64);
    zip.extend(directory);
    let place = zip.len() as u64;
    if is_64 {
        zip.extend(b"PK\x06\x06");
        zip.extend(44_u64.to_le_bytes());
        zip.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let numbers = [records.into(), records.into(), length, start];
        zip.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
        zip.extend(b"PK\x06\x07\0\0\0\0");
        zip.extend(place.to_le_bytes());
        zip.extend(1_u32.to_le_bytes());
    }
    zip.extend(b"PK\x05\x06\0\0\0\0");
    let count = if is_64 { u16::MAX } else { records };
    zip.extend([count, count].into_iter().flat_map(u16::to_le_bytes));
    let told = |number: u64| if is_64 { u32::MAX } else { number as u32 };
    zip.extend(
        [told(length), told(start)]
            .into_iter()
            .flat_map(u32::to_le_bytes),
    );
    zip.extend([0, 0]);
    zip
}

fn pair() -> [Entry; 2] {
    [
        Entry::new(&format!("b/{SNAPSHOT}"), snapshot()),
        Entry::new(&format!("b/{KUBERESOURCES}"), kuberesources()),
    ]
}

/// Verified as one valid pair, listed, and staged as it is.
#[track_caller]
fn is_the_pair(what: &str, zip: &[u8]) -> VerifyReport {
    let env = TestEnv::new();
    env.put("data/b.zip", zip);
    let report: VerifyReport = verify(&env, &["data"]).ends_with(0).json();
    assert_eq!(report.only().verdict, "valid", "{what}");
    env.run(&["index", "data"]);
    env.run(&["stage", "latest", "--to", "to"]).ends_with(0);
    for (name, bytes) in [(SNAPSHOT, snapshot()), (KUBERESOURCES, kuberesources())] {
        let staged = std::fs::read(env.path("to").join(name)).expect("staged");
        assert!(staged == bytes, "{what}: {name}");
    }
    report
}

/// Another snapshot, damaged.
fn older() -> Vec<u8> {
    let mut bytes = snapshot();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

#[test]
fn members_are_read_in_whatever_way_they_are_written() {
    let ways = [
        ("stored", Entry::default(), false),
        (
            "deflated",
            Entry {
                is_deflated: true,
                ..Entry::default()
            },
            false,
        ),
        (
            "stored, lengths behind",
            Entry {
                has_descriptor: true,
                ..Entry::default()
            },
            false,
        ),
        (
            "deflated, lengths behind",
            Entry {
                is_deflated: true,
                has_descriptor: true,
                ..Entry::default()
            },
            false,
        ),
        (
            "long lengths",
            Entry {
                is_64: true,
                ..Entry::default()
            },
            true,
        ),
        ("a larger end", Entry::default(), true),
    ];
    for (what, way, is_64) in ways {
        let entries = pair().map(|entry| Entry {
            name: entry.name,
            bytes: entry.bytes,
            ..way.clone()
        });
        let report = is_the_pair(what, &zip(&entries, is_64));
        assert_eq!(report.skipped.len(), 0, "{what}: {:?}", report.skipped);
        let front = b"#!/bin/sh\nexec unzip \"$0\"\n".to_vec();
        let behind_words = [front, zip(&entries, is_64)].concat();
        is_the_pair(&format!("{what}, behind other bytes"), &behind_words);
    }
}

#[test]
fn what_the_directory_does_not_name_is_not_there() {
    let [snapshot, kuberesources] = pair();
    let deleted = Entry {
        is_deleted: true,
        ..Entry::new("b/snapshot_2025-05-12_080917.db", older())
    };
    let entries = [deleted, snapshot.clone(), kuberesources.clone()];
    let report = is_the_pair("one was deleted", &zip(&entries, false));
    assert_eq!(report.skipped.len(), 0, "{:?}", report.skipped);
    let replaced = Entry {
        is_deleted: true,
        ..Entry::new(&snapshot.name, older())
    };
    let entries = [replaced, kuberesources.clone(), snapshot.clone()];
    let report = is_the_pair("one was replaced", &zip(&entries, false));
    assert_eq!(report.skipped.len(), 0, "{:?}", report.skipped);
    let twice = [Entry::new(&snapshot.name, older()), kuberesources, snapshot];
    let report = is_the_pair("one is named twice", &zip(&twice, false));
    assert!(report.skipped[0].reason.contains("takes the place"));
}

#[test]
fn encrypted_members_and_links_are_no_files() {
    let [snapshot, kuberesources] = pair();
    let encrypted = Entry {
        is_encrypted: true,
        ..snapshot.clone()
    };
    let env = TestEnv::new();
    env.put(
        "data/b.zip",
        zip(&[encrypted, kuberesources.clone()], false),
    );
    let ran = verify(&env, &["data"]);
    assert_ne!(ran.code, Some(0));
    let report: VerifyReport = ran.json();
    assert_eq!(report.skipped.len(), 1, "{:?}", report.skipped);
    assert!(report.skipped[0].reason.contains("password"));
    let link = Entry {
        is_link: true,
        ..Entry::new("c/snapshot_2025-05-12_080917.db", b"../b".to_vec())
    };
    let report = is_the_pair("a link", &zip(&[snapshot, kuberesources, link], false));
    assert_eq!(report.skipped.len(), 0, "{:?}", report.skipped);
}

#[test]
fn a_directory_that_lies_is_told() {
    let [snapshot, kuberesources] = pair();
    let bytes = snapshot.local();
    // The same bytes a thousand times over.
    let shared: Vec<u8> = (0..1000).flat_map(|_| snapshot.record(0)).collect();
    let elsewhere = snapshot.record(bytes.len() as u64 - 10);
    let other = Entry {
        name: snapshot.name.replace('1', "2"),
        ..snapshot.clone()
    };
    let wrong = Entry {
        bytes: older(),
        ..snapshot.clone()
    };
    let rows = [
        ("shared", shared, 1000, "share their bytes"),
        ("elsewhere", elsewhere, 1, "does not lie where"),
        ("other name", other.record(0), 1, "another name"),
        ("other sums", wrong.record(0), 1, "it is another one"),
        (
            "more records",
            snapshot.record(0).repeat(2),
            1,
            "more records",
        ),
        (
            "fewer records",
            snapshot.record(0),
            2,
            "directory of the zip is damaged",
        ),
    ];
    for (what, directory, records, told) in rows {
        let env = TestEnv::new();
        env.put("data/b.zip", end(bytes.clone(), &directory, records, false));
        let ran = within_limit(&env, what);
        assert_ne!(ran.code, Some(0), "{what}");
        assert!(ran.stdout.contains(told), "{what}: {}", ran.stdout);
    }
    let damaged = Entry {
        bytes: older(),
        ..snapshot
    };
    let mut sums = zip(&[damaged, kuberesources], false);
    let place = sums.len() / 3;
    sums[place] ^= 1;
    let env = TestEnv::new();
    env.put("data/b.zip", sums);
    let ran = within_limit(&env, "a flipped bit");
    assert!(ran.stdout.contains("checksum or length"), "{}", ran.stdout);
}
