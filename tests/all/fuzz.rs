//! The targets of `tests/fuzz` on stable Rust: their seeds, and what becomes of these by chance that is the same each time.
//!
//! The gate runs a minute of it. By hand, as docs/damage.md says: `ETCD_CAT_FUZZ=10000000` executions in all.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    reason = "a test that fails is to stop where it fails; small numbers"
)]

#[path = "../fuzz/targets.rs"]
mod targets;

use crate::cli::bundles::{gzip, tar};
use crate::objects::real::unpacked;
use crate::support::bolt::Bolt;
use crate::support::dice::Dice;
use crate::support::records::{alarm, lease, store};
use crate::support::samples::{bytes, testdata};
use crate::support::write::{Form, database};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use targets::TARGETS;

/// Executions of each target in the gate.
const RUNS: u64 = 2_500;
/// Executions of a target before it is the next one's turn.
const TURN: u64 = 2_500;
/// Longest that one execution may take, where time is asked.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of one input.
const MAX_BYTES: usize = 64 << 10;

/// What each target begins with.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "snapshot" | "resealed" => files(),
        "page" => pages(),
        "bucket" => buckets(),
        "stored" => objects()
            .iter()
            .map(|(key, value)| lengthened(key, value))
            .collect(),
        "object" => objects().into_iter().map(|(_, value)| value).collect(),
        "kuberesources" => archives(),
        "archive" => archives().iter().map(|archive| inflated(archive)).collect(),
        "encryption_config" => configs(),
        "certificate" => certificates(),
        "names" => names(),
        "records" => records(),
        "bundle" => bundles(),
        "tar" => vec![tar_of_backups()],
        other => panic!("target {other} has no seeds"),
    }
}

fn files() -> Vec<Vec<u8>> {
    let form = |page_size, store_freelist| Form {
        page_size,
        store_freelist,
        stale_every: 4,
        ..Form::default()
    };
    vec![
        database(&store(40), form(1024, true)).sealed(),
        database(&store(3), form(1024, false)).sealed(),
        unpacked("etcd/defragmented-37/snapshot.db.xz"),
    ]
}

fn pages() -> Vec<Vec<u8>> {
    let bolt = database(
        &store(20),
        Form {
            page_size: 1024,
            ..Form::default()
        },
    );
    let pages = bolt.bytes.chunks(1024).zip(0_u16..);
    pages
        .map(|(page, number)| [&number.to_le_bytes(), [0, 0].as_slice(), page].concat())
        .collect()
}

/// A text with its length in front.
fn text(text: &[u8]) -> Vec<u8> {
    let text = &text[..text.len().min(255)];
    [&[u8::try_from(text.len()).expect("is no longer")], text].concat()
}

fn buckets() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for name in [
        "auth-36",
        "leases-36",
        "learner-36",
        "nospace-37",
        "downgrade-37",
        "transaction-36",
    ] {
        let file = unpacked(&format!("etcd/{name}/snapshot.db.xz"));
        for (number, (_, entries)) in (0..).zip(Bolt::open(&file).content()) {
            let few = entries.iter().take(4);
            let entries = few.flat_map(|(key, value)| [text(key), text(value)].concat());
            seeds.push([number].into_iter().chain(entries).collect());
        }
    }
    seeds.push([vec![0], text(&alarm(1, 2)), text(b"")].concat());
    seeds.push(
        [
            vec![6],
            text(&[0, 0, 0, 0, 0, 0, 0, 7]),
            text(&lease(7, 60)),
        ]
        .concat(),
    );
    seeds
}

/// A key with its length in front, and a value.
fn lengthened(key: &[u8], value: &[u8]) -> Vec<u8> {
    [text(key).as_slice(), value].concat()
}

/// One object of each resource.
fn objects() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for file in [
        unpacked("clusters/registry-136/snapshot.db.xz"),
        bytes("backups/prod/snapshot_2024-11-02_030000.db"),
    ] {
        let content = Bolt::open(&file).content();
        let entries = content.iter().find(|(name, _)| name == b"key");
        for (_, value) in &entries.expect("the bucket is there").1 {
            let Some((key, value)) = put(value) else {
                continue;
            };
            let resource: Vec<&[u8]> = key.split(|&byte| byte == b'/').take(4).collect();
            let value = (key.to_vec(), value.to_vec());
            found.entry(resource.concat()).or_insert(value);
        }
    }
    let short = found
        .into_values()
        .filter(|(_, value)| value.len() < 8 << 10);
    short.collect()
}

/// Key and value of a KeyValue, fields 1 and 5.
fn put(mut message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut key, mut value) = (None, None);
    while let Some((&tag, rest)) = message.split_first() {
        let (mut number, mut at) = (0_usize, 0);
        loop {
            let byte = *rest.get(at)?;
            number |= usize::from(byte & 0x7F) << (7 * at);
            at += 1;
            if byte < 0x80 {
                break;
            }
        }
        message = &rest[at..];
        if tag & 7 == 2 {
            let (bytes, rest) = message.split_at_checked(number)?;
            match tag >> 3 {
                1 => key = Some(bytes),
                5 => value = Some(bytes),
                _ => {}
            }
            message = rest;
        }
    }
    key.zip(value)
}

