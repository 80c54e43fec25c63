//! How long it takes to say which kuberesources belongs to which snapshot, alone: `cargo bench --bench pairing [-- BACKUPS...]`.
//!
//! The facts of 10,000 and 100,000 backups lie in memory, in the shapes that fleets have; no file is looked at. What
//! pairing costs is held against two peers which are told what it has to find out. The shell of SQLite (`sqlite3`) joins
//! two tables that hold stamp, cluster and directory of each half already, with an index over them; and sorting the names
//! of all halves by directory and stamp brings both of a run together, as long as no content is to be looked at. All take
//! turns, and of each the shortest time counts, as others work on most machines, too.

mod peer;
#[path = "../tests/all/catalogue/sample.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod sample;

use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::Located;
use etcd_cat::inventory::{Inventory, Proven};
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::kubernetes::certificate::Certificates;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use etcd_cat::pairing::pair;
use etcd_cat::snapshot::Snapshot;
use etcd_cat::source::ObjectId;
use std::ffi::OsStr;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Turns of each; the shortest counts.
const TURNS: usize = 7;
const BACKUPS_OF_CLUSTER: u64 = 500;
/// Of so many clusters one encrypts.
const PLAIN_CLUSTERS: u64 = 4;

fn main() -> Fallible<()> {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if arguments.is_empty() {
        vec![10_000, 100_000]
    } else {
        arguments
    };
    for backups in sizes {
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "\n| {backups} backups | pairing | sqlite3 | ratio | sort | ratio |\n\
            |---|---|---|---|---|---|"
        )?;
        for shape in SHAPES {
            writeln!(out, "| {}", measure(shape, backups)?)?;
        }
    }
    Ok(())
}

/// How the backups of a fleet are named and when they are taken.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    /// So many clusters have all of them; `None` gives each [`BACKUPS_OF_CLUSTER`].
    clusters: Option<u64>,
    /// Each cluster begins so long after the one before it.
    apart: TimeDelta,
    /// Fixed names in a directory for each run, in place of stamps.
    is_unstamped: bool,
}

const SHAPES: [Shape; 4] = [
    Shape {
        name: "each cluster at its own minute",
        clusters: None,
        apart: TimeDelta::minutes(1),
        is_unstamped: false,
    },
    Shape {
        name: "all clusters at the same second",
        clusters: None,
        apart: TimeDelta::zero(),
        is_unstamped: false,
    },
    Shape {
        name: "20 clusters at the same second",
        clusters: Some(20),
        apart: TimeDelta::zero(),
        is_unstamped: false,
    },
    Shape {
        name: "fixed names, a directory for each run",
        clusters: None,
        apart: TimeDelta::minutes(1),
        is_unstamped: true,
    },
];

impl Shape {
    fn backups_of_cluster(self, backups: u64) -> u64 {
        self.clusters
            .map_or(BACKUPS_OF_CLUSTER, |clusters| backups.div_ceil(clusters))
    }

    /// Everything about the backups; each cluster takes one a day.
    fn runs(self, backups: u64) -> impl Iterator<Item = Run> {
        let of_cluster = self.backups_of_cluster(backups);
        (0..backups).map(move |number| {
            let cluster = number / of_cluster;
            let after = i32::try_from(cluster % 720).unwrap_or_default();
            let taken_at = sample::instant(number % of_cluster * 24) + self.apart * after;
            Run {
                number,
                cluster,
                taken_at,
                is_unstamped: self.is_unstamped,
            }
        })
    }
}

/// One run of `cluster-backup.sh`.
struct Run {
    number: u64,
    cluster: u64,
    taken_at: DateTime<Utc>,
    is_unstamped: bool,
}

impl Run {
    fn stamp(&self) -> String {
        let begun = self.taken_at - TimeDelta::seconds(5);
        begun.format("%Y-%m-%d_%H%M%S").to_string()
    }

    fn cluster_name(&self) -> String {
        format!("cluster{}-x7k2p", self.cluster)
    }

