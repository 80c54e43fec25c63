//! Damage by class, with etcd as the oracle: what stops a restore or changes what is served, and what is found.
//!
//! Run by hand, as docs/damage.md says: `ETCD_CAT_ORACLE` names the program built from `tests/reliability/oracle`,
//! `ETCD_CAT_MATRIX` the number of files of a class and sample. The digest is made to match, as if a member's disk had
//! been damaged before the snapshot was saved.
#![expect(clippy::as_conversions, reason = "small numbers of small files")]

use super::etcd::{Oracle, harm, is_harmless};
use crate::objects::real::unpacked;
use crate::support::bolt::{Bolt, Element, HEADER};
use crate::support::dice::Dice;
use crate::support::{samples, told, worst};
use etcd_cat::finding::Severity;
use std::collections::BTreeMap;
use std::ops::Range;

/// Files of a class and sample, unless the environment says otherwise.
const FILES: usize = 200;
/// Bytes of a meta page that mean something.
const META: Range<usize> = 0..80;

/// The pages of one sample that hold something.
struct Places {
    branches: Vec<u64>,
    leaves: Vec<u64>,
    key_leaves: Vec<u64>,
}

impl Places {
    fn of(bolt: &Bolt) -> Self {
        let mut places = Self {
            branches: Vec::new(),
            leaves: bolt.leaves(bolt.root()),
            key_leaves: bolt.leaves(bolt.bucket_root("key")),
        };
        for name in ["key", "lease", "meta", "members", "cluster", "alarm"] {
            let root = bolt.bucket_root(name);
            if root != 0 {
                let pages = bolt.pages(root);
                let (branches, leaves): (Vec<_>, Vec<_>) =
                    pages.into_iter().partition(|&page| bolt.is_branch(page));
                places.branches.extend(branches);
                places.leaves.extend(leaves);
            }
        }
        places
    }
}

/// One kind of damage. False: there is nothing of the kind in the sample.
type Damage = fn(&mut Bolt, &Places, &mut Dice) -> bool;

