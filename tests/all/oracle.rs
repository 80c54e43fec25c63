//! Samples written by real etcd servers, against the answers of the real tools.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "a test that fails is to stop where it fails"
)]

use crate::support::records::{self, Put};
use crate::support::samples::{self, Sample};
use crate::support::write::{Form, database, transcode};
use crate::support::{codes, read, told};
use etcd_cat::bytes::ByteOrder;
use etcd_cat::digest::Crc32c;
use etcd_cat::monitor::Silent;
use etcd_cat::snapshot::{self, HashOn, ReadError, Snapshot, SnapshotQueue, SnapshotReading};
use serde_json::{Value, json};
use std::io::{Cursor, Read};

/// What the samples are known to be found with, from the bytes alone.
fn expected_codes(sample: &Sample) -> Vec<&'static str> {
    let mut codes = Vec::new();
    if sample.row["raw"] == true {
        codes.push("digest-missing");
    }
    if sample.row["alarms"]
        .as_array()
        .is_some_and(|alarms| !alarms.is_empty())
    {
        codes.push("alarm-raised");
    }
    codes
}

#[test]
fn every_database_of_testdata_is_in_the_table() {
    let listed: Vec<String> = samples::all()
        .into_iter()
        .map(|sample| sample.path)
        .collect();
    // Cases are asked about as a whole, not number by number.
    let samples = samples::files_ending(".db").into_iter();
    for path in samples.filter(|path| !path.starts_with("cases/")) {
        assert!(listed.contains(&path), "{path} is not in samples.json");
    }
}

#[test]
fn the_numbers_are_those_of_snapshot_status() {
    for sample in samples::all() {
        let status = read(&sample.bytes()).snapshot.status;
        let found = json!({
            "hash": status.hash, "revision": status.revision,
            "totalKey": status.total_key, "totalSize": status.total_size,
        });
        let said = sample.status();
        let said = said.as_object().expect("one answer for each etcd");
        assert!(!said.is_empty(), "{}", sample.path);
        for (etcd, said) in said {
            assert_eq!(&found, said, "{} by etcd {etcd}", sample.path);
        }
    }
}

#[test]
fn facts_are_those_of_the_table() {
    for sample in samples::all() {
        let facts = read(&sample.bytes()).snapshot;
        assert_facts(&sample, &facts);
        assert_encryption(&sample, &facts);
    }
}

fn assert_facts(sample: &Sample, facts: &Snapshot) {
    let members = facts.members.iter();
    let members: Vec<Value> = members
        .map(|member| json!({"id": format!("{:016x}", member.id), "name": member.name}))
        .collect();
    let cluster = &facts.cluster;
    let newest = cluster.history.first();
    let newest = newest
        .filter(|newest| newest.state == "Completed")
        .map(|newest| &newest.version);
    let version = if sample.row["upgradingTo"].is_null() {
        json!(newest)
    } else {
        Value::Null
    };
    let taken_at = facts
        .newest_lease_at
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let installed_at = cluster
        .installed_at
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let found = [
        ("liveKeys", json!(facts.live_keys)),
        ("compactRevision", json!(facts.compact_revision)),
        ("members", json!(members)),
        ("version", version),
        ("clusterId", json!(cluster.id)),
        ("infrastructureName", json!(cluster.infrastructure_name)),
        ("apiServerUrl", json!(cluster.api_server_url)),
        ("takenAt", json!(taken_at)),
        ("installedAt", json!(installed_at)),
    ];
    for (field, found) in found {
        assert_eq!(found, sample.row[field], "{field} of {}", sample.path);
    }
    if let Some(to) = sample.row["upgradingTo"].as_str() {
        assert_eq!(
            cluster.desired_version.as_deref(),
            Some(to),
            "{}",
            sample.path
        );
    }
    let etcd = sample.row["etcd"].as_str().expect("text");
    let minor = etcd.rsplit_once('.').expect("three parts").0;
    assert_eq!(
        facts.cluster_version,
        Some(format!("{minor}.0")),
        "{}",
        sample.path
    );
    assert_eq!(facts.page_size, Some(4096), "{}", sample.path);
}

