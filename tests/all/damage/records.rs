//! The entries of bucket `key`: each by itself, and the history they make.

use super::{assert_codes, sample};
use crate::support::bolt::{Bolt, Content};
use crate::support::records::{self as made_up, Put, key_value, revision, tombstone};
use crate::support::write::{Form, database};
use crate::support::{codes, findings_of, read, told};

type Entry = (Vec<u8>, Vec<u8>);
type Entries = Vec<Entry>;

/// Bucket `key` with these entries, never compacted.
fn written(entries: Entries) -> Vec<u8> {
    database(&made_up::around(entries), Form::default()).sealed()
}

fn put(main: i64, create: i64, version: i64) -> (Vec<u8>, Vec<u8>) {
    let put = Put {
        key: "/a",
        create,
        modified: main,
        version,
    };
    (revision(main, 0, false), key_value(put, b"x"))
}

/// One key: put, put, deleted, put, put.
fn sound() -> Entries {
    let entries = vec![
        put(2, 2, 1),
        put(3, 2, 2),
        (revision(4, 0, true), tombstone("/a")),
        put(5, 5, 1),
        put(6, 5, 2),
    ];
    assert_codes("sound", &written(entries.clone()), &[]);
    entries
}

fn with(index: usize, entry: (Vec<u8>, Vec<u8>)) -> Entries {
    let mut entries = sound();
    entries[index] = entry;
    entries
}

#[test]
fn an_entry_that_does_not_decode_is_told_and_nothing_is_called_lost() {
    let key = revision(3, 0, false);
    let rows: [(&str, Entry); 10] = [
        ("garbage", (key.clone(), b"\xff\xff\xff".to_vec())),
        ("cut", (key.clone(), put(3, 2, 2).1[..5].to_vec())),
        (
            "unknown field",
            (key.clone(), b"\x0a\x02/a\x78\x01".to_vec()),
        ),
        (
            "a field twice",
            (
                key.clone(),
                b"\x0a\x02/a\x10\x02\x18\x03\x20\x02\x0a\x01x".to_vec(),
            ),
        ),
        (
            "no key",
            (key.clone(), b"\x10\x02\x18\x03\x20\x02".to_vec()),
        ),
        ("short key", (key[..16].to_vec(), put(3, 2, 2).1)),
        (
            "long key",
            ([key.as_slice(), b"tt"].concat(), put(3, 2, 2).1),
        ),
        (
            "other mark",
            ([key.as_slice(), b"u"].concat(), put(3, 2, 2).1),
        ),
        (
            "no separator",
            ([&key[..8], b"\0", &key[9..]].concat(), put(3, 2, 2).1),
        ),
        ("deletion", (revision(4, 0, true), b"\x0a".to_vec())),
    ];
    for (name, entry) in rows {
        let index = if name == "deletion" { 2 } else { 1 };
        let file = written(with(index, entry));
        assert_codes(name, &file, &["record-undecodable"]);
        let reading = read(&file);
        assert!(
            findings_of(&reading, "record-undecodable")[0]
                .message
                .contains("element"),
            "{}",
            told(&reading)
        );
        assert_eq!(reading.snapshot.status.revision, Some(6), "{name}");
    }
    let foreign = (0_u8..5).map(|byte| (vec![byte; 9], vec![byte])).collect();
    assert_codes(
        "nothing but foreign keys",
        &written(foreign),
        &["record-undecodable"],
    );
}

