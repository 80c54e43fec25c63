//! Findings on names, moments and places.

use super::*;
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
    let mut completed = renamed("/b/snapshot_2024-11-02_030000.db.part");
    completed
        .snapshots
        .iter_mut()
        .for_each(|half| half.copies.push(ObjectId::from(DB)));
    check(vec![
        ("dirty", dirty, &["possibly-dirty"], Verdict::Warning),
        (
            "part",
            renamed("/b/snapshot_2024-11-02_030000.db.part"),
            &["incomplete-download"],
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
