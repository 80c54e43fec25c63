//! A backup against its neighbours in time.

use crate::restore::Tree;
use crate::restore::tree::{NOW, bucket, edited, findings, named, replace};
use crate::support::bolt::Content;
use serde_json::Value;

const BEFORE: &str = "prod/snapshot_2024-10-20_030000.db";

/// The backup of October, and what is made of it as the one of the day after.
fn a_day_later(edit: impl FnOnce(&mut Content)) -> Value {
    let tree = Tree::new();
    tree.pair(
        BEFORE,
        "prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "one",
    );
    let content = edited(BEFORE, |content| {
        later(content);
        edit(content);
    });
    tree.put("two/snapshot_2024-10-21_030000.db", &content);
    tree.copy(
        "prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "two/static_kuberesources_2024-10-21_030000.tar.gz",
    );
    named(&tree.verified(NOW), "snapshot_2024-10-21_030000.db").clone()
}

/// Moves every protobuf time of the hour of the backup on by a day.
fn later(content: &mut Content) {
    // 2024-10-20T03:00:07Z and neighbours as varint seconds: field 1 of a Time.
    let varint = |mut number: u64| {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let start = 1_729_393_200_u64;
    for (_, value) in bucket(content, "key") {
        for seconds in start - 60..=start + 60 {
            let (old, new) = (varint(seconds), varint(seconds + 86_400));
            assert_eq!(old.len(), new.len());
            let found: Vec<usize> = value
                .windows(old.len())
                .enumerate()
                .filter(|(_, window)| *window == old)
                .map(|(at, _)| at)
                .collect();
            for at in found {
                value[at..at + old.len()].copy_from_slice(&new);
            }
        }
    }
}

#[test]
fn nothing_is_told_of_an_uneventful_day() {
    let backup = a_day_later(|_| {});
    for code in ["revision-went-back", "size-fell", "members-changed"] {
        assert_eq!(findings(&backup, code), [], "{backup:#}");
    }
}

#[test]
fn other_members_are_told() {
    let backup = a_day_later(|content| {
        let members = bucket(content, "members");
        let (key, value) = members.remove(0);
        let id = String::from_utf8(key.clone()).expect("hex");
        let number = u64::from_str_radix(&id, 16).expect("an id");
        let other = number ^ 1;
        let text = String::from_utf8(value).expect("JSON");
        let text = text.replace(&number.to_string(), &other.to_string());
        members.push((format!("{other:x}").into_bytes(), text.into_bytes()));
        members.sort();
    });
    assert_eq!(findings(&backup, "members-changed").len(), 1, "{backup:#}");
}

#[test]
fn a_revision_that_goes_back_and_a_sudden_fall_are_told() {
    // The backup of October under the later name of one that has grown since: a cluster that was itself restored.
    let tree = Tree::new();
    tree.copy(
        "prod/snapshot_2024-11-02_030000.db",
        "one/snapshot_2024-11-02_030000.db",
    );
    tree.copy(
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "k/static_kuberesources_2024-11-02_030000.tar.gz",
    );
    tree.copy(
        "prod/snapshot_2024-10-20_030000.db",
        "two/snapshot_2024-10-20_030000.db",
    );
    let backups = tree.verified(NOW);
    let revision = |name: &str| {
        let status = &named(&backups, name)["snapshot"]["status"]["revision"];
        status.as_i64().expect("a number")
    };
    let (old, new) = (
        revision("snapshot_2024-10-20_030000.db"),
        revision("snapshot_2024-11-02_030000.db"),
    );
    let newest = named(&backups, "snapshot_2024-11-02_030000.db");
    assert_eq!(
        findings(newest, "revision-went-back").len(),
        usize::from(new < old),
        "{old} then {new}: {newest:#}"
    );
    let backup = a_day_later(|content| {
        let entries = bucket(content, "key");
        // Without its last tenth the history ends earlier.
        let keep = entries.len() - entries.len() / 10;
        entries.truncate(keep);
        replace(content, "nothing-of-this-name", "nothing-of-this-name");
    });
    assert_eq!(
        findings(&backup, "revision-went-back").len(),
        1,
        "{backup:#}"
    );
}
