//! How long the commands take that ask the catalogue: whole processes, as a person waits for them.
//!
//! `cargo bench --bench catalogue [-- BACKUPS...]` makes catalogues of 10,000, 100,000 and 1,000,000 backups over twice as
//! many real (empty) files, and prints tables; the last one holds the judged list alone. A command and its peer take turns, so that a
//! machine that slows down slows both: times are the shortest of several turns, as others work on most machines, too, and
//! the ratio is that of these times. The peer of a question is the shell of SQLite (`sqlite3`) with the same rows in a table with indexes: it looks
//! at no file, where etcd-cat makes sure that none has come or gone, and that those of the newest 5,000 backups which it
//! names are as they were. The peers of what reads every fact are `cat` of the catalogue, and for documents SQLite, which
//! has each ready as a text; that of `index` is a walk that asks each file for size and time.

mod peer;
#[path = "../tests/all/catalogue/sample.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod sample;

use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::{Verdict, Verification};
use etcd_cat::catalogue::{
    Catalogue, CatalogueChange, CatalogueLocation, Content, ProofRecord, SnapshotKey, Subject,
};
use etcd_cat::digest::Sha256Digest;
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::kubernetes::certificate::Certificates;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use etcd_cat::snapshot::Snapshot;
use etcd_cat::source::{PageCache, Stores};
use etcd_cat::survey::{self, Decrypt, Depth, SurveyOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Turns of each command and its peer; the shortest counts.
const TURNS: usize = 7;
/// With more backups than this, what reads every fact takes too long to be repeated so often.
const WHOLE: u64 = 20_000;
const TURNS_OF_MANY: usize = 3;
/// With more backups than this, only the judged list is made: no fact lies behind it.
const FACTS: u64 = 200_000;
/// Every fourth cluster encrypts.
const PLAIN_CLUSTERS: u64 = 4;
const BACKUPS_OF_CLUSTER: u64 = 500;
/// A day after the newest.
const AS_OF: &str = "2025-03-29T12:00:00Z";

fn main() -> Fallible<()> {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if arguments.is_empty() {
        vec![10_000, 100_000, 1_000_000]
    } else {
        arguments
    };
    for backups in sizes {
        let bench = Bench::new(backups)?;
        bench.questions()?;
        if backups <= FACTS {
            bench.whole()?;
        }
    }
    Ok(())
}

/// A catalogue, the files that it knows, and the same rows for SQLite.
struct Bench {
    backups: u64,
    directory: tempfile::TempDir,
}

impl Bench {
    fn new(backups: u64) -> Fallible<Self> {
        let directory = tempfile::tempdir()?;
        let bench = Self { backups, directory };
        let (catalogue, files) = (bench.path("catalogue.redb"), bench.path("backups"));
        if backups > FACTS {
            judged::fill(&catalogue, &files, backups)?;
        } else {
            fill(&catalogue, &files, backups)?;
        }
        let first = Instant::now();
        if backups <= FACTS {
            peer::run(&mut bench.etcd_cat(&["index", &files.to_string_lossy()]))?;
        }
        let elapsed = first.elapsed();
        if backups <= FACTS {
            verify_as_judged(&catalogue)?;
            peer::run(&mut bench.etcd_cat(&["index", &files.to_string_lossy()]))?;
        }
        sqlite::fill(&bench.path("peer.sqlite"), backups)?;
        let size = std::fs::metadata(&catalogue)?.len() >> 20;
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "\n{backups} backups, catalogue of {size} MiB, first index {elapsed:.2?}\n"
        )?;
        writeln!(
            out,
            "| command | time | resident | against | time | ratio |\n|---|---|---|---|---|---|"
        )?;
        // What lies about in memory unwritten would be written while somebody waits.
        peer::run(&mut Command::new("sync"))?;
        Ok(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn etcd_cat(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-cat"));
        command
            .args(arguments)
            .env("ETCD_CAT_CATALOGUE", self.path("catalogue.redb"))
            .env("ETCD_CAT_AS_OF", AS_OF);
        command
    }

    /// What the judged list answers.
    fn questions(&self) -> Fallible<()> {
        let cluster = "cluster1-x7k2p";
        let rows: [(&[&str], &str); 6] = [
            (&["list"], sqlite::LIST),
            (&["list", "--valid-for", "4.17.3"], sqlite::VALID_FOR),
            (
                &["list", "--valid-for", "4.17.3", "--cluster", cluster],
                sqlite::VALID_FOR_OF_CLUSTER,
            ),
            (&["clusters"], sqlite::CLUSTERS),
            (
                &["show", "latest-valid", "--cluster", cluster],
                sqlite::LATEST_VALID,
            ),
            (&["--version"], "SELECT sqlite_version()"),
        ];
        for (arguments, query) in rows {
            let is_of_facts = arguments.first() == Some(&"show");
            if is_of_facts && self.backups > FACTS {
                continue;
            }
            let peer = || peer::ask(&self.path("peer.sqlite"), query);
            self.row(
                &arguments.join(" "),
                TURNS,
                || self.etcd_cat(arguments),
                peer,
            )?;
        }
        Ok(())
    }

    /// What needs every fact, or every file.
    fn whole(&self) -> Fallible<()> {
        let turns = if self.backups > WHOLE {
            TURNS_OF_MANY
        } else {
            TURNS
        };
        let catalogue = self.path("catalogue.redb").to_string_lossy().into_owned();
        let report = self.path("report.html").to_string_lossy().into_owned();
        let metrics = self.path("metrics.prom").to_string_lossy().into_owned();
        let cat = || peer(&["cat", &catalogue]);
        let rows: [(&str, &[&str]); 3] = [
            ("list -o json", &["list", "-o", "json"]),
            ("metrics", &["metrics", "--to", &metrics]),
            ("report", &["report", "--to", &report]),
        ];
        for (name, arguments) in rows {
            self.row(name, turns, || self.etcd_cat(arguments), cat)?;
        }
        if self.backups <= WHOLE {
            let documents = self.path("documents.sqlite");
            let whole = self.etcd_cat(&["list", "-o", "json"]).output()?;
            sqlite::keep_documents(&documents, &whole.stdout)?;
            let peer = || peer::ask(&documents, sqlite::DOCUMENTS);
            let ours = || self.etcd_cat(&["list", "-o", "json"]);
            self.row("list -o json", turns, ours, peer)?;
        }
        let files = self.path("backups").to_string_lossy().into_owned();
        let one = self.path("backups/cluster1").to_string_lossy().into_owned();
        for (name, directory) in [("index DIR/cluster1", &one), ("index DIR", &files)] {
            let find = || peer(&["find", directory, "-type", "f", "-printf", r"%s %T@\n"]);
            self.row(name, turns, || self.etcd_cat(&["index", directory]), find)?;
        }
        Ok(())
    }

    fn row(
        &self,
        name: &str,
        turns: usize,
        ours: impl Fn() -> Command,
        peer: impl Fn() -> Command,
    ) -> Fallible<()> {
        let row = compare(turns, &ours, &peer)?;
        writeln!(io::stdout().lock(), "| {name} | {row}")?;
        Ok(())
    }
}

/// As if each backup had been verified as of the time of the questions: a verdict that is another by now would be told anew
/// with every index.
fn verify_as_judged(path: &Path) -> Fallible<()> {
    let catalogue = Catalogue::new(CatalogueLocation::Redb(path.to_owned()));
    let as_of: DateTime<Utc> = AS_OF.parse()?;
    let options = SurveyOptions {
        depth: Depth::New,
        decrypt: Decrypt::Sample,
        jobs: 1,
        as_of,
        accept: Vec::new(),
        page_cache: PageCache::Keep,
        stores: Stores::default(),
        shard: None,
    };
    let backups = survey::recall(&catalogue, &options)?;
    let verified = backups.iter().filter_map(|backup| {
        let snapshot = &backup.snapshot.as_ref()?.facts;
        Some(CatalogueChange::Verification {
            subject: Subject::Snapshot(SnapshotKey::of(snapshot)),
            verification: Verification {
                at: as_of,
                verdict: backup.verdict,
                accepted: Vec::new(),
            },
        })
    });
    Ok(catalogue.record(verified.collect())?)
}

fn peer(words: &[&str]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().copied().unwrap_or_default());
    command.args(words);
    command
}

/// The rest of a row: our time and memory, the peer and its time, the ratio.
fn compare(
    turns: usize,
    ours: &impl Fn() -> Command,
    peer: &impl Fn() -> Command,
) -> Fallible<String> {
    let memory = resident(&ours())?;
    let mut times = Vec::new();
    for _ in 0..turns {
        times.push((peer::run(&mut ours())?, peer::run(&mut peer())?));
    }
    let least = |of: fn(&(Duration, Duration)) -> Duration| times.iter().map(of).min();
    let time = least(|turn| turn.0).unwrap_or_default();
    let other = least(|turn| turn.1).unwrap_or_default();
    let ratio = time.as_secs_f64() / other.as_secs_f64();
    let name = peer().get_program().to_string_lossy().into_owned();
    Ok(format!(
        "{time:.1?} | {memory} | {name} | {other:.1?} | {ratio:.2} |"
    ))
}

/// The most memory that a command has at once, by GNU `time`; a dash where that is not installed.
fn resident(command: &Command) -> Fallible<String> {
    let mut timed = Command::new("/usr/bin/time");
    timed
        .args(["-q", "-f", "%M"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::null());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            timed.env(name, value);
        }
    }
    let Ok(output) = timed.output() else {
        return Ok("-".to_owned());
    };
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let kibibytes = told
        .lines()
        .last()
        .and_then(|line| line.parse::<u64>().ok());
    Ok(kibibytes.map_or_else(
        || "-".to_owned(),
        |kibibytes| format!("{} MiB", kibibytes >> 10),
    ))
}

