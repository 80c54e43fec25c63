//! Findings on names, moments and places.

use super::*;
use crate::backup::{Located, Usable};
use std::path::Path;

#[test]
fn name_and_content_are_compared() {
    check(vec![
        (
            "ten minutes",
            renamed_alone("/b/snapshot_2024-11-02_025007.db"),
            &["kuberesources-missing"],
            Verdict::Invalid,
        ),
        (
            "an hour and a quarter",
            renamed_alone("/b/snapshot_2024-11-02_041507.db"),
            &["kuberesources-missing", "time-skew"],
            Verdict::Invalid,
        ),
    ]);
}

#[test]
fn whole_half_hours_are_told_as_a_time_zone() {
    let cases = [
        ("/b/snapshot_2024-11-02_083000.db", "UTC+05:30"),
        ("/b/snapshot_2024-11-01_220000.db", "UTC-05:00"),
        ("/b/snapshot_2024-11-02_041500.db", ""),
        ("/b/snapshot_2024-11-03_030000.db", ""),
    ];
    for (name, zone) in cases {
        let text = message(&only(renamed_alone(name)), Code::TimeSkew);
        assert!(!text.is_empty(), "{name}");
        assert_eq!(text.contains("UTC"), !zone.is_empty(), "{text}");
        assert!(text.contains(zone), "{text}");
    }
}

#[test]
fn names_are_judged() {
    let mut dirty = healthy();
    dirty.snapshots.iter_mut().for_each(|half| {
        half.path = ObjectId::from("/b/snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db");
    });
    dirty.kuberesources.iter_mut().for_each(|half| {
        half.path =
            ObjectId::from("/b/static_kuberesources_2024-11-02_030000__POSSIBLY_DIRTY__.tar.gz");
    });
    let mut unproven = renamed_alone("/b/snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db");
    let mut rolling = healthy();
    for half in &mut rolling.snapshots {
        half.path = ObjectId::from("/b/snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db");
    }
    for half in &mut unproven.snapshots {
        half.facts.cluster.operators.pop();
    }
    for half in &mut rolling.snapshots {
        let operators = half.facts.cluster.operators.iter_mut();
        operators
            .take(1)
            .for_each(|operator| operator.progressing = Some(true));
    }
    let mut cut = renamed("/b/snapshot_2024-11-02_030000.db.part");
    for half in &mut cut.snapshots {
        half.facts.trailer = None;
        half.facts
            .findings
            .push(Finding::new(Code::Truncated, "cut"));
    }
    let mut completed = renamed("/b/snapshot_2024-11-02_030000.db.part");
    completed
        .snapshots
        .iter_mut()
        .for_each(|half| half.copies.push(ObjectId::from(DB)));
    check(vec![
        ("dirty", dirty, &["possibly-dirty"], Verdict::Valid),
        (
            "dirty, and an operator is not there",
            unproven,
            &["kuberesources-missing", "possibly-dirty"],
            Verdict::Invalid,
        ),
        (
            "dirty in a rollout",
            rolling,
            &["possibly-dirty", "rollout-in-progress"],
            Verdict::Warning,
        ),
        (
            "whole part",
            renamed("/b/snapshot_2024-11-02_030000.db.part"),
            &["incomplete-download"],
            Verdict::Warning,
        ),
        (
            "part",
            cut,
            &["truncated", "incomplete-download"],
            Verdict::Invalid,
        ),
        ("part with a finished copy", completed, &[], Verdict::Valid),
    ]);
}

#[test]
fn files_gone_changed_or_unread_are_told() {
    let mut gone = healthy();
    gone.kuberesources
        .iter_mut()
        .for_each(|half| half.is_present = false);
    let mut gone_and_bad = with_snapshot(|facts| {
        facts
            .findings
            .push(Finding::new(Code::DigestMismatch, "flipped"));
    });
    gone_and_bad
        .snapshots
        .iter_mut()
        .for_each(|half| half.is_present = false);
    let mut changed = healthy();
    changed.replaced.insert(
        ObjectId::from(DB),
        Replaced {
            digest: digest(77),
            verified_at: None,
            taken_at: None,
        },
    );
    let unreadable = Inventory {
        unreadable: vec![UnreadableFile {
            path: ObjectId::from(DB),
            reason: "Permission denied (os error 13)".to_owned(),
            offset: None,
        }],
        ..Inventory::default()
    };
    check(vec![
        ("gone", gone, &["file-missing"], Verdict::Unknown),
        (
            "gone and bad",
            gone_and_bad,
            &["digest-mismatch", "file-missing"],
            Verdict::Invalid,
        ),
        ("changed", changed, &["file-changed"], Verdict::Invalid),
        ("unreadable", unreadable, &["unreadable"], Verdict::Unknown),
    ]);
}

