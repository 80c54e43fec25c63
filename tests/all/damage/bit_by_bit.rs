//! Every bit of every small bucket flipped, one at a time, with etcd as the oracle.
//!
//! Run by hand, as docs/reliability.md says: `ETCD_CAT_ORACLE` names the program built from `tests/reliability/oracle`.
//! The digest is made to match, as if a member's disk had been damaged before the snapshot was saved.

use crate::support::bolt::{Bolt, Content};
use crate::support::write::{Form, database};
use crate::support::{read, samples, told};
use etcd_cat::finding::Severity;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Samples whose small buckets are tried.
const SAMPLES: [&str; 2] = [
    "backups/next/snapshot_2026-01-10_030000.db",
    "backups/alarm/snapshot_2024-11-06_030000.db",
];
/// Entries of one bucket that are tried: they are alike.
const ENTRIES: usize = 3;

/// etcd's own packages, answering one line a file.
struct Oracle {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    directory: tempfile::TempDir,
}

impl Oracle {
    fn new() -> Option<Self> {
        let program = std::env::var_os("ETCD_CAT_ORACLE")?;
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the oracle starts");
        Some(Self {
            ask: child.stdin.take().expect("it is piped"),
            answers: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
            directory: tempfile::tempdir().expect("there is room"),
        })
    }

    fn answer(&mut self, file: &[u8]) -> Value {
        let path = self.directory.path().join("snapshot.db");
        std::fs::write(&path, file).expect("there is room");
        writeln!(self.ask, "{}", path.display()).expect("the oracle listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        let mut answer: Value = serde_json::from_str(&line).expect("it answers in JSON");
        answer["path"] = Value::Null;
        answer
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What etcd makes of a damaged file against the sound one.
fn harm(sound: &Value, damaged: &Value) -> &'static str {
    if damaged["step"] != "served" {
        return "stops";
    }
    for field in ["keys", "content", "revision"] {
        if damaged[field] != sound[field] {
            return "loses";
        }
    }
    let leases = |answer: &Value| answer["leases"].as_array().map_or(0, Vec::len);
    // The keys stay; nobody deletes them any more when their time is over.
    if leases(damaged) < leases(sound) {
        return "forgets a lease";
    }
    "serves"
}

/// Bucket, harm, severity found: how often.
type Counts = BTreeMap<(String, &'static str, &'static str), usize>;

#[test]
#[ignore = "by hand, with etcd's own packages as the oracle"]
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn what_stops_etcd_is_an_error_and_only_that() {
    let mut oracle = Oracle::new().expect("ETCD_CAT_ORACLE names the oracle");
    let mut counts = Counts::new();
    let mut passed = Vec::new();
    let mut accused = Vec::new();
    for sample in SAMPLES {
        let content = Bolt::open(&samples::bytes(sample)).content();
        let sound = oracle.answer(&database(&content, Form::default()).sealed());
        assert_eq!(sound["step"], "served", "{sound}");
        each_flip(&content, &mut |bucket, place, damaged| {
            let file = database(damaged, Form::default()).sealed();
            let answer = oracle.answer(&file);
            let reading = read(&file);
            let worst = reading
                .snapshot
                .findings
                .iter()
                .map(|one| one.severity)
                .max();
            let found = match worst {
                Some(Severity::Error) => "error",
                Some(Severity::Warning) => "warning",
                _ => "nothing",
            };
            let harm = harm(&sound, &answer);
            *counts.entry((bucket.to_owned(), harm, found)).or_default() += 1;
            let line = format!("{bucket} {place}: etcd {answer}; found {}", told(&reading));
            match (harm, found) {
                ("serves", "error") => accused.push(line),
                ("serves", _) | (_, "error") | ("forgets a lease", "warning") => {}
                _ => passed.push(line),
            }
        });
    }
    for ((bucket, harm, found), count) in &counts {
        println!("| {bucket} | {harm} | {found} | {count} |");
    }
    let few = |lines: &[String]| {
        lines
            .iter()
            .take(40)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    };
    println!(
        "accused though etcd serves it: {}\n{}",
        accused.len(),
        few(&accused)
    );
    assert!(
        passed.is_empty(),
        "{} harmful and not called an error:\n{}",
        passed.len(),
        few(&passed)
    );
}

/// Shows each content that differs in one bit of a small bucket.
fn each_flip(content: &Content, show: &mut dyn FnMut(&str, String, &Content)) {
    for (index, (name, entries)) in content.iter().enumerate() {
        let name = String::from_utf8_lossy(name).into_owned();
        if name == "key" {
            continue;
        }
        for (entry, (key, value)) in entries.iter().enumerate().take(ENTRIES) {
            let lengths = (key.len(), value.len());
            for bit in 0..(lengths.0 + lengths.1) * 8 {
                let mut damaged = content.clone();
                let (key, value) = &mut damaged[index].1[entry];
                let byte = bit / 8;
                match byte.checked_sub(lengths.0) {
                    None => key[byte] ^= 1 << (bit % 8),
                    Some(byte) => value[byte] ^= 1 << (bit % 8),
                }
                damaged[index].1.sort();
                damaged[index].1.dedup_by(|one, other| one.0 == other.0);
                show(&name, format!("entry {entry}, bit {bit}"), &damaged);
            }
        }
    }
}
