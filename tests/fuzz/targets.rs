//! What is fuzzed: each target takes any bytes and must end without a panic.
//!
//! The bodies are shared: by the libFuzzer targets beside this file, and by the test `fuzz` of the package, which feeds
//! them on stable Rust.

use crate::support::bolt::{Bolt, Content};
use crate::support::records::{Put, around, key_value, revision, store};
use crate::support::write::{Form, database};
use etcd_cat::catalogue::{Catalogue, CatalogueStore as _, MemoryStore, Operation, Table};
use etcd_cat::digest::{Crc32c, fnv1a_64};
use etcd_cat::kuberesources::{self, ArchiveLimits};
use etcd_cat::kubernetes::encryption::prove;
use etcd_cat::monitor::Silent;
use etcd_cat::names::{BackupName, Picks};
use etcd_cat::objects::{self, MaskOptions, Masker, json, yaml};
use etcd_cat::snapshot::{self, HashOn};
use etcd_cat::source::{PageCache, Stores};
use etcd_cat::survey::{Decrypt, Depth, SurveyOptions, examine_stream};
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::LazyLock;

/// A name and what is done with the bytes.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: [Target; 14] = [
    ("snapshot", snapshot),
    ("resealed", resealed),
    ("page", page),
    ("bucket", bucket),
    ("stored", stored),
    ("object", object),
    ("kuberesources", kuberesources),
    ("archive", archive),
    ("encryption_config", encryption_config),
    ("certificate", certificate),
    ("names", names),
    ("records", records),
    ("bundle", bundle),
    ("tar", resealed_tar),
];

/// Runs a target by its name.
pub(crate) fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    (target.expect("the target is in the list").1)(bytes);
}

fn read(mut file: &[u8]) {
    let reading = snapshot::read(&mut file, HashOn::SameThread, &Silent);
    let reading = reading.expect("memory can be read");
    let proven = prove(&reading.snapshot.encryption, &reading.sealed, None);
    assert!(proven.certificates.is_empty(), "nothing opens without keys");
}

/// Any bytes, read as a snapshot.
fn snapshot(bytes: &[u8]) {
    read(bytes);
}

const PAGE_BYTES: usize = 1024;

/// Any bytes, with the checksums of both meta pages and the digest made to match: past the first doors.
fn resealed(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    file.resize(
        file.len().next_multiple_of(PAGE_BYTES).max(3 * PAGE_BYTES),
        0,
    );
    for meta in file.chunks_mut(PAGE_BYTES).take(2) {
        meta[16..28].copy_from_slice(b"\xED\xDA\x0C\xED\x02\0\0\0\0\x04\0\0");
        let checksum = fnv1a_64(&meta[16..72]);
        meta[72..80].copy_from_slice(&checksum.to_le_bytes());
    }
    file.extend(Sha256::digest(&file));
    read(&file);
}

/// Three levels of bucket `key` on pages of 1 KiB, a stored freelist, stale pages.
static SOUND: LazyLock<Bolt> = LazyLock::new(|| {
    let form = Form {
        page_size: PAGE_BYTES,
        store_freelist: true,
        stale_every: 4,
        ..Form::default()
    };
    database(&store(150), form)
});

/// A page of a sound file, from some byte on, is exchanged for these bytes: two that choose the page, two the byte.
fn page(bytes: &[u8]) {
    let Some(([page, more, at, further], bytes)) = bytes.split_first_chunk() else {
        return;
    };
    let mut bolt = SOUND.clone();
    let pages = bolt.bytes.len() / PAGE_BYTES;
    let page = usize::from(u16::from_le_bytes([*page, *more])) % pages;
    let at = usize::from(u16::from_le_bytes([*at, *further])) % PAGE_BYTES;
    let place = &mut bolt.bytes[page * PAGE_BYTES + at..(page + 1) * PAGE_BYTES];
    let length = place.len().min(bytes.len());
    place[..length].copy_from_slice(&bytes[..length]);
    bolt.sign_metas();
    read(&bolt.sealed());
}

/// Texts of at most 255 bytes, each with its length in front; the last one ends with the bytes.
fn texts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut texts = Vec::new();
    while let Some((&length, rest)) = bytes.split_first() {
        let (text, rest) = rest.split_at(rest.len().min(usize::from(length)));
        texts.push(text);
        bytes = rest;
    }
    texts
}

/// Entries of one of etcd's buckets: a byte that chooses it, then keys and values in turn.
fn bucket(bytes: &[u8]) {
    let Some((&number, bytes)) = bytes.split_first() else {
        return;
    };
    let mut content: Content = around(Vec::new());
    let chosen = usize::from(number) % content.len();
    let entries = texts(bytes);
    content[chosen].1 = entries
        .chunks(2)
        .map(|pair| {
            let value = pair.get(1).copied().unwrap_or_default();
            (pair[0].to_vec(), value.to_vec())
        })
        .collect();
    if number & 0x80 == 0 {
        content[chosen].1.sort();
    }
    let form = Form {
        page_size: PAGE_BYTES,
        ..Form::default()
    };
    read(&database(&content, form).sealed());
}

/// An object in a store: its key with the length in front, and its value.
fn stored(bytes: &[u8]) {
    let Some((&length, bytes)) = bytes.split_first() else {
        return;
    };
    let (key, value) = bytes.split_at(bytes.len().min(usize::from(length)));
    let put = Put {
        key: &String::from_utf8_lossy(key),
        create: 2,
        modified: 2,
        version: 1,
    };
    let entries = vec![(revision(2, 0, false), key_value(put, value))];
    read(&database(&around(entries), Form::default()).sealed());
}