#[test]
fn script_that_would_pick_another_file_is_told() {
    let name = |path: &str| Path::new(path).file_name().map(OsString::from);
    let picks = |snapshot: &str, kuberesources: &str| Picks {
        snapshot: name(snapshot),
        kuberesources: name(kuberesources),
    };
    let copy = "/b/snapshot_2024-11-09_030000.db";
    let cases = [
        ("own pair", picks(DB, TAR), false),
        ("own bytes under another name", picks(copy, TAR), false),
        (
            "other snapshot",
            picks("/b/snapshot_2025-01-01_030000.db", TAR),
            true,
        ),
        (
            "other archive",
            picks(DB, "/b/static_kuberesources_2025-01-01_030000.tar.gz"),
            true,
        ),
        (
            "no archive there",
            Picks {
                snapshot: name(DB),
                kuberesources: None,
            },
            false,
        ),
    ];
    for (name, picks, expected) in cases {
        let mut inventory = healthy();
        inventory
            .snapshots
            .iter_mut()
            .for_each(|half| half.copies.push(ObjectId::from(copy)));
        let picks = HashMap::from([(Path::new("/b").to_path_buf(), picks)]);
        let standpoint = Standpoint {
            as_of: at("2024-11-03T03:00:00Z"),
            accept: &[],
            picks: &picks,
        };
        let backups = judge(inventory, &standpoint);
        let found = backups.first().map(codes).unwrap_or_default();
        assert_eq!(
            found.contains(&"restore-picks-other"),
            expected,
            "{name}: {found:?}"
        );
    }
}

/// Two pairs of one cluster in one directory; the script takes the files of these days.
fn picked(
    snapshot: &str,
    kuberesources: Option<&str>,
    spoil: impl Fn(&mut Snapshot),
) -> Vec<Backup> {
    let mut inventory = healthy();
    let mut second = snapshot_of("2024-11-09");
    spoil(&mut second.facts);
    inventory.snapshots.push(second);
    inventory.kuberesources.push(located(
        kuberesources_of(4),
        "/b/static_kuberesources_2024-11-09_030000.tar.gz",
    ));
    let picks = Picks {
        snapshot: Some(format!("snapshot_{snapshot}_030000.db").into()),
        kuberesources: kuberesources
            .map(|day| format!("static_kuberesources_{day}_030000.tar.gz").into()),
    };
    let picks = HashMap::from([(Path::new("/b").to_path_buf(), picks)]);
    let standpoint = Standpoint {
        as_of: at("2024-11-10T03:00:00Z"),
        accept: &[],
        picks: &picks,
    };
    judge(inventory, &standpoint)
}

fn snapshot_of(day: &str) -> Located<Snapshot> {
    let mut facts = snapshot("prod", 3);
    facts.newest_lease_at = Some(at(&format!("{day}T03:00:07Z")));
    facts.status.revision = Some(40_000);
    located(facts, &format!("/b/snapshot_{day}_030000.db"))
}

fn kuberesources_of(seed: u64) -> Kuberesources {
    kuberesources("prod", seed)
}