#[test]
fn an_entry_that_contradicts_itself_is_told() {
    let rows = [
        ("mod_revision", (revision(3, 0, false), put(4, 2, 2).1)),
        (
            "create_revision after it",
            (
                revision(3, 0, false),
                put(3, 2, 2)
                    .1
                    .iter()
                    .map(|&byte| if byte == 0x10 { 0x10 } else { byte })
                    .collect(),
            ),
        ),
        ("create_revision 0", put(3, 0, 2)),
        ("create_revision in the future", put(3, 4, 2)),
        ("version 0", put(3, 2, 0)),
        ("version negative", put(3, 2, -1)),
        ("version 1 of an old key", put(3, 2, 1)),
        ("version 2 of a new key", put(3, 3, 2)),
        (
            "deletion with a value",
            (revision(4, 0, true), put(4, 2, 3).1),
        ),
    ];
    for (name, entry) in rows {
        let index = if name.starts_with("deletion") { 2 } else { 1 };
        if entry == sound()[index] {
            continue;
        }
        assert_codes(name, &written(with(index, entry)), &["record-inconsistent"]);
    }
}

#[test]
fn entries_that_contradict_each_other_are_told() {
    let mut repeated = sound();
    repeated.insert(2, (revision(3, 0, true), tombstone("/a")));
    let rows = [
        (
            "version falls",
            vec![put(2, 2, 1), put(3, 2, 2), put(4, 2, 3), put(5, 2, 3)],
        ),
        (
            "other creation",
            vec![put(2, 2, 1), put(3, 2, 2), put(4, 3, 2)],
        ),
        (
            "stray entry without value",
            vec![put(2, 2, 1), (revision(3, 0, false), vec![])],
        ),
    ];
    for (name, entries) in rows {
        assert_codes(name, &written(entries), &["record-inconsistent"]);
    }
    let reading = read(&written(repeated));
    assert!(
        codes(&reading).contains(&"record-inconsistent"),
        "{}",
        told(&reading)
    );
    assert!(
        told(&reading).contains("revision 3.0"),
        "{}",
        told(&reading)
    );
    // The same entry under the next revision.
    let mut twice = sound();
    twice.push((revision(7, 0, false), put(6, 5, 2).1));
    assert_codes("copied entry", &written(twice), &["record-inconsistent"]);
}

#[test]
fn any_entry_that_is_gone_is_missed() {
    let content = made_up::store(60);
    assert_codes("whole", &database(&content, Form::default()).sealed(), &[]);
    let entries = content[5].1.clone();
    let mut missed = 0;
    for index in 0..entries.len() {
        let mut left = entries.clone();
        left.remove(index);
        let reading = read(&written(left));
        // The last revision, or the last change of it, leaves no gap.
        let main = &entries[index].0[..8];
        let is_last = entries
            .get(index + 1)
            .is_none_or(|next| &next.0[..8] != main)
            && index + 2 >= entries.len();
        let expected: &[&str] = if is_last { &[] } else { &["record-missing"] };
        let found = codes(&reading);
        if is_last && found.is_empty() {
            continue;
        }
        assert!(
            found.contains(&"record-missing"),
            "{index}: {found:?}, expected {expected:?}{}",
            told(&reading)
        );
        missed += 1;
    }
    assert!(missed >= entries.len() - 2);
}

#[test]
fn a_gap_is_told_with_its_revisions() {
    let rows = [
        ("the first", vec![put(3, 3, 1)], "revisions 2 to 2 are gone"),
        (
            "some",
            vec![put(2, 2, 1), put(9, 9, 1)],
            "revisions 3 to 8 are gone",
        ),
        (
            "version without predecessor",
            vec![
                put(2, 2, 1),
                (
                    revision(3, 0, false),
                    key_value(
                        Put {
                            key: "/b",
                            create: 2,
                            modified: 3,
                            version: 2,
                        },
                        b"x",
                    ),
                ),
            ],
            "no predecessor",
        ),
        (
            "versions",
            vec![put(2, 2, 1), put(3, 2, 2), put(5, 2, 4)],
            "version 4 of a key follows version 2",
        ),
        (
            "deletion of nothing",
            vec![(revision(2, 0, true), tombstone("/a"))],
            "deletion has no predecessor",
        ),
        (
            "first change of a transaction",
            vec![(
                revision(2, 1, false),
                key_value(
                    Put {
                        key: "/a",
                        create: 2,
                        modified: 2,
                        version: 1,
                    },
                    b"x",
                ),
            )],
            "lacks change 0",
        ),
    ];
    for (name, entries, words) in rows {
        let reading = read(&written(entries));
        let found = codes(&reading);
        assert!(found.contains(&"record-missing"), "{name}: {found:?}");
        assert!(told(&reading).contains(words), "{name}{}", told(&reading));
        if name != "some" {
            assert_eq!(found, ["record-missing"], "{name}{}", told(&reading));
        }
    }
}