/// By class, in the words of the table.
const CLASSES: &[(&str, Damage)] = &[
    ("bits of a meta page", |bolt, _, dice| {
        let meta = bolt.page(dice.roll(2));
        flip(bolt, meta + META.start..meta + META.end, dice)
    }),
    (
        "bits of both meta pages, checksums remade",
        |bolt, _, dice| {
            // What the checksum covers, but for the transaction: that is another of the two.
            let (byte, bit) = (16 + dice.length(48), dice.roll(8));
            for meta in [0, bolt.page_size] {
                bolt.bytes[meta + byte] ^= 1 << bit;
            }
            bolt.sign_metas();
            true
        },
    ),
    ("bits of a branch page", |bolt, places, dice| {
        let Some(page) = pick(&places.branches, dice) else {
            return false;
        };
        let start = bolt.page(page);
        let elements = bolt.elements(page);
        let end = elements.last().map_or(start + HEADER, |last| last.key.end);
        flip(bolt, start..end, dice)
    }),
    ("bits of a leaf page's header", |bolt, places, dice| {
        let Some(page) = pick(&places.leaves, dice) else {
            return false;
        };
        let start = bolt.page(page);
        flip(bolt, start..start + HEADER, dice)
    }),
    ("bits of a leaf element", |bolt, places, dice| {
        let Some(element) = entry(bolt, &places.leaves, dice) else {
            return false;
        };
        flip(bolt, element.at..element.at + 16, dice)
    }),
    (
        "bits of a revision (key of an entry)",
        |bolt, places, dice| {
            let Some(element) = entry(bolt, &places.key_leaves, dice) else {
                return false;
            };
            flip(bolt, element.key, dice)
        },
    ),
    ("bits of a record around its value", |bolt, places, dice| {
        let Some(element) = entry(bolt, &places.key_leaves, dice) else {
            return false;
        };
        let value = object(&bolt.bytes[element.value.clone()]);
        let value = element.value.start + value.start..element.value.start + value.end;
        let around = value.start - element.value.start;
        let behind = element.value.end - value.end;
        if around + behind == 0 {
            return false;
        }
        let at = dice.length((around + behind) as u64);
        let at = if at < around {
            element.value.start + at
        } else {
            value.end + at - around
        };
        flip(bolt, at..at + 1, dice)
    }),
    ("bits in a value", |bolt, places, dice| {
        let Some(element) = entry(bolt, &places.key_leaves, dice) else {
            return false;
        };
        let value = object(&bolt.bytes[element.value.clone()]);
        let start = element.value.start;
        flip(bolt, start + value.start..start + value.end, dice)
    }),
    ("bits of a small bucket", |bolt, _, dice| {
        let names = ["meta", "members", "cluster", "lease", "alarm", "auth"];
        let name = names[dice.length(names.len() as u64)];
        let root = bolt.bucket_root(name);
        let bucket = bolt.bucket(name).value;
        let elements = if root == 0 {
            return bucket.len() > 32 && flip(bolt, bucket.start + 32..bucket.end, dice);
        } else {
            bolt.leaves(root)
                .into_iter()
                .flat_map(|page| bolt.elements(page))
        };
        let elements: Vec<Element> = elements.collect();
        if elements.is_empty() {
            return false;
        }
        let element = &elements[dice.length(elements.len() as u64)];
        flip(bolt, element.key.start..element.value.end, dice)
    }),
    ("the end cut off", |bolt, _, dice| {
        let length = bolt.bytes.len();
        let pages = 1 + dice.length(bolt.high_water_mark() - 2);
        let cut = if dice.roll(2) == 0 {
            pages * bolt.page_size
        } else {
            1 + dice.length(length as u64 - 1)
        };
        bolt.bytes.truncate(length - cut.min(length - 1));
        true
    }),
    ("two pages exchanged", |bolt, places, dice| {
        let (Some(one), Some(other)) = (pick(&places.leaves, dice), pick(&places.leaves, dice))
        else {
            return false;
        };
        let (bytes, others) = (page(bolt, one), page(bolt, other));
        place(bolt, one, &others, dice);
        place(bolt, other, &bytes, dice);
        one != other
    }),
    ("a page in the place of another", |bolt, places, dice| {
        let (Some(one), Some(other)) = (pick(&places.leaves, dice), pick(&places.leaves, dice))
        else {
            return false;
        };
        let bytes = page(bolt, one);
        place(bolt, other, &bytes, dice);
        one != other
    }),
    ("a page of zeros", |bolt, places, dice| {
        let pages = if dice.roll(4) == 0 {
            &places.branches
        } else {
            &places.leaves
        };
        let Some(page) = pick(pages, dice) else {
            return false;
        };
        let (start, size) = (bolt.page(page), bolt.page_size);
        bolt.bytes[start..start + size].fill(0);
        true
    }),
    (
        "a sector of zeros, not in a value alone",
        |bolt, places, dice| sector(bolt, places, dice, false),
    ),
    ("a sector of zeros in a value", |bolt, places, dice| {
        sector(bolt, places, dice, true)
    }),
];

/// Zeros in place of 512 bytes of a leaf page, that lie in a value or do not.
fn sector(bolt: &mut Bolt, places: &Places, dice: &mut Dice, in_value: bool) -> bool {
    let Some(page) = pick(&places.leaves, dice) else {
        return false;
    };
    let elements = bolt.elements(page);
    let end = elements.last().map_or(0, |last| last.value.end);
    let length = end.saturating_sub(bolt.page(page)).div_ceil(512);
    if length == 0 {
        return false;
    }
    let start = bolt.page(page) + 512 * dice.length(length as u64);
    let lies_in = |element: &Element| {
        let value = object(&bolt.bytes[element.value.clone()]);
        element.value.start + value.start <= start && start + 512 <= element.value.start + value.end
    };
    if elements.iter().any(lies_in) != in_value {
        return false;
    }
    bolt.bytes[start..start + 512].fill(0);
    true
}

fn pick(pages: &[u64], dice: &mut Dice) -> Option<u64> {
    (!pages.is_empty()).then(|| pages[dice.length(pages.len() as u64)])
}

fn entry(bolt: &Bolt, pages: &[u64], dice: &mut Dice) -> Option<Element> {
    let elements = bolt.elements(pick(pages, dice)?);
    (!elements.is_empty()).then(|| elements[dice.length(elements.len() as u64)].clone())
}

fn flip(bolt: &mut Bolt, range: Range<usize>, dice: &mut Dice) -> bool {
    if range.is_empty() {
        return false;
    }
    let at = range.start + dice.length(range.len() as u64);
    bolt.bytes[at] ^= 1 << dice.roll(8);
    true
}

fn page(bolt: &Bolt, id: u64) -> Vec<u8> {
    let start = bolt.page(id);
    bolt.bytes[start..start + bolt.page_size].to_vec()
}