    fn directory(&self) -> String {
        let cluster = format!("/srv/backups/cluster{}", self.cluster);
        match self.is_unstamped {
            true => format!("{cluster}/run{}", self.number),
            false => cluster,
        }
    }

    fn path(&self, kind: &str, ending: &str) -> ObjectId {
        let directory = self.directory();
        let path = match self.is_unstamped {
            true => format!("{directory}/{kind}{ending}"),
            false => format!("{directory}/{kind}_{}{ending}", self.stamp()),
        };
        ObjectId::from(Path::new(&path))
    }

    /// Certificates are left out: pairing looks at none, and they would take most of the memory.
    fn snapshot(&self) -> Snapshot {
        let mut facts = sample::snapshot(self.number);
        facts.certificates = Certificates::default();
        facts.newest_lease_at = Some(self.taken_at);
        facts.newest_content_at = Some(self.taken_at);
        let cluster = &mut facts.cluster;
        cluster.infrastructure_name = Some(self.cluster_name());
        cluster.api_server_internal_url = Some(self.url());
        for (member, place) in facts.members.iter_mut().zip(1..) {
            member.id = ((self.cluster + 1) << 8) | place;
        }
        if !self.is_encrypted() {
            facts.encryption.clear();
        }
        facts
    }

    fn kuberesources(&self) -> Kuberesources {
        let mut facts = sample::kuberesources(self.number);
        facts.certificates = Certificates::default();
        facts.infrastructure_name = Some(self.cluster_name());
        facts.api_server_internal_url = Some(self.url());
        facts.etcd_endpoints = (1..=3_u64)
            .map(|place| {
                let id = ((self.cluster + 1) << 8) | place;
                (format!("{id:x}"), format!("10.0.0.{place}"))
            })
            .collect();
        facts
    }

    fn url(&self) -> String {
        format!("https://api-int.cluster{}.example.com:6443", self.cluster)
    }

    fn is_encrypted(&self) -> bool {
        self.cluster.is_multiple_of(PLAIN_CLUSTERS)
    }
}

fn inventory(shape: Shape, backups: u64) -> Inventory {
    let mut made = Inventory::default();
    for run in shape.runs(backups) {
        let (snapshot, kuberesources) = (run.snapshot(), run.kuberesources());
        if run.is_encrypted() {
            let digests = (snapshot.computed, kuberesources.sha256);
            made.proofs.insert(digests.0, digests.1, proven());
        }
        made.snapshots
            .push(Located::alone(snapshot, run.path("snapshot", ".db")));
        made.kuberesources.push(Located::alone(
            kuberesources,
            run.path("static_kuberesources", ".tar.gz"),
        ));
    }
    made
}

fn proven() -> Proven {
    let line = |resource: &str| KeyProofLine {
        resource: resource.to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
        tried: 3,
        outcome: KeyOutcome::Decrypted,
        damaged: NamedValues::default(),
        mismatched: NamedValues::default(),
    };
    let lines = ["secrets", "configmaps", "routes.route.openshift.io"];
    Proven {
        key_proof: KeyProof {
            lines: lines.map(line).to_vec(),
        },
        certificates: Certificates::default(),
    }
}

/// A row of the table.
fn measure(shape: Shape, backups: u64) -> Fallible<String> {
    let inventory = inventory(shape, backups);
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("peer.sqlite");
    sqlite::fill(&database, shape, backups)?;
    // What lies about in memory unwritten would be written while somebody waits.
    peer::run(&mut Command::new("sync"))?;
    let mut least = [Duration::MAX; 3];
    for _ in 0..TURNS {
        let times = [
            timed(|| joined(&inventory)),
            peer::run(&mut sqlite::ask(&database))?,
            timed(|| sorted(&inventory)),
        ];
        for (least, time) in least.iter_mut().zip(times) {
            *least = time.min(*least);
        }
    }
    let expected = usize::try_from(backups)?;
    for (name, found) in [
        ("pairing", joined(&inventory)),
        ("sort", sorted(&inventory)),
    ] {
        if found != expected {
            return Err(format!("{name} joined {found} of {expected}").into());
        }
    }
    let [ours, sqlite, sort] = least;
    let ratio = |peer: Duration| ours.as_secs_f64() / peer.as_secs_f64();
    Ok(format!(
        "{} | {ours:.1?} | {sqlite:.1?} | {:.2} | {sort:.1?} | {:.2} |",
        shape.name,
        ratio(sqlite),
        ratio(sort),
    ))
}