#[test]
fn what_the_script_takes_is_a_warning_where_it_harms() {
    let sound = |_: &mut Snapshot| ();
    let bad = |facts: &mut Snapshot| {
        facts
            .findings
            .push(Finding::new(Code::DigestMismatch, "flipped"));
    };
    let info = Some(Severity::Info);
    let warning = Some(Severity::Warning);
    let (old, new) = ("2024-11-02", "2024-11-09");
    let rows = [
        (
            "the newest pair",
            picked(new, Some(new), sound),
            [info, None],
        ),
        (
            "halves of both",
            picked(new, Some(old), sound),
            [warning, warning],
        ),
        ("a bad one", picked(new, Some(new), bad), [warning, None]),
        ("no archive there", picked(new, None, sound), [info, None]),
        (
            "not looked at",
            picked("2025-01-01", Some(new), sound),
            [info, info],
        ),
    ];
    for (name, backups, expected) in rows {
        let severity = |backup: &Backup| {
            let mut findings = backup.findings.iter();
            let found = findings.find(|one| one.code == Code::RestorePicksOther);
            found.map(|one| one.severity)
        };
        let found: Vec<_> = backups.iter().map(severity).collect();
        assert_eq!(found, expected, "{name}: {backups:#?}");
    }
}

#[test]
fn a_packed_snapshot_is_staged_and_a_warning_where_its_name_hides_it() {
    let packed = |path: &str| {
        let mut inventory = renamed(path);
        inventory
            .snapshots
            .iter_mut()
            .for_each(|half| half.is_packed = true);
        only(inventory)
    };
    let told = packed("/b/snapshot_2024-11-02_030000.db.gz");
    assert_eq!(codes(&told), ["snapshot-compressed"]);
    assert_eq!(
        (told.verdict, told.usable()),
        (Verdict::Valid, Usable::Staged)
    );
    assert_eq!(told.advice().count(), 1);
    let hidden = packed(DB);
    assert_eq!(codes(&hidden), ["snapshot-compressed"]);
    assert_eq!(
        (hidden.verdict, hidden.usable()),
        (Verdict::Warning, Usable::Staged)
    );
    assert_eq!(hidden.advice().count(), 0);
    assert_eq!(only(healthy()).usable(), Usable::AsIs);
    let damaged = only(with_snapshot(|facts| {
        facts
            .findings
            .push(Finding::new(Code::DigestMismatch, "flipped"));
    }));
    assert_eq!(damaged.usable(), Usable::No);
}

#[test]
fn moment_is_known_by_the_best_evidence() {
    let without_lease = only(with_snapshot(|facts| facts.newest_lease_at = None));
    let by_name = only(with_snapshot(|facts| {
        (facts.newest_lease_at, facts.newest_content_at) = (None, None);
    }));
    let mut by_mtime =
        alone(|facts| (facts.newest_lease_at, facts.newest_content_at) = (None, None));
    by_mtime
        .snapshots
        .iter_mut()
        .for_each(|half| half.path = ObjectId::from("/b/snapshot.db"));
    let sources = [without_lease, by_name, only(by_mtime)].map(|backup| backup.taken_at_source);
    assert_eq!(
        sources,
        [
            Some(TakenAtSource::Content),
            Some(TakenAtSource::Name),
            Some(TakenAtSource::Mtime)
        ]
    );
}

#[test]
fn a_name_without_stamp_is_written_to_by_every_run() {
    let latest = "/b/latest.db";
    let cases = [
        (
            "newer",
            latest,
            "2024-11-01T03:00:07Z",
            true,
            Severity::Info,
        ),
        (
            "older",
            latest,
            "2024-11-03T03:00:07Z",
            true,
            Severity::Error,
        ),
        (
            "damaged",
            latest,
            "2024-11-01T03:00:07Z",
            false,
            Severity::Error,
        ),
        ("stamped", DB, "2024-11-01T03:00:07Z", true, Severity::Error),
    ];
    for (name, path, before, is_sound, expected) in cases {
        let mut inventory = renamed(path);
        inventory
            .snapshots
            .iter_mut()
            .filter(|_| !is_sound)
            .for_each(|half| {
                half.facts
                    .findings
                    .push(Finding::new(Code::DigestMismatch, "flipped"));
            });
        let replaced = Replaced {
            digest: digest(77),
            verified_at: Some(at("2024-11-02T12:00:00Z")),
            taken_at: Some(at(before)),
        };
        inventory.replaced.insert(ObjectId::from(path), replaced);
        let backup = only(inventory);
        let mut found = backup
            .findings
            .iter()
            .filter(|one| one.code == Code::FileChanged);
        assert_eq!(
            found.next().map(|one| one.severity),
            Some(expected),
            "{name}"
        );
    }
}