/// Every leaf page of bucket `key` above the compaction revision, dropped from its branch as if it had never been.
#[test]
fn a_leaf_page_dropped_from_its_branch_is_missed() {
    let bolt = sample();
    let content: Content = bolt.content();
    let compacted = read(&bolt.sealed())
        .snapshot
        .compact_revision
        .expect("compacted");
    let root = bolt.bucket_root("key");
    let leaves = bolt.leaves(root);
    let mut dropped = 0;
    for leaf in &leaves[..leaves.len() - 1] {
        let last = bolt
            .elements(*leaf)
            .last()
            .expect("no leaf is empty")
            .key
            .clone();
        let main = i64::from_be_bytes(
            bolt.bytes[last.start..last.start + 8]
                .try_into()
                .expect("8 bytes"),
        );
        if main <= compacted + 1 {
            continue;
        }
        let file = super::damaged(&bolt, |bolt| drop_child(bolt, root, *leaf));
        assert_codes(&format!("leaf {leaf}"), &file, &["record-missing"]);
        dropped += 1;
    }
    assert!(dropped > 0, "{} entries", content[5].1.len());
}

/// Writes the branch above the child anew, without it.
fn drop_child(bolt: &mut Bolt, root: u64, child: u64) {
    let mut branches = bolt.pages(root);
    branches.retain(|&page| bolt.is_branch(page));
    for page in branches {
        let mut children = bolt.elements(page);
        let Some(index) = children.iter().position(|element| element.child == child) else {
            continue;
        };
        children.remove(index);
        let children: Vec<_> = children
            .iter()
            .map(|element| (bolt.bytes[element.key.clone()].to_vec(), element.child))
            .collect();
        bolt.rewrite_branch(page, &children);
    }
}

#[test]
fn many_defects_are_counted_and_never_hide_another_kind() {
    let mut entries: Entries = Vec::new();
    for main in 2..300 {
        entries.push(put(main, 2, if main == 2 { 1 } else { 2 }));
    }
    entries.push(put(310, 2, 3));
    let reading = read(&written(entries));
    assert_eq!(
        codes(&reading),
        ["record-inconsistent", "record-missing"],
        "{}",
        told(&reading)
    );
    assert!(
        reading.snapshot.findings.len() < 20,
        "{}",
        reading.snapshot.findings.len()
    );
}

#[test]
fn the_greatest_revisions_are_no_trouble() {
    let most = i64::MAX;
    let at = |main, sub| {
        let put = Put {
            key: "/a",
            create: main,
            modified: main,
            version: 1,
        };
        (revision(main, sub, false), key_value(put, b"x"))
    };
    let rows = [
        vec![at(2, most), at(3, 0)],
        vec![at(2, most - 1), at(2, most)],
        vec![at(most, 0), at(most, most)],
        vec![at(most, most), at(2, 0)],
        vec![at(2, most), at(2, 0), at(most, most), at(most, 0)],
    ];
    for entries in rows {
        let reading = read(&written(entries));
        assert!(
            codes(&reading).contains(&"record-missing"),
            "{}",
            told(&reading)
        );
    }
    let mut content = made_up::around(vec![at(most, most)]);
    let compact = revision(most, most, false);
    content[9].1 = [b"finishedCompactRev", b"scheduledCompactRe"]
        .map(|name| (name.to_vec(), compact.clone()))
        .to_vec();
    assert_codes(
        "compacted to the end",
        &database(&content, Form::default()).sealed(),
        &[],
    );
}