fn archives() -> Vec<Vec<u8>> {
    vec![
        bytes("backups/prod/static_kuberesources_2024-10-20_030000.tar.gz"),
        bytes("cases/packed/static_kuberesources_2025-05-13_080917.tar.gz"),
        bytes("real/clusters/cbc-421/static_kuberesources.tar.gz"),
    ]
}

fn inflated(archive: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut gzip = flate2::read::GzDecoder::new(archive);
    std::io::Read::read_to_end(&mut gzip, &mut bytes).expect("the sample is sound");
    bytes.truncate(MAX_BYTES);
    bytes
}

/// A pair, a second archive and a file that is no backup.
fn tar_of_backups() -> Vec<u8> {
    let form = Form {
        page_size: 1024,
        ..Form::default()
    };
    let snapshot = database(&store(3), form).sealed();
    let kuberesources = bytes("cases/packed/static_kuberesources_2025-05-13_080917.tar.gz");
    let inner = vec![(
        "c/snapshot_2025-05-13_090917.db".to_owned(),
        snapshot.clone(),
    )];
    tar(&vec![
        ("b/snapshot_2025-05-13_080917.db".to_owned(), snapshot),
        (
            "b/static_kuberesources_2025-05-13_080917.tar.gz".to_owned(),
            kuberesources,
        ),
        ("b/more.tar.gz".to_owned(), gzip(&tar(&inner))),
        ("b/SHA256SUMS".to_owned(), b"none".to_vec()),
    ])
}

/// The tar as it is and packed, and what the tools of shops make.
fn bundles() -> Vec<Vec<u8>> {
    let tar = tar_of_backups();
    let mut seeds = vec![gzip(&tar), tar];
    for ending in ["tar.xz", "tar.bz2", "tar.lz4", "tar.zst", "zip"] {
        seeds.push(bytes(&format!("cases/bundles/backup.{ending}")));
    }
    seeds.push(bytes("cases/bundles/streamed.zip"));
    seeds
}

fn configs() -> Vec<Vec<u8>> {
    let config = |provider: &str| {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let text = format!(
            "kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: [secrets, \"*.*\"]\n  \
             providers:\n  - {provider}:\n      keys:\n      - name: \"7\"\n        secret: {key}\n  - identity: {{}}\n"
        );
        text.into_bytes()
    };
    let kms = b"{\"kind\":\"EncryptionConfiguration\",\"apiVersion\":\"apiserver.config.k8s.io/v1\",\"resources\":[{\"resources\":[\"secrets\"],\
        \"providers\":[{\"kms\":{\"apiVersion\":\"v2\",\"name\":\"7_secrets\",\"endpoint\":\"unix:///var/run/kms.sock\",\"timeout\":\"3s\"}}]}]}";
    let mut seeds: Vec<_> = ["aescbc", "aesgcm", "secretbox"].map(config).into();
    seeds.push(kms.to_vec());
    seeds
}

fn certificates() -> Vec<Vec<u8>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/kubernetes/certificate_test.pem"
    );
    let pem = std::fs::read(path).expect("the file is there");
    vec![pem.repeat(2), pem]
}

fn names() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 4] = [
        b"snapshot_2024-11-02_030000.db\nstatic_kuberesources_2024-11-02_030000.tar.gz\nsnapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db",
        b"snapshot_2024-11-02_030000.db.part\nsnapshot_2024-11-02_030000 (1).db.gz\n1778410800.db\n._snapshot_2024-11-02_030000.db",
        b"etcd-snapshot-20241102-030000.db\nsnapshot-20241102-030000.db.zst\nsnapshot_2024-02-30_250000.db",
        b"10.db\n9.db\n09.db\nsnapshot_\xFF.db\nsnapshot_9999-99-99_999999.db",
    ];
    texts.map(<[u8]>::to_vec).into()
}

/// The golden records of every version of every table.
fn records() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let directory = testdata().join("catalogue/records");
    for (number, table) in (0..).zip(etcd_cat::catalogue::Table::ALL) {
        for version in 1..=table.version() {
            let path = directory.join(format!("{}.{version}.txt", table.name()));
            let text = std::fs::read_to_string(path).unwrap_or_default();
            for line in text.lines().take(4) {
                let (key, record) = line.split_once(' ').unwrap_or(("", line));
                let (key, record) = (hex(key), hex(record));
                let length = u8::try_from(key.len()).unwrap_or(u8::MAX);
                let value = record.get(5..).unwrap_or_default();
                seeds.push([&[number, version, length], key.as_slice(), value].concat());
            }
        }
    }
    seeds
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.filter_map(byte).collect()
}