/// How many have both halves.
fn joined(inventory: &Inventory) -> usize {
    let pairs = pair(inventory);
    let whole = pairs
        .iter()
        .filter(|paired| paired.snapshot.is_some() && paired.kuberesources.is_some());
    whole.count()
}

/// Halves of one directory and stamp, brought together by sorting what their names say.
fn sorted(inventory: &Inventory) -> usize {
    let snapshots = inventory.snapshots.iter().map(|half| key(&half.path));
    let kuberesources = inventory.kuberesources.iter().map(|half| key(&half.path));
    let mut keys: Vec<Key<'_>> = snapshots.chain(kuberesources).flatten().collect();
    keys.sort_unstable();
    let mut pairs = Vec::with_capacity(keys.len() / 2);
    for both in keys.windows(2) {
        if let [(directory, stamp, false), (second, other, true)] = both
            && (directory, stamp) == (second, other)
        {
            pairs.push((directory, stamp));
        }
    }
    pairs.len()
}

/// Directory, what stands for the stamp, and whether it is an archive.
type Key<'a> = (&'a OsStr, &'a str, bool);

fn key(path: &ObjectId) -> Option<Key<'_>> {
    let name = path.file_name()?.to_str()?;
    let snapshot = name
        .strip_prefix("snapshot")
        .and_then(|name| name.strip_suffix(".db"));
    let archive = name.strip_prefix("static_kuberesources");
    let archive = archive.and_then(|name| name.strip_suffix(".tar.gz"));
    Some((path.directory()?, snapshot.or(archive)?, archive.is_some()))
}

fn timed<T>(work: impl Fn() -> T) -> Duration {
    let started = Instant::now();
    black_box(work());
    started.elapsed()
}

/// The same halves in two tables of SQLite.
/// The same halves in two tables of SQLite.
mod sqlite {
    use super::{Command, Fallible, Path, Shape, peer};
    use std::fmt::Write as _;

    const TABLES: &str = "CREATE TABLE snapshot (id INTEGER PRIMARY KEY, cluster TEXT, directory TEXT, stamp TEXT); \
        CREATE TABLE kuberesources (id INTEGER PRIMARY KEY, cluster TEXT, directory TEXT, stamp TEXT);";
    const INDEX: &str = "CREATE INDEX by_run ON kuberesources (stamp, cluster, directory);";
    const JOIN: &str = "SELECT one.id, two.id FROM snapshot one LEFT JOIN kuberesources two \
        ON two.stamp = one.stamp AND two.cluster = one.cluster AND two.directory = one.directory";

    pub(super) fn ask(database: &Path) -> Command {
        peer::ask(database, JOIN)
    }

    pub(super) fn fill(database: &Path, shape: Shape, backups: u64) -> Fallible<()> {
        let mut words = format!("{TABLES}\nBEGIN;\n");
        for run in shape.runs(backups) {
            let stamp = match run.is_unstamped {
                true => String::new(),
                false => run.stamp(),
            };
            for table in ["snapshot", "kuberesources"] {
                writeln!(
                    words,
                    "INSERT INTO {table} VALUES ({}, '{}', '{}', '{stamp}');",
                    run.number,
                    run.cluster_name(),
                    run.directory(),
                )?;
            }
        }
        words.push_str("COMMIT;\n");
        words.push_str(INDEX);
        peer::fill(database, &words)
    }
}
