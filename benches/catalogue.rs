//! How long the commands take that ask the catalogue: whole processes, as a person waits for them.
//!
//! `cargo bench --bench catalogue [-- BACKUPS...]` makes catalogues of 10,000 and 100,000 backups over real (empty)
//! files, and prints a table: the median of several runs, and its ratio to `cat` of the catalogue file.

#[path = "../tests/catalogue/sample.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod sample;

use chrono::TimeDelta;
use etcd_cat::backup::{Verdict, Verification};
use etcd_cat::catalogue::{
    Catalogue, CatalogueLocation, Change, Content, Proof, SnapshotKey, Subject,
};
use etcd_cat::digest::Sha256Digest;
use etcd_cat::discovery::FileIdentity;
use etcd_cat::kubernetes::certificate::Certificates;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Runs of each command; the middle one counts.
const RUNS: usize = 7;
/// Every fourth cluster encrypts.
const PLAIN_CLUSTERS: u64 = 4;
const BACKUPS_OF_CLUSTER: u64 = 500;

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
        measure(backups)?;
    }
    Ok(())
}

fn measure(backups: u64) -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let files = directory.path().join("backups");
    fill(&path, &files, backups)?;
    let mut out = io::stdout().lock();
    let first = Instant::now();
    run(&mut etcd_cat(&path, &["index", &files.to_string_lossy()]))?;
    let size = std::fs::metadata(&path)?.len() >> 20;
    writeln!(
        out,
        "\n{backups} backups, catalogue of {size} MiB, first index {:.2?}\n",
        first.elapsed()
    )?;
    writeln!(out, "| command | median | ratio to cat |\n|---|---|---|")?;
    let cat = median(|| {
        let mut cat = Command::new("cat");
        cat.arg(&path);
        cat
    })?;
    let location = files.to_string_lossy().into_owned();
    let cluster = files.join("cluster1").to_string_lossy().into_owned();
    let commands: [&[&str]; 9] = [
        &["--version"],
        &["list"],
        &["list", "--all"],
        &["list", "--valid-for", "4.17.3"],
        &["list", "--valid-for", "4.17.3", "--cluster", "cluster1"],
        &["list", "--valid-for", "4.17.3", "-o", "json"],
        &["show", "latest"],
        &["index", &cluster],
        &["index", &location],
    ];
    writeln!(out, "| cat | {cat:.1?} | 1.00 |")?;
    for arguments in commands {
        let time = median(|| etcd_cat(&path, arguments))?;
        let ratio = time.as_secs_f64() / cat.as_secs_f64();
        let name = arguments.join(" ").replace(&location, "DIR");
        writeln!(out, "| {name} | {time:.1?} | {ratio:.2} |")?;
    }
    Ok(())
}

fn etcd_cat(catalogue: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-cat"));
    command
        .args(arguments)
        .env("ETCD_CAT_CATALOGUE", catalogue)
        .env("ETCD_CAT_AS_OF", "2024-11-02T00:00:00Z");
    command
}

fn run(command: &mut Command) -> Fallible<Duration> {
    let started = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(started.elapsed())
}

fn median(command: impl Fn() -> Command) -> Fallible<Duration> {
    let mut times = (0..RUNS)
        .map(|_| run(&mut command()))
        .collect::<Fallible<Vec<_>>>()?;
    times.sort();
    Ok(times.get(RUNS / 2).copied().unwrap_or_default())
}

/// Records the backups, and makes an empty file for each half.
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

fn backup(files: &Path, number: u64) -> Fallible<Vec<Change>> {
    let taken_at = sample::instant(number);
    let stamp = (taken_at - TimeDelta::seconds(5)).format("%Y-%m-%d_%H%M%S");
    let cluster = number / BACKUPS_OF_CLUSTER;
    let directory = files.join(format!("cluster{cluster}"));
    std::fs::create_dir_all(&directory)?;
    let is_encrypted = cluster.is_multiple_of(PLAIN_CLUSTERS);
    let mut snapshot = sample::snapshot(number);
    let mut kuberesources = sample::kuberesources(number);
    if !is_encrypted {
        snapshot.encryption.clear();
        kuberesources.encryption_expected = false;
        kuberesources.encryption = None;
    }
    let (key, digest) = (SnapshotKey::of(&snapshot), kuberesources.sha256);
    let verification = Verification {
        at: taken_at,
        verdict: Verdict::Valid,
        accepted: Vec::new(),
    };
    let mut changes = vec![
        Change::Snapshot(Box::new(snapshot)),
        Change::Kuberesources(Box::new(kuberesources)),
        file(
            directory.join(format!("snapshot_{stamp}.db")),
            Content::Snapshot(key),
            number,
        )?,
        file(
            directory.join(format!("static_kuberesources_{stamp}.tar.gz")),
            Content::Kuberesources(digest),
            number,
        )?,
        Change::Verification {
            subject: Subject::Snapshot(key),
            verification,
        },
    ];
    if is_encrypted {
        changes.push(proof(key, digest));
    }
    Ok(changes)
}

fn file(path: PathBuf, content: Content, number: u64) -> Fallible<Change> {
    std::fs::write(&path, b"")?;
    Ok(Change::File {
        identity: FileIdentity::of(&std::fs::metadata(&path)?),
        path,
        content,
        read_at: sample::instant(number),
    })
}

fn proof(snapshot: SnapshotKey, kuberesources: Sha256Digest) -> Change {
    let line = |resource: &str| KeyProofLine {
        resource: resource.to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
        tried: 3,
        outcome: KeyOutcome::Decrypted,
    };
    let lines = ["secrets", "configmaps", "routes.route.openshift.io"];
    let proof = Proof {
        key_proof: KeyProof {
            lines: lines.map(line).to_vec(),
        },
        certificates: Certificates::default(),
    };
    Change::Proof {
        snapshot,
        kuberesources,
        proof: Box::new(proof),
    }
}