/// Secrets and ConfigMaps are under the key of the kube-apiserver; the others have keys of their own.
fn assert_encryption(sample: &Sample, facts: &Snapshot) {
    let row = &sample.row["encryption"];
    let uses = facts
        .encryption
        .iter()
        .filter(|used| used.provider != "identity");
    let (kube, others): (Vec<_>, Vec<_>) = uses.partition(|used| !used.resource.contains('.'));
    let pairs = |uses: &[&etcd_cat::kubernetes::encryption::EncryptionUse]| {
        let mut pairs: Vec<(String, String)> = uses
            .iter()
            .map(|used| (used.provider.clone(), used.key_name.clone()))
            .collect();
        pairs.sort();
        pairs.dedup();
        pairs
    };
    let expected = |row: &Value| {
        let provider = row["provider"].as_str().unwrap_or("none");
        let names = row["keysUsed"].as_array().cloned().unwrap_or_default();
        let names = names
            .iter()
            .map(|name| name.as_str().expect("text").to_owned());
        names
            .map(|name| (provider.to_owned(), name))
            .collect::<Vec<_>>()
    };
    assert_eq!(pairs(&kube), expected(row), "{}", sample.path);
    let mut rest = expected(&row["routes"]);
    rest.extend(expected(&row["oauth"]));
    rest.sort();
    rest.dedup();
    assert_eq!(pairs(&others), rest, "{}", sample.path);
}

#[test]
fn sound_samples_have_no_finding() {
    for sample in samples::all() {
        let reading = read(&sample.bytes());
        assert_eq!(
            codes(&reading),
            expected_codes(&sample),
            "{}{}",
            sample.path,
            told(&reading)
        );
    }
}

/// Gives a few bytes at a time, never the same number twice in a row.
struct Dripping<'b> {
    rest: &'b [u8],
    step: usize,
    most: usize,
}

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.step = self.step % self.most + 1;
        let length = self.step.min(buffer.len()).min(self.rest.len());
        let (now, rest) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.rest = rest;
        Ok(length)
    }
}

#[test]
fn neither_chunks_nor_threads_change_the_answer() {
    let paths = [
        "backups/kubernetes/snapshot.db",
        "backups/raw/snapshot-20241102-030000.db",
        "backups/secretbox/snapshot_2024-11-07_030000.db",
    ];
    for path in paths {
        let bytes = samples::bytes(path);
        let expected = read(&bytes).snapshot;
        for most in [3, 977, 70_001] {
            for hash_on in [HashOn::SameThread, HashOn::OwnThread] {
                let mut source = Dripping {
                    rest: &bytes,
                    step: 0,
                    most,
                };
                let found = snapshot::read(&mut source, hash_on, &Silent).expect("memory");
                assert_eq!(
                    found.snapshot, expected,
                    "{path}, up to {most} bytes, {hash_on:?}"
                );
            }
        }
    }
}

/// Snapshots in memory, one of which cannot be read to its end.
struct Files {
    sources: Vec<(usize, Vec<u8>)>,
    found: Vec<(usize, Result<Snapshot, ReadError>)>,
}

impl SnapshotQueue<'static> for Files {
    type Ticket = usize;
    type Error = ();

    fn next(&mut self) -> Option<(usize, Box<dyn Read + Send>)> {
        let (position, bytes) = self.sources.pop()?;
        let is_broken = bytes.ends_with(b"broken");
        let source = Cursor::new(bytes);
        Some(if is_broken {
            let end = std::io::Error::other("bad sector");
            (position, Box::new(source.chain(Failing(Some(end)))))
        } else {
            (position, Box::new(source))
        })
    }

    fn done(
        &mut self,
        position: usize,
        read: Result<SnapshotReading, ReadError>,
    ) -> Result<(), ()> {
        self.found
            .push((position, read.map(|reading| reading.snapshot)));
        Ok(())
    }
}