/// When a backup was taken: each cluster takes one a day, a minute after the cluster before it.
fn taken_at(number: u64) -> DateTime<Utc> {
    let cluster = i64::try_from(number / BACKUPS_OF_CLUSTER).unwrap_or_default();
    sample::instant(number % BACKUPS_OF_CLUSTER * 24) + TimeDelta::minutes(cluster % 720)
}

fn directory_of(files: &Path, number: u64) -> PathBuf {
    files.join(format!("cluster{}", number / BACKUPS_OF_CLUSTER))
}

fn names_of(number: u64) -> [String; 2] {
    let stamp = (taken_at(number) - TimeDelta::seconds(5)).format("%Y-%m-%d_%H%M%S");
    [
        format!("snapshot_{stamp}.db"),
        format!("static_kuberesources_{stamp}.tar.gz"),
    ]
}

/// The judged list of so many backups that to judge them first would take an hour: made as it would be.
mod judged {
    use super::{BACKUPS_OF_CLUSTER, Fallible, directory_of, names_of, sample, taken_at};
    use etcd_cat::backup::Version;
    use etcd_cat::catalogue::{Catalogue, CatalogueLocation};
    use etcd_cat::judgement::{Calendar, RULES};
    use etcd_cat::overview::{
        DirectoryStamp, Overview, OverviewDirectory, OverviewFile, OverviewGroup, OverviewRow,
    };
    use etcd_cat::selection::KnownCluster;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    const BACKUPS_OF_VERSION: u64 = 40;

