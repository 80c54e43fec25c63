//! Every bit of every small bucket flipped, one at a time, with etcd as the oracle.
//!
//! Run by hand, as docs/damage.md says: `ETCD_CAT_ORACLE` names the program built from `tests/reliability/oracle`.
//! The digest is made to match, as if a member's disk had been damaged before the snapshot was saved.

use super::etcd::{Oracle, harm, is_harmless};
use crate::objects::real::unpacked;
use crate::support::bolt::{Bolt, Content};
use crate::support::records::alarm;
use crate::support::write::{Form, database};
use crate::support::{codes, told, worst};
use etcd_cat::finding::Severity;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Small clusters, which take little time: leases, users and roles, a downgrade, a learner, members that were removed or
/// never started, a cluster that was restored, and written to since. An alarm is raised in the first.
const SAMPLES: [&str; 7] = [
    "leases-35",
    "auth-36",
    "downgrade-37",
    "learner-36",
    "member-removed-37",
    "planned-member-36",
    "restored-bumped-36",
];
/// Entries of one bucket that are tried: they are alike.
const ENTRIES: usize = 3;

/// How often etcd did what, and an example.
type Counts<Key> = BTreeMap<Key, (usize, String)>;

/// What came of all the bits.
#[derive(Default)]
struct Table {
    /// By bucket, harm, severity found.
    rows: Counts<(String, &'static str, &'static str)>,
    /// Harmful and not told well enough; by bucket, entry and harm.
    passed: Counts<(String, String, &'static str)>,
    /// Harmless and called an error; by bucket, entry and codes.
    accused: Counts<(String, String, String)>,
}

#[test]
#[ignore = "by hand, with etcd's own packages as the oracle"]
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn what_stops_etcd_is_an_error_and_only_that() {
    let started = Instant::now();
    let mut oracle = Oracle::new().expect("ETCD_CAT_ORACLE names the oracle");
    let mut table = Table::default();
    let mut tried = BTreeSet::new();
    for (name, content) in contents() {
        let before = table.files();
        let sound = oracle.answer(&database(&content, Form::default()).sealed());
        assert_eq!(sound["step"], "served", "{name}: {sound}");
        each_flip(&content, &mut tried, &mut |flip, damaged| {
            let file = database(damaged, Form::default()).sealed();
            let (answer, reading) = oracle.judge(&file);
            let found = match worst(&reading) {
                Some(Severity::Error) => "error",
                Some(Severity::Warning) => "warning",
                _ => "nothing",
            };
            let line = format!("bit {}: etcd {answer}; found {}", flip.bit, told(&reading));
            table.add(flip, harm(&sound, &answer), found, &codes(&reading), &line);
        });
        let elapsed = started.elapsed().as_secs();
        println!("{name}: {} bits, {elapsed} s", table.files() - before);
    }
    println!("| bucket | etcd | found | bits |\n|---|---|---|---:|");
    for ((bucket, harm, found), (count, _)) in &table.rows {
        println!("| `{bucket}` | {harm} | {found} | {count} |");
    }
    for (place, (count, example)) in &table.accused {
        println!("accused though etcd serves it: {place:?}, {count} times: {example}");
    }
    let passed = table.passed.iter();
    let passed: Vec<String> = passed.map(|line| format!("{line:?}")).collect();
    assert!(
        passed.is_empty(),
        "harmful and not called an error:\n{}",
        passed.join("\n")
    );
}

impl Table {
    fn files(&self) -> usize {
        self.rows.values().map(|(count, _)| count).sum()
    }

    fn add(
        &mut self,
        flip: &Flip,
        harm: &'static str,
        found: &'static str,
        codes: &[&'static str],
        line: &str,
    ) {
        let (bucket, entry) = (flip.bucket.clone(), flip.entry.clone());
        count(&mut self.rows, (bucket.clone(), harm, found), line);
        match (harm, found) {
            (harm, "error") if is_harmless(harm) => {
                count(&mut self.accused, (bucket, entry, codes.join(", ")), line);
            }
            (_, "error") | ("forgets a lease", "warning") => {}
            (harm, _) if is_harmless(harm) => {}
            _ => count(&mut self.passed, (bucket, entry, harm), line),
        }
    }
}

fn count<Key: Ord>(counts: &mut Counts<Key>, key: Key, example: &str) {
    let (count, _) = counts.entry(key).or_insert((0, example.to_owned()));
    *count += 1;
}

/// What is tried, each without damage.
fn contents() -> Vec<(&'static str, Content)> {
    let content =
        |name: &str| Bolt::open(&unpacked(&format!("etcd/{name}/snapshot.db.xz"))).content();
    let contents = SAMPLES
        .iter()
        .map(|name| (*name, of_the_oracle(content(name))));
    let mut contents: Vec<_> = contents.collect();
    let first = &mut contents[0].1;
    assert_eq!(first[0], (b"alarm".to_vec(), Vec::new()));
    first[0].1 = vec![(alarm(0x8e9e_05c5_2164_694d, 1), Vec::new())];
    contents
}

/// With the version of the oracle in the place of a later one, which it refuses.
fn of_the_oracle(mut content: Content) -> Content {
    let entries = content.iter_mut().flat_map(|(_, entries)| entries);
    for (_, value) in entries.filter(|(key, _)| key.ends_with(b"Version")) {
        if value == b"3.7.0" {
            *value = b"3.6.0".to_vec();
        }
    }
    content
}

/// One bit of one entry.
struct Flip {
    bucket: String,
    entry: String,
    bit: usize,
}

/// Shows each content that differs in one bit of a small bucket. Entries that were tried before are passed over.
fn each_flip(
    content: &Content,
    tried: &mut BTreeSet<(Vec<u8>, Vec<u8>)>,
    show: &mut dyn FnMut(&Flip, &Content),
) {
    for (index, (name, entries)) in content.iter().enumerate() {
        if name == b"key" {
            continue;
        }
        for (entry, (key, value)) in entries.iter().enumerate().take(ENTRIES) {
            if !tried.insert((key.clone(), value.clone())) {
                continue;
            }
            for bit in 0..(key.len() + value.len()) * 8 {
                let mut damaged = content.clone();
                flip(&mut damaged[index].1, entry, bit);
                let flip = Flip {
                    bucket: String::from_utf8_lossy(name).into_owned(),
                    entry: key.escape_ascii().to_string(),
                    bit,
                };
                show(&flip, &damaged);
            }
        }
    }
}

/// Flips a bit of the key, or of the value behind it; the entries are as bbolt would keep them then.
fn flip(entries: &mut Vec<(Vec<u8>, Vec<u8>)>, entry: usize, bit: usize) {
    let (key, value) = &mut entries[entry];
    let byte = bit / 8;
    match byte.checked_sub(key.len()) {
        None => key[byte] ^= 1 << (bit % 8),
        Some(byte) => value[byte] ^= 1 << (bit % 8),
    }
    entries.sort();
    entries.dedup_by(|one, other| one.0 == other.0);
}
