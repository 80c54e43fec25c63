//! Every bit of every small bucket flipped, one at a time, with etcd as the oracle.
//!
//! Run by hand, as docs/damage.md says: `ETCD_CAT_ORACLE` names the program built from `tests/reliability/oracle`.
//! The digest is made to match, as if a member's disk had been damaged before the snapshot was saved.

use super::etcd::{Oracle, harm};
use crate::support::bolt::{Bolt, Content};
use crate::support::write::{Form, database};
use crate::support::{read, samples, told, worst};
use etcd_cat::finding::Severity;
use std::collections::BTreeMap;

/// Samples whose small buckets are tried.
const SAMPLES: [&str; 2] = [
    "backups/next/snapshot_2026-01-10_030000.db",
    "backups/alarm/snapshot_2024-11-06_030000.db",
];
/// Entries of one bucket that are tried: they are alike.
const ENTRIES: usize = 3;

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
            let worst = worst(&reading);
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