    pub(super) fn fill(catalogue: &Path, files: &Path, backups: u64) -> Fallible<()> {
        let catalogue = Catalogue::new(CatalogueLocation::Redb(catalogue.to_owned()));
        catalogue.remember_location(files.to_owned(), taken_at(0))?;
        let mut overview = Overview::default();
        let versions = BACKUPS_OF_CLUSTER.div_ceil(BACKUPS_OF_VERSION);
        overview.head.versions = (0..versions)
            .map(|version| Version {
                openshift: Some(format!("4.17.{version}")),
                ..Version::default()
            })
            .collect();
        overview.head.marks = vec![Vec::new()];
        overview.calendars = vec![Calendar::default()];
        for first in (0..backups).step_by(usize::try_from(BACKUPS_OF_CLUSTER)?) {
            cluster(&mut overview, files, first)?;
        }
        overview.head.rules = RULES;
        overview.head.generation = catalogue.load()?.generation;
        overview.head.calendars = 1;
        overview.head.directories = u64::try_from(overview.directories.len())?;
        Ok(overview.keep(&catalogue)?)
    }

    fn cluster(overview: &mut Overview, files: &Path, first: u64) -> Fallible<()> {
        let number = first / BACKUPS_OF_CLUSTER;
        let cluster = u32::try_from(overview.head.clusters.len())?;
        overview.head.clusters.push(KnownCluster {
            name: Some(format!("cluster{number}-x7k2p")),
            id: Some(format!("{number:08x}-2bd5-4a5e-9c3f-0123456789ab")),
        });
        let path = directory_of(files, first);
        std::fs::create_dir_all(&path)?;
        let directory = u32::try_from(overview.directories.len())?;
        let (mut databases, mut archives) = (Vec::new(), Vec::new());
        for (place, backup) in (0..).zip(first..first + BACKUPS_OF_CLUSTER) {
            let [database, archive] = names_of(backup);
            databases.push(file(&path, database)?);
            archives.push(file(&path, archive)?);
            let behind = u32::try_from(BACKUPS_OF_CLUSTER)?;
            let row = OverviewRow {
                digest: Some(sample::digest(1, backup)),
                snapshot: Some(true),
                kuberesources: Some(true),
                marks: 0,
                calendar: 0,
                taken_at: Some(taken_at(backup)),
                size_bytes: Some(104_857_632 + backup),
                places: vec![(directory, place), (directory, behind + place)],
                revision: i64::try_from(1_000_000 + backup).ok(),
                verified_as: Some(etcd_cat::backup::Verdict::Valid),
            };
            if (backup % BACKUPS_OF_CLUSTER).is_multiple_of(BACKUPS_OF_VERSION) {
                overview.rows.push(Vec::new());
                overview.head.groups.push(OverviewGroup {
                    cluster: Some(cluster),
                    version: u32::try_from(backup % BACKUPS_OF_CLUSTER / BACKUPS_OF_VERSION)?,
                    rows: 0,
                });
            }
            if let Some((rows, group)) = overview
                .rows
                .last_mut()
                .zip(overview.head.groups.last_mut())
            {
                rows.insert(0, row);
                group.rows += 1;
            }
        }
        databases.append(&mut archives);
        let found = std::fs::metadata(&path)?;
        overview.directories.push(OverviewDirectory {
            path: path.as_os_str().as_bytes().to_vec(),
            files: u64::try_from(databases.len())?,
            stamp: Some(DirectoryStamp {
                device: found.dev(),
                inode: found.ino(),
                changed_seconds: found.ctime(),
                changed_nanoseconds: u32::try_from(found.ctime_nsec())?,
            }),
        });
        overview.files.push(databases);
        Ok(())
    }