/// Decoded as a stored object, masked, cleaned and printed.
fn object(bytes: &[u8]) {
    if let Ok(object) = objects::decode(bytes) {
        let mut object = object.served(1);
        Masker::new(MaskOptions { config_maps: true }).mask(&mut object);
        objects::clean(&mut object);
        let _ = (json::print(&object.fields), yaml::print(&object.fields));
    }
}

/// Read as an archive of static pod resources.
fn kuberesources(bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).expect("usize fits");
    kuberesources::read(bytes, length, &ArchiveLimits::default()).expect("memory can be read");
}

/// Read as what is inside of such an archive.
fn archive(bytes: &[u8]) {
    kuberesources(&gzip(bytes));
}

/// In gzip's blocks that are not compressed.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = b"\x1F\x8B\x08\0\0\0\0\0\0\xFF".to_vec();
    let mut blocks = bytes.chunks(0xFFFF).peekable();
    if blocks.peek().is_none() {
        packed.extend(b"\x01\0\0\xFF\xFF");
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("is no longer");
        packed.push(u8::from(blocks.peek().is_none()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len()).expect("is no longer");
    packed.extend(length.to_le_bytes());
    packed
}

/// The checksum of gzip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, byte)
}

/// One file in an archive.
fn member(path: &str, bytes: &[u8]) {
    let mut tar = vec![0; BLOCK_BYTES];
    tar[..path.len()].copy_from_slice(path.as_bytes());
    tar[100..108].copy_from_slice(b"0000600\0");
    tar[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    tar[136..148].copy_from_slice(b"00000000000\0");
    tar[156] = b'0';
    tar[257..265].copy_from_slice(b"ustar\x0000");
    seal_header(&mut tar);
    tar.extend(bytes);
    tar.resize(tar.len().next_multiple_of(BLOCK_BYTES) + 2 * BLOCK_BYTES, 0);
    archive(&tar);
}

/// An EncryptionConfiguration in an archive.
fn encryption_config(bytes: &[u8]) {
    let secrets = "static-pod-resources/kube-apiserver-pod-7/secrets";
    member(
        &format!("{secrets}/encryption-config/encryption-config"),
        bytes,
    );
}

/// Certificates in an archive.
fn certificate(bytes: &[u8]) {
    let secrets = "static-pod-resources/etcd-certs/secrets/etcd-all-certs";
    member(&format!("{secrets}/etcd-serving-master-0.crt"), bytes);
}

/// Names of files in one directory, one a line.
fn names(bytes: &[u8]) {
    let names: Vec<&OsStr> = bytes
        .split(|&byte| byte == b'\n')
        .map(OsStr::from_bytes)
        .collect();
    for name in &names {
        let _ = BackupName::parse(name);
    }
    let _ = Picks::among(&names);
}

/// A record of the catalogue, its checksum made to match: bytes that choose the table and the version, the length of
/// its key, key and value.
fn records(bytes: &[u8]) {
    let Some(([number, version, length], bytes)) = bytes.split_first_chunk() else {
        return;
    };
    let (key, value) = bytes.split_at(bytes.len().min(usize::from(*length)));
    let covered = Crc32c::of(key).followed_by(value);
    let checksum = match version {
        1 => covered.value,
        _ => covered.followed_by(&[*version]).value,
    };
    let mut sealed = vec![*version];
    sealed.extend(checksum.to_le_bytes());
    sealed.extend(value);
    let tables = Table::ALL;
    let mut memory = MemoryStore::default();
    let put = Operation::Put {
        table: tables[usize::from(*number) % tables.len()],
        key: key.to_vec(),
        value: sealed,
    };
    memory.apply(vec![put]).expect("memory takes it");
    let catalogue = Catalogue::in_memory(memory);
    if let Ok(contents) = catalogue.load() {
        for id in contents.snapshots.keys() {
            let _ = contents.snapshot(id);
        }
        for digest in contents.kuberesources.keys() {
            let _ = contents.kuberesources(digest);
        }
    }
    let _ = catalogue.locations();
}

/// Any bytes, read as a packed directory of backups that comes through a pipe.
fn bundle(bytes: &[u8]) {
    static OPTIONS: LazyLock<SurveyOptions> = LazyLock::new(|| SurveyOptions {
        depth: Depth::Everything,
        decrypt: Decrypt::Sample,
        jobs: 1,
        as_of: "2025-05-13T09:00:00Z".parse().expect("RFC 3339"),
        accept: Vec::new(),
        page_cache: PageCache::Keep,
        stores: Stores::default(),
        shard: None,
    });
    let survey = examine_stream(bytes, &OPTIONS, &Silent);
    assert!(
        survey.expect("nobody interrupts it").files <= 1,
        "one stream"
    );
}

const BLOCK_BYTES: usize = 512;

/// The same, with the checksum of each header of a tar made to match: past the first doors.
fn resealed_tar(bytes: &[u8]) {
    let mut tar = bytes.to_vec();
    tar.resize(tar.len().next_multiple_of(BLOCK_BYTES) + 2 * BLOCK_BYTES, 0);
    for block in tar.chunks_mut(BLOCK_BYTES) {
        if &block[257..262] == b"ustar" {
            seal_header(block);
        }
    }
    bundle(&tar);
}

/// Puts its checksum into a header of a tar.
fn seal_header(header: &mut [u8]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