/// Puts a page in the place of another, with or without that one's id.
fn place(bolt: &mut Bolt, id: u64, bytes: &[u8], dice: &mut Dice) {
    let start = bolt.page(id);
    bolt.put(start, bytes);
    if dice.roll(2) == 0 {
        bolt.put_u64(start, id);
    }
}

/// Where the value lies in a KeyValue that is sound; empty at its end when there is none.
fn object(message: &[u8]) -> Range<usize> {
    let mut at = 0;
    let varint = |at: &mut usize| {
        let (mut number, mut shift) = (0_u64, 0);
        while let Some(&byte) = message.get(*at) {
            *at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        number
    };
    while at < message.len() {
        let tag = varint(&mut at);
        let number = varint(&mut at);
        if tag & 7 == 2 {
            let end = at + number as usize;
            if tag >> 3 == 5 {
                return at..end;
            }
            at = end;
        }
    }
    message.len()..message.len()
}

/// How often etcd did what, and what was found then.
#[derive(Default)]
struct Row {
    files: usize,
    harmful: usize,
    error: usize,
    warning: usize,
    passed: usize,
    accused: usize,
}

/// Nothing in them is encrypted: where keys are, they tell of each value whether it is as it was.
fn sound_samples() -> Vec<(&'static str, Vec<u8>)> {
    let real = |name: &'static str| (name, unpacked(&format!("{name}/snapshot.db.xz")));
    let next = "backups/next/snapshot_2026-01-10_030000.db";
    vec![
        (next, samples::bytes(next)),
        real("clusters/registry-136"),
        real("etcd/transaction-36"),
    ]
}

/// The bytes around the first that differs.
fn place_of(sound: &Bolt, damaged: &Bolt) -> String {
    let bytes = sound.bytes.iter().zip(&damaged.bytes);
    let at = bytes.take_while(|(one, other)| one == other).count();
    let around = |bolt: &Bolt| {
        let end = bolt.bytes.len().min(at + 24);
        bolt.bytes[at.saturating_sub(24).min(end)..end]
            .escape_ascii()
            .to_string()
    };
    format!("byte {at}: {} became {}", around(sound), around(damaged))
}

#[test]
#[ignore = "by hand, with etcd's own packages as the oracle"]
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn what_harms_is_found_in_every_class() {
    let mut oracle = Oracle::new().expect("ETCD_CAT_ORACLE names the oracle");
    let files =
        std::env::var("ETCD_CAT_MATRIX").map_or(FILES, |text| text.parse().expect("a number"));
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    let (mut passed, mut accused) = (Vec::new(), Vec::new());
    for (seed, (name, file)) in sound_samples().into_iter().enumerate() {
        let bolt = Bolt::open(&file);
        let places = Places::of(&bolt);
        let sound = oracle.answer(&bolt.sealed());
        assert_eq!(sound["step"], "served", "{name}: {sound}");
        for (class, (what, damage)) in CLASSES.iter().enumerate() {
            let mut dice = Dice((seed * 100 + class) as u64);
            for number in 0..files {
                let mut damaged = bolt.clone();
                if !damage(&mut damaged, &places, &mut dice) || damaged.bytes == bolt.bytes {
                    continue;
                }
                let file = damaged.sealed();
                let (answer, reading) = oracle.judge(&file);
                let worst = worst(&reading);
                let row = rows.entry(class).or_default();
                row.files += 1;
                let line = format!(
                    "{what}, {name} {number}: {}: etcd {answer}; found {}",
                    place_of(&bolt, &damaged),
                    told(&reading)
                );
                if is_harmless(harm(&sound, &answer)) {
                    if worst == Some(Severity::Error) {
                        row.accused += 1;
                        accused.push(line);
                    }
                    continue;
                }
                row.harmful += 1;
                match worst {
                    Some(Severity::Error) => row.error += 1,
                    Some(Severity::Warning) => row.warning += 1,
                    _ => {
                        row.passed += 1;
                        if !what.ends_with("in a value") {
                            passed.push(line);
                        }
                    }
                }
            }
        }
    }
    println!(
        "| damage | files | harmful | told as error | as warning | called valid | harmless, and an error |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (class, row) in &rows {
        let Row {
            files,
            harmful,
            error,
            warning,
            passed,
            accused,
        } = row;
        println!(
            "| {} | {files} | {harmful} | {error} | {warning} | {passed} | {accused} |",
            CLASSES[*class].0
        );
    }
    for line in accused.iter().take(30) {
        println!("accused: {line}");
    }
    assert!(
        passed.is_empty(),
        "{} harmful and called valid:\n{}",
        passed.len(),
        passed.join("\n")
    );
}