    fn file(directory: &Path, name: String) -> Fallible<OverviewFile> {
        let path = directory.join(&name);
        std::fs::write(&path, b"")?;
        Ok(OverviewFile {
            name: name.into_bytes(),
            is_present: true,
            identity: (&std::fs::metadata(&path)?).into(),
        })
    }
}

/// The same rows in a table of SQLite.
mod sqlite {
    use super::{AS_OF, BACKUPS_OF_CLUSTER, Fallible, names_of, peer, sample, taken_at};
    use std::fmt::Write as _;
    use std::path::Path;

    const TABLE: &str = "CREATE TABLE backup (id TEXT PRIMARY KEY, verdict TEXT, cluster TEXT, version TEXT, \
        taken INTEGER, size INTEGER, revision INTEGER, findings TEXT, path TEXT);";
    const INDEXES: &str = "CREATE INDEX by_time ON backup (taken); \
        CREATE INDEX by_version ON backup (version, taken); \
        CREATE INDEX by_cluster ON backup (cluster, version, taken);";
    pub(super) const LIST: &str = "SELECT id, verdict, cluster, version, datetime(taken, 'unixepoch'), now - taken, size, findings \
        FROM backup, now ORDER BY taken DESC";
    pub(super) const VALID_FOR: &str = "SELECT id, verdict, cluster, version, datetime(taken, 'unixepoch'), now - taken, size, findings \
        FROM backup, now WHERE version = '4.17.3' AND verdict IN ('valid', 'warning') ORDER BY taken DESC";
    pub(super) const VALID_FOR_OF_CLUSTER: &str = "SELECT id, verdict, cluster, version, datetime(taken, 'unixepoch'), now - taken, size, findings \
        FROM backup, now WHERE cluster = 'cluster1-x7k2p' AND version = '4.17.3' \
        AND verdict IN ('valid', 'warning') ORDER BY taken DESC";
    pub(super) const CLUSTERS: &str = "SELECT cluster, max(taken), max(taken) FILTER (WHERE verdict IN ('valid', 'warning')), \
        sum(verdict = 'valid'), sum(verdict = 'warning'), sum(verdict = 'invalid'), sum(verdict = 'unknown') \
        FROM backup GROUP BY cluster ORDER BY 3";
    pub(super) const LATEST_VALID: &str = "SELECT * FROM backup WHERE cluster = 'cluster1-x7k2p' \
        AND verdict IN ('valid', 'warning') ORDER BY taken DESC LIMIT 1";

    pub(super) const DOCUMENTS: &str = "SELECT json_group_array(json(document)) FROM (SELECT document FROM backup ORDER BY taken DESC)";

    /// The documents of backups as texts, one in each row.
    pub(super) fn keep_documents(database: &Path, list: &[u8]) -> Fallible<()> {
        let path = database.with_extension("json");
        std::fs::write(&path, list)?;
        let script = format!(
            "CREATE TABLE backup AS SELECT value AS document, value ->> '$.takenAt' AS taken \
             FROM json_each(readfile('{}'), '$.items');",
            path.display()
        );
        peer::fill(database, &script)
    }

