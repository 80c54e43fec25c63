//! How long the commands take that ask the catalogue: whole processes, as a person waits for them.
//!
//! `cargo bench --bench catalogue [-- BACKUPS...]` makes catalogues of 5,000, 10,000 and 100,000 backups over twice as
//! many real (empty) files, and prints a table. A command and its peer take turns, so that a machine that slows down
//! slows both: times are the medians of several turns, the ratio is the median of each turn's ratio. The peer of a
//! question to the catalogue is `cat` of its file; that of `index`, a walk that asks each file for size and time.

#[path = "../tests/all/catalogue/sample.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod sample;

use chrono::TimeDelta;
use etcd_cat::backup::{Verdict, Verification};
use etcd_cat::catalogue::{
    Catalogue, CatalogueChange, CatalogueLocation, Content, ProofRecord, SnapshotKey, Subject,
};
use etcd_cat::digest::Sha256Digest;
use etcd_cat::kubernetes::certificate::Certificates;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Turns of each command and its peer; the middle one counts.
const TURNS: usize = 7;
/// With more backups than this, what reads every fact takes too long to be repeated.
const WHOLE: u64 = 20_000;
/// Every fourth cluster encrypts.
const PLAIN_CLUSTERS: u64 = 4;
const BACKUPS_OF_CLUSTER: u64 = 500;

fn main() -> Fallible<()> {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if arguments.is_empty() {
        vec![5_000, 10_000, 100_000]
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
    writeln!(
        out,
        "| command | time | against | time | ratio |\n|---|---|---|---|---|"
    )?;
    let location = files.to_string_lossy().into_owned();
    let cluster = files.join("cluster1").to_string_lossy().into_owned();
    let cat = || peer(&["cat", &path.to_string_lossy()]);
    let questions: [&[&str]; 7] = [
        &["--version"],
        &["list"],
        &["list", "--all"],
        &["list", "--valid-for", "4.17.3"],
        &["list", "--valid-for", "4.17.3", "--cluster", "cluster1"],
        &["list", "--valid-for", "4.17.3", "-o", "json"],
        &["show", "latest"],
    ];
    let cheap = if backups > WHOLE { 5 } else { questions.len() };
    for arguments in questions.into_iter().take(cheap) {
        let row = compare(|| etcd_cat(&path, arguments), cat)?;
        writeln!(out, "| {} | {row}", arguments.join(" "))?;
    }
    for (name, directory) in [("DIR/cluster1", &cluster), ("DIR", &location)] {
        if backups <= WHOLE {
            let find = || peer(&["find", directory, "-type", "f", "-printf", r"%s %T@\n"]);
            let row = compare(|| etcd_cat(&path, &["index", directory]), find)?;
            writeln!(out, "| index {name} | {row}")?;
        }
    }
    Ok(())
}

fn peer(words: &[&str]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().copied().unwrap_or_default());
    command.args(words);
    command
}

/// The rest of a row: our time, the peer and its time, the ratio.
fn compare(ours: impl Fn() -> Command, peer: impl Fn() -> Command) -> Fallible<String> {
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        turns.push((run(&mut ours())?, run(&mut peer())?));
    }
    let time = median(turns.iter().map(|turn| turn.0.as_secs_f64()));
    let other = median(turns.iter().map(|turn| turn.1.as_secs_f64()));
    let ratio = median(
        turns
            .iter()
            .map(|turn| turn.0.as_secs_f64() / turn.1.as_secs_f64()),
    );
    let (time, other) = (
        Duration::from_secs_f64(time),
        Duration::from_secs_f64(other),
    );
    let name = peer().get_program().to_string_lossy().into_owned();
    Ok(format!("{time:.1?} | {name} | {other:.1?} | {ratio:.2} |"))
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

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
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

fn backup(files: &Path, number: u64) -> Fallible<Vec<CatalogueChange>> {
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
        CatalogueChange::Snapshot(Box::new(snapshot)),
        CatalogueChange::Kuberesources(Box::new(kuberesources)),
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

fn file(path: PathBuf, content: Content, number: u64) -> Fallible<CatalogueChange> {
    std::fs::write(&path, b"")?;
    Ok(CatalogueChange::File {
        identity: (&std::fs::metadata(&path)?).into(),
        path: path.into(),
        content,
        read_at: sample::instant(number),
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