/// Numbers that parsers stumble over.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    i64::MAX as u64,
    u64::MAX,
];

/// Changes a seed in one to eight places.
fn mutate(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.length(seeds.len() as u64)].clone();
    for _ in 0..=dice.roll(8) {
        let at = dice.length(bytes.len() as u64 + 1);
        let most = 1 << dice.roll(9);
        let length = dice.length(most);
        let end = bytes.len().min(at + length);
        match dice.roll(9) {
            0..3 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            3 if at < bytes.len() => bytes[at] = dice.roll(256) as u8,
            4 => drop(bytes.drain(at..end)),
            5 => {
                let again = bytes[at..end].to_vec();
                let to = dice.length(bytes.len() as u64 + 1);
                bytes.splice(to..to, again);
            }
            6 => {
                let other = &seeds[dice.length(seeds.len() as u64)];
                let from = dice.length(other.len() as u64 + 1);
                let part = &other[from..other.len().min(from + length)];
                bytes.splice(at..at, part.iter().copied());
            }
            7 => {
                let number = NUMBERS[dice.length(NUMBERS.len() as u64)];
                let (number, width) = (number.to_le_bytes(), 1 << dice.roll(4));
                let number = number[..width].iter().copied();
                let end = bytes.len().min(at + width);
                if dice.roll(2) == 0 {
                    bytes.splice(at..end, number);
                } else {
                    bytes.splice(at..end, number.rev());
                }
            }
            _ => bytes.truncate(at.max(1)),
        }
        bytes.truncate(MAX_BYTES);
    }
    bytes
}

/// How often an input that was slow is tried again: the machine may have been busy with something else.
const PATIENCE: usize = 5;

/// Feeds a target; what it dies of is kept and told.
fn feed(name: &str, bytes: &[u8], timeout: Option<Duration>) {
    let is_late = || {
        let started = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| targets::run(name, bytes)));
        let late = timeout.is_some_and(|timeout| started.elapsed() > timeout);
        ended.map(|()| late)
    };
    let mut tries = (0..=PATIENCE).map(|_| is_late());
    let died = match tries.find(|one| !matches!(one, Ok(true))) {
        Some(Ok(_)) => return,
        Some(Err(_)) => "dies",
        None => "takes too long",
    };
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    std::fs::write(&path, bytes).expect("there is room");
    panic!("target {name} {died} of {}", path.display());
}

/// A target, what it begins with, and how far it has come.
struct Feeder {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    dice: Dice,
    timeout: Option<Duration>,
    took: Duration,
}

impl Feeder {
    /// All of them, their seeds eaten.
    fn all(seed: u64, timeout: Option<Duration>) -> Vec<Self> {
        let numbered = (0..).zip(TARGETS);
        let feeders = numbered.map(|(number, (name, _))| {
            let seeds = seeds(name);
            assert!(!seeds.is_empty(), "{name}");
            seeds.iter().for_each(|bytes| feed(name, bytes, timeout));
            Self {
                name,
                seeds,
                dice: Dice(seed.wrapping_mul(1000) + number),
                timeout,
                took: Duration::ZERO,
            }
        });
        feeders.collect()
    }

    fn feed(&mut self, runs: u64) {
        let started = Instant::now();
        for _ in 0..runs {
            let bytes = mutate(&self.seeds, &mut self.dice);
            feed(self.name, &bytes, self.timeout);
        }
        self.took += started.elapsed();
    }
}

#[test]
fn no_target_dies_of_its_seeds_and_what_becomes_of_them() {
    for mut feeder in Feeder::all(1, None) {
        feeder.feed(RUNS);
    }
}

/// Each target in turn, so that all have come as far when it is stopped.
#[test]
#[ignore = "by hand: ETCD_CAT_FUZZ executions"]
#[expect(clippy::print_stdout, reason = "how far it has come is asked")]
fn no_target_dies_in_many_executions() {
    let number =
        |name, usual| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let wanted: u64 = number("ETCD_CAT_FUZZ", 1_000_000);
    let mut feeders = Feeder::all(number("ETCD_CAT_FUZZ_SEED", 2), Some(TIMEOUT));
    let (started, mut done) = (Instant::now(), 0);
    while done < wanted {
        for feeder in &mut feeders {
            feeder.feed(TURN);
            done += TURN;
        }
        let each = feeders.iter().map(|feeder| (feeder.name, feeder.took));
        let each: Vec<_> = each.collect();
        println!("{done} executions in {:?}: {each:.1?}", started.elapsed());
    }
}

#[test]
#[ignore = "by hand: writes the seeds where cargo-fuzz looks for them"]
fn seeds_are_written_for_cargo_fuzz() {
    for (name, _) in TARGETS {
        let directory = format!("{}/tests/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(&directory).expect("there is room");
        for (number, bytes) in seeds(name).iter().enumerate() {
            std::fs::write(format!("{directory}/seed-{number}"), bytes).expect("there is room");
        }
    }
}