    pub(super) fn fill(database: &Path, backups: u64) -> Fallible<()> {
        let now = AS_OF.parse::<chrono::DateTime<chrono::Utc>>()?.timestamp();
        let mut words = format!(
            "{TABLE}\nCREATE TABLE now (now INTEGER); INSERT INTO now VALUES ({now});\nBEGIN;\n"
        );
        for number in 0..backups {
            let cluster = number / BACKUPS_OF_CLUSTER;
            let version = number % BACKUPS_OF_CLUSTER / 40;
            let [name, _] = names_of(number);
            let id = sample::digest(1, number).id();
            writeln!(
                words,
                "INSERT INTO backup VALUES ('{id}', 'valid', 'cluster{cluster}-x7k2p', '4.17.{version}', {}, {}, {}, '', \
                '/backups/cluster{cluster}/{name}');",
                taken_at(number).timestamp(),
                104_857_632 + number,
                1_000_000 + number,
            )?;
        }
        words.push_str("COMMIT;\n");
        words.push_str(INDEXES);
        peer::fill(database, &words)
    }
}

/// Records the backups, and makes a file without bytes of its own for each half.
fn fill(catalogue: &Path, files: &Path, backups: u64) -> Fallible<()> {
    let catalogue = Catalogue::new(CatalogueLocation::Redb(catalogue.to_owned()));
    for first in (0..backups).step_by(1000) {
        let mut changes = Vec::new();
        for number in first..backups.min(first + 1000) {
            changes.extend(backup(files, number)?);
        }
        catalogue.record(changes)?;
    }
    Ok(())
}

fn backup(files: &Path, number: u64) -> Fallible<Vec<CatalogueChange>> {
    let taken_at = taken_at(number);
    let directory = directory_of(files, number);
    std::fs::create_dir_all(&directory)?;
    let is_encrypted = (number / BACKUPS_OF_CLUSTER).is_multiple_of(PLAIN_CLUSTERS);
    let mut snapshot = sample::snapshot(number);
    snapshot.newest_lease_at = Some(taken_at);
    snapshot.newest_content_at = Some(taken_at);
    let [database, archive] = names_of(number);
    let mut kuberesources = sample::kuberesources(number);
    if !is_encrypted {
        snapshot.encryption.clear();
        kuberesources.encryption_expected = false;
        kuberesources.encryption = None;
    }
    fit(&mut snapshot, &mut kuberesources);
    let sizes = (snapshot.size_bytes, kuberesources.size_bytes);
    let (key, digest) = (SnapshotKey::of(&snapshot), kuberesources.sha256);
    let verification = Verification {
        at: taken_at,
        verdict: Verdict::Valid,
        accepted: Vec::new(),
    };
    let mut changes = vec![
        CatalogueChange::Snapshot(Box::new(snapshot)),
        CatalogueChange::Kuberesources(Box::new(kuberesources)),
        file(
            directory.join(database),
            sizes.0,
            Content::Snapshot(key),
            taken_at,
        )?,
        file(
            directory.join(archive),
            sizes.1,
            Content::Kuberesources(digest),
            taken_at,
        )?,
        CatalogueChange::Verification {
            subject: Subject::Snapshot(key),
            verification,
        },
    ];
    if is_encrypted {
        changes.push(proof(key, digest));
    }
    Ok(changes)
}

/// The halves of the sample are of no backup that restores.
fn fit(snapshot: &mut Snapshot, kuberesources: &mut Kuberesources) {
    let cluster = &mut snapshot.cluster;
    for operator in &mut cluster.operators {
        operator
            .operator_version
            .clone_from(&cluster.desired_version);
    }
    let url = &mut kuberesources.api_server_internal_url;
    url.clone_from(&cluster.api_server_internal_url);
    let members = snapshot.members.iter().zip(1..);
    kuberesources.etcd_endpoints = members
        .map(|(member, host): (_, u8)| (format!("{:016x}", member.id), format!("10.0.0.{host}")))
        .collect();
}

fn file(
    path: PathBuf,
    bytes: u64,
    content: Content,
    read_at: DateTime<Utc>,
) -> Fallible<CatalogueChange> {
    std::fs::File::create(&path)?.set_len(bytes)?;
    Ok(CatalogueChange::File {
        identity: (&std::fs::metadata(&path)?).into(),
        path: path.into(),
        content,
        read_at,
        custody: None,
    })
}

fn proof(snapshot: SnapshotKey, kuberesources: Sha256Digest) -> CatalogueChange {
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
    let proof = ProofRecord {
        key_proof: KeyProof {
            lines: lines.map(line).to_vec(),
        },
        certificates: Certificates::default(),
    };
    CatalogueChange::Proof {
        snapshot,
        kuberesources,
        proof: Box::new(proof),
    }
}
