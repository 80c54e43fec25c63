//! Several processes on one catalogue, and processes that are killed: real ones, this binary again.

use crate::catalogue::{TestResult, sample};
use etcd_cat::catalogue::{Catalogue, CatalogueLocation};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const CATALOGUE: &str = "ETCD_CAT_TEST_CATALOGUE";
const FIRST: &str = "ETCD_CAT_TEST_FIRST";
const COUNT: &str = "ETCD_CAT_TEST_COUNT";

fn at(path: &Path) -> Catalogue {
    Catalogue::new(CatalogueLocation::Redb(path.to_owned()))
}

/// What the other process does: records one backup after the other and says so after each.
#[test]
#[ignore = "only as another process"]
#[expect(clippy::print_stdout, reason = "the parent listens")]
fn child_records() -> TestResult {
    let path = PathBuf::from(std::env::var_os(CATALOGUE).ok_or("no catalogue named")?);
    let number = |name| std::env::var(name).map(|text| text.parse::<u64>());
    let (first, count) = (number(FIRST)??, number(COUNT)??);
    for number in first..first + count {
        at(&path).record(sample::backup(number))?;
        println!("recorded {number}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// What the holder does: opens the catalogue and keeps it until its standard input ends.
#[test]
#[ignore = "only as another process"]
#[expect(clippy::print_stdout, reason = "the parent listens")]
fn child_holds() -> TestResult {
    let path = PathBuf::from(std::env::var_os(CATALOGUE).ok_or("no catalogue named")?);
    let catalogue = at(&path);
    let reader = catalogue.reader()?;
    println!("recorded 0");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(reader);
    Ok(())
}

fn child(task: &str, path: &Path, first: u64, count: u64) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["--exact", task, "--ignored", "--nocapture"])
        .env(CATALOGUE, path)
        .env(FIRST, first.to_string())
        .env(COUNT, count.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
}

/// The numbers a child says it has recorded, as it says them.
fn acknowledged(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = child.stdout.take().map(BufReader::new);
    let lines = lines
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(Result::ok);
    lines.filter_map(|line| {
        line.rsplit_once("recorded ")
            .and_then(|(_, number)| number.parse().ok())
    })
}

/// Ten processes at once, each recording `count` backups: all of them are there afterwards.
fn ten_at_once(count: u64) -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let firsts: Vec<u64> = (0..10).map(|process| process * 1000).collect();
    let mut children = Vec::new();
    for first in &firsts {
        let task = "catalogue::processes::child_records";
        children.push(child(task, &path, *first, count)?);
    }
    for child in children {
        let output = child.wait_with_output()?;
        assert!(output.status.success(), "{output:?}");
    }
    let contents = at(&path).load()?;
    for number in firsts.iter().flat_map(|first| *first..first + count) {
        assert_eq!(
            contents.snapshot(&sample::key(number)),
            Some(sample::snapshot(number)),
            "{number}"
        );
    }
    assert_eq!(u64::try_from(contents.files.len())?, 20 * count);
    Ok(())
}

#[test]
fn ten_processes_recording_at_once_lose_nothing() -> TestResult {
    ten_at_once(8)
}

#[test]
fn a_killed_process_loses_no_finished_record() -> TestResult {
    let recorded = kills(12)?;
    assert!(recorded >= 60, "{recorded}");
    Ok(())
}

/// One catalogue in which a process is killed at work again and again; returns how many backups were said to be recorded.
fn kills(rounds: u64) -> Result<usize, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let mut recorded = Vec::new();
    for round in 0..rounds {
        let mut child = child(
            "catalogue::processes::child_records",
            &path,
            round * 1000,
            1000,
        )?;
        let mut numbers = acknowledged(&mut child);
        recorded.extend(numbers.by_ref().take(5));
        // Not at once: at another point of the next record each time.
        std::thread::sleep(Duration::from_micros(round * 370 % 10_000));
        child.kill()?; // SIGKILL
        recorded.extend(numbers);
        child.wait()?;

        let before = std::fs::read(&path)?;
        let contents = at(&path).load()?;
        assert_eq!(
            std::fs::read(&path)?,
            before,
            "round {round}: a reader repairs nothing on disk"
        );
        for number in &recorded {
            let found = contents.snapshots.contains_key(&sample::key(*number));
            assert!(found, "round {round}: backup {number} was recorded");
            assert!(
                contents.files.contains_key(&sample::snapshot_path(*number)),
                "{number}"
            );
        }
        assert_eq!(contents.skipped, [], "round {round}: no half record");
    }
    Ok(recorded.len())
}

#[test]
#[ignore = "takes minutes; docs/reliability.md has its result"]
#[expect(
    clippy::print_stdout,
    reason = "the numbers are for whoever repeats it"
)]
fn a_thousand_kills_and_ten_processes_at_once() -> TestResult {
    let mut recorded = 0;
    for _ in 0..40 {
        recorded += kills(25)?;
    }
    println!("1000 processes killed, {recorded} backups recorded before, none lost");
    for _ in 0..10 {
        ten_at_once(25)?;
    }
    println!("10 times 10 processes at once, 2500 backups recorded, none lost");
    Ok(())
}

#[test]
fn a_process_killed_while_creating_leaves_no_half_catalogue() -> TestResult {
    for round in 0..15u64 {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("catalogue.redb");
        let mut child = child("catalogue::processes::child_records", &path, 0, 1)?;
        std::thread::sleep(Duration::from_micros(1000 + round * 400));
        child.kill()?;
        child.wait()?;
        at(&path).load()?;
        at(&path).record(sample::backup(1))?;
        assert!(
            at(&path).load()?.snapshots.contains_key(&sample::key(1)),
            "round {round}"
        );
    }
    Ok(())
}

#[test]
fn readers_share_and_a_waiting_writer_gives_up_with_a_clear_word() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    at(&path).record(sample::backup(1))?;
    let mut child = child("catalogue::processes::child_holds", &path, 0, 0)?;
    assert_eq!(acknowledged(&mut child).next(), Some(0));
    assert_eq!(at(&path).load()?.snapshots.len(), 1, "readers share");
    let hasty = at(&path).patience(Duration::from_millis(200));
    let text = hasty
        .record(sample::backup(2))
        .expect_err("a reader has it")
        .to_string();
    assert!(text.contains("is in use by another process"), "{text}");
    drop(child.stdin.take());
    child.wait()?;
    hasty.record(sample::backup(2))?;
    Ok(())
}

#[test]
fn a_writer_is_named_to_those_who_wait() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    at(&path).record(sample::backup(1))?;
    let lock = std::fs::OpenOptions::new()
        .write(true)
        .open(path.with_extension("redb.lock"))?;
    lock.lock()?;
    (&lock).write_all(
        format!(
            "{} 2026-11-29T10:00:00Z etcd-cat index /b\n",
            std::process::id()
        )
        .as_bytes(),
    )?;
    let hasty = at(&path).patience(Duration::from_millis(50));
    let expected = format!(
        "is in use by process {} (etcd-cat index /b) since 2026-11-29T10:00:00Z",
        std::process::id()
    );
    for error in [hasty.load().map(|_| ()), hasty.record(sample::backup(2))] {
        let text = error.expect_err("it is locked").to_string();
        assert!(text.contains(&expected), "{text}");
    }
    drop(lock);
    hasty.record(sample::backup(2))?;
    let left = std::fs::read_to_string(path.with_extension("redb.lock"))?;
    assert_eq!(left, "", "no name stays behind");
    Ok(())
}