struct Failing(Option<std::io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[test]
fn two_at_a_time_tell_what_each_tells_alone() {
    let mut files: Vec<Vec<u8>> = samples::all().iter().map(Sample::bytes).collect();
    files.push(Vec::new());
    files.push(b"no database".to_vec());
    let mut broken = files[0].clone();
    broken.extend(b"broken");
    files.insert(3, broken);
    let mut cut = files[1].clone();
    cut.truncate(cut.len() / 2);
    files.push(cut);
    let mut longer = files[2].clone();
    longer.extend(vec![9; 300_000]);
    files.insert(0, longer);
    for turn in 0..2 {
        let mut queue = Files {
            sources: files.iter().cloned().enumerate().skip(turn).collect(),
            found: Vec::new(),
        };
        assert_eq!(snapshot::read_all(&mut queue, &Silent), Ok(()));
        assert_eq!(queue.found.len(), files.len() - turn);
        for (position, found) in queue.found {
            let bytes = &files[position];
            match found {
                Ok(snapshot) => assert_eq!(snapshot, read(bytes).snapshot, "file {position}"),
                Err(ReadError::Io { offset, source }) => {
                    assert_eq!((position, source.to_string().as_str()), (4, "bad sector"));
                    assert_eq!(offset, bytes.len() as u64);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Values longer than the buffers of the pass, on runs that begin and end anywhere; stale runs across live pages.
#[test]
fn long_runs_are_read_whole_and_stale_ones_change_nothing() {
    let mut content = records::store(40);
    let entries = &mut content[5].1;
    for (main, length) in (42_i64..).zip([1_500_000, 70_000, 3_000_001, 1, 65_500, 1_048_576]) {
        let value: Vec<u8> = (0..length)
            .map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let put = Put {
            key: &format!("/big/{main}"),
            create: main,
            modified: main,
            version: 1,
        };
        entries.push((
            records::revision(main, 0, false),
            records::key_value(put, &value),
        ));
    }
    let mut hash = Crc32c::default();
    for (name, entries) in &content {
        hash = hash.followed_by(name);
        for (key, value) in entries {
            hash = hash.followed_by(key).followed_by(value);
        }
    }
    for (page_size, stale_every) in [(1024, 7), (4096, 3), (16_384, 2), (65_536, 2)] {
        let form = Form {
            page_size,
            stale_every,
            store_freelist: true,
            ..Form::default()
        };
        let mut bolt = database(&content, form);
        let freelist = bolt.page(bolt.freelist());
        for index in 0..usize::from(bolt.u16(freelist + 10)) {
            let free = bolt.u64(freelist + 16 + 8 * index);
            let left = bolt.high_water_mark() - free - 1;
            bolt.put_u32(bolt.page(free) + 12, left.min(90) as u32);
        }
        let file = bolt.sealed();
        for hash_on in [HashOn::SameThread, HashOn::OwnThread] {
            let mut source = Dripping {
                rest: &file,
                step: 0,
                most: 100_003,
            };
            let reading = snapshot::read(&mut source, hash_on, &Silent).expect("memory");
            assert_eq!(
                codes(&reading),
                Vec::<&str>::new(),
                "{form:?}{}",
                told(&reading)
            );
            assert_eq!(reading.snapshot.status.hash, Some(hash.value), "{form:?}");
            assert_eq!(reading.snapshot.status.revision, Some(47), "{form:?}");
        }
    }
}

#[test]
fn other_page_sizes_and_byte_orders_tell_the_same() {
    let sizes = [1 << 10, 1 << 12, 1 << 13, 1 << 14, 1 << 16];
    let orders = [ByteOrder::Little, ByteOrder::Big];
    let stored = [(false, 0), (true, 3), (false, 2), (true, 0)];
    let forms = sizes
        .into_iter()
        .flat_map(|page_size| orders.map(|order| (page_size, order)));
    let forms = forms.zip(stored.into_iter().cycle()).map(
        |((page_size, order), (store_freelist, stale_every))| Form {
            page_size,
            order,
            store_freelist,
            stale_every,
        },
    );
    let forms: Vec<Form> = forms.collect();
    for sample in samples::all() {
        let bytes = sample.bytes();
        let original = read(&bytes).snapshot;
        for &form in &forms {
            let reading = read(&transcode(&bytes, form).sealed());
            let mut found = reading.snapshot.clone();
            found.status.total_size = original.status.total_size;
            assert_eq!(found.status, original.status, "{} {form:?}", sample.path);
            assert_eq!(
                found.live_keys, original.live_keys,
                "{} {form:?}",
                sample.path
            );
            assert_eq!(found.cluster, original.cluster, "{} {form:?}", sample.path);
            assert_eq!(
                found.newest_lease_at, original.newest_lease_at,
                "{} {form:?}",
                sample.path
            );
            assert_eq!(
                found.encryption, original.encryption,
                "{} {form:?}",
                sample.path
            );
            assert_eq!(found.page_size, u32::try_from(form.page_size).ok());
            let mut expected = expected_codes(&sample);
            expected.retain(|code| *code != "digest-missing");
            assert_eq!(
                codes(&reading),
                expected,
                "{} {form:?}{}",
                sample.path,
                told(&reading)
            );
        }
    }
}
