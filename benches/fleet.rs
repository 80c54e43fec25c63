//! How long planning and merging take as a fleet grows: `cargo bench --bench fleet [-- OBJECTS...]`.
//!
//! Makes 1,000, 10,000 and 100,000 files, half of them small sound snapshots of clusters with 60 backups each, half their
//! kuberesources, each with its own bytes; has 64 workers prove them, two at a time, and prints a table. Times are of whole
//! processes: the middle one of three plans, one merge into an empty catalogue, and the same merge again. A merge ends
//! with everything judged.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "measures, and says what it has measured"
)]

#[path = "../tests/all/cli/edit.rs"]
#[expect(
    dead_code,
    clippy::as_conversions,
    clippy::panic,
    reason = "the tests use all of it"
)]
mod edit;
#[path = "../tests/all/support/mod.rs"]
#[expect(dead_code, reason = "the parts that write databases are wanted")]
mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const SNAPSHOT: &str = "backups/edge/snapshot_2024-09-15_120000.db";
const KUBERESOURCES: &str = "backups/edge/static_kuberesources_2024-09-15_120000.tar.gz";
const ID: &str = "b1d0c3a2-58f7-4e63-8a90-6c17e2d9f402";
const ID_END: &str = "-58f7-4e63-8a90-6c17e2d9f402";
const NAME: &str = "edge-q9w4z";
const BACKUPS_OF_CLUSTER: usize = 60;
const WORKERS: usize = 64;
const AS_OF: &str = "2024-11-20T00:00:00Z";

fn main() -> Fallible<()> {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if arguments.is_empty() {
        vec![1_000, 10_000, 100_000]
    } else {
        arguments
    };
    println!(
        "| objects | bytes | plan | resident | its size | {WORKERS} workers | fragments | merge | resident | again |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for objects in sizes {
        measure(objects)?;
    }
    Ok(())
}

fn measure(objects: usize) -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let bytes = make(&root.join("backups"), objects / 2)?;
    let mut plans = Vec::new();
    for run in ["first", "second", "third"] {
        plans.push(timed(root, &plan(run))?);
    }
    plans.sort();
    let (planned, plan_memory) = plans[1];
    let size = std::fs::metadata(root.join("results/third/plan.jsonl"))?.len();
    let working = Instant::now();
    std::thread::scope(|scope| {
        let half = |first: usize| {
            (first..WORKERS).step_by(2).all(|shard| {
                let shard = shard.to_string();
                let work = [
                    "fleet",
                    "work",
                    "--plan",
                    "results/third",
                    "--shard",
                    &shard,
                ];
                let ended = etcd_cat(root, &work).args(["--jobs", "1"]).status();
                ended.is_ok_and(|status| status.success())
            })
        };
        let other = scope.spawn(move || half(1));
        half(0) && other.join().unwrap_or(false)
    })
    .then_some(())
    .ok_or("a worker failed")?;
    let worked = working.elapsed();
    let mut fragments = 0;
    for entry in walkdir::WalkDir::new(root.join("results/third/shards")) {
        let entry = entry?;
        if entry
            .path()
            .extension()
            .is_some_and(|one| one == "fragment")
        {
            fragments += entry.metadata()?.len();
        }
    }
    let merge = ["fleet", "merge", "--plan", "results/third"];
    let (merged, merge_memory) = timed(root, &merge)?;
    let (again, _) = timed(root, &merge)?;
    println!(
        "| {objects} | {} MB | {planned:.2?} | {} MiB | {} kB | {worked:.1?} | {} MB | {merged:.2?} | {} MiB | {again:.2?} |",
        bytes / 1_000_000,
        plan_memory >> 10,
        size / 1000,
        fragments / 1_000_000,
        merge_memory >> 10,
    );
    Ok(())
}

fn plan(run: &str) -> Vec<&str> {
    let all = "fleet plan backups --to results --shards 64 --run";
    all.split(' ').chain([run]).collect()
}

/// So many backups; returns their bytes.
fn make(directory: &Path, backups: usize) -> Fallible<usize> {
    let archive = support::samples::bytes(KUBERESOURCES);
    let mut bytes = 0;
    let mut snapshot = Vec::new();
    for number in 0..backups {
        let cluster = number / BACKUPS_OF_CLUSTER;
        let own = directory.join(cluster.to_string());
        if number % BACKUPS_OF_CLUSTER == 0 {
            std::fs::create_dir_all(&own)?;
            snapshot = of_cluster(cluster);
        }
        let at = chrono::DateTime::from_timestamp(1_726_401_600, 0).unwrap_or_default()
            + chrono::TimeDelta::hours(i64::try_from(number % BACKUPS_OF_CLUSTER)?);
        let stamp = at.format("%Y-%m-%d_%H%M%S");
        let database = edit::numbered(&snapshot, number);
        let name = format!("edge-{cluster:05}");
        let packed = edit::repacked(&archive, NAME, &name, u32::try_from(number)? + 1);
        bytes += database.len() + packed.len();
        std::fs::write(own.join(format!("snapshot_{stamp}.db")), database)?;
        let name = format!("static_kuberesources_{stamp}.tar.gz");
        std::fs::write(own.join(name), packed)?;
    }
    Ok(bytes)
}

/// A sound snapshot with little in it but what the cluster is called.
fn of_cluster(cluster: usize) -> Vec<u8> {
    edit::rewritten(SNAPSHOT, |content| {
        let id = format!("{cluster:08x}{ID_END}");
        edit::text(content, "/kubernetes.io/config.openshift.io", ID, &id);
        let name = format!("edge-{cluster:05}");
        edit::text(content, "/kubernetes.io/config.openshift.io", NAME, &name);
        // What was touched since etcd compacted is not missed without a trace.
        let compactions = edit::bucket(content, "meta").iter();
        let compactions = compactions.filter(|(name, _)| name.ends_with(b"CompactRev"));
        let compacted = compactions.filter_map(|(_, revision)| revision.first_chunk());
        let compacted = compacted.copied().map(i64::from_be_bytes).max();
        let compacted = compacted.unwrap_or_default();
        let kept = ["clusterversions", "infrastructures", "clusteroperators"];
        edit::forget_old_keys(content, compacted, &kept);
    })
}

fn etcd_cat(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-cat"));
    surrounded(&mut command, root).args(arguments);
    command
}

fn surrounded<'c>(command: &'c mut Command, root: &Path) -> &'c mut Command {
    command
        .current_dir(root)
        .env("ETCD_CAT_CATALOGUE", root.join("catalogue.redb"))
        .env("ETCD_CAT_AS_OF", AS_OF)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

/// How long a command takes, and how many KiB it has at most, by GNU `time`; 0 where that is not installed.
fn timed(root: &Path, arguments: &[&str]) -> Fallible<(Duration, u64)> {
    let began = Instant::now();
    let mut command = Command::new("/usr/bin/time");
    surrounded(&mut command, root)
        .args(["-q", "-f", "%M", env!("CARGO_BIN_EXE_etcd-cat")])
        .args(arguments)
        .stderr(Stdio::piped());
    let Ok(output) = command.output() else {
        etcd_cat(root, arguments).status()?;
        return Ok((began.elapsed(), 0));
    };
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let memory = told.lines().last().and_then(|line| line.parse().ok());
    Ok((began.elapsed(), memory.unwrap_or_default()))
}
