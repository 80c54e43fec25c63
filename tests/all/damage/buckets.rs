//! The buckets that etcd needs, and the small ones among them.

use super::{assert_codes, damaged, sample};
use crate::support::bolt::{Bolt, Content};
use crate::support::write::{Form, database};
use crate::support::{codes, findings_of, read, records as made_up, samples, told, worst};
use etcd_cat::finding::Severity;

const NEEDED: [&str; 10] = [
    "alarm",
    "auth",
    "authRoles",
    "authUsers",
    "cluster",
    "key",
    "lease",
    "members",
    "members_removed",
    "meta",
];

fn written(change: impl FnOnce(&mut Content)) -> Vec<u8> {
    let mut content = made_up::store(60);
    change(&mut content);
    database(&content, Form::default()).sealed()
}

#[test]
fn a_renamed_bucket_is_missing() {
    let bolt = sample();
    for name in NEEDED {
        let key = bolt.bucket(name).key;
        let file = damaged(&bolt, |bolt| bolt.bytes[key.end - 1] -= 1);
        assert_codes(name, &file, &["bucket-missing"]);
        let reading = read(&file);
        let missing = findings_of(&reading, "bucket-missing");
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].evidence["bucket"], name.into());
    }
}

#[test]
fn a_removed_bucket_is_missing() {
    for (index, name) in NEEDED.into_iter().enumerate() {
        let file = written(|content| drop(content.remove(index)));
        assert_codes(name, &file, &["bucket-missing"]);
    }
    let file = database(&Vec::new(), Form::default()).sealed();
    assert_codes("none at all", &file, &["bucket-missing"]);
    assert_eq!(
        findings_of(&read(&file), "bucket-missing").len(),
        10,
        "each by its name"
    );
}

#[test]
fn alarms_are_told_by_kind_and_member() {
    let path = "backups/alarm/snapshot_2024-11-06_030000.db";
    let reading = read(&samples::bytes(path));
    assert_eq!(codes(&reading), ["alarm-raised"]);
    let finding = findings_of(&reading, "alarm-raised")[0];
    assert_eq!(
        (finding.severity, &finding.evidence["alarm"]),
        (Severity::Warning, &"NOSPACE".into())
    );
    assert_eq!(finding.evidence["member"], "e21b494571a6b521".into());
    let file = written(|content| {
        content[0]
            .1
            .push((made_up::alarm(0xe21b_4945_71a6_b521, 2), vec![]));
    });
    assert_codes("CORRUPT", &file, &["alarm-raised"]);
    let reading = read(&file);
    let finding = findings_of(&reading, "alarm-raised")[0];
    assert_eq!(
        (finding.severity, &finding.evidence["alarm"]),
        (Severity::Error, &"CORRUPT".into())
    );
    let file = written(|content| {
        let corrupt = (made_up::alarm(u64::MAX, 2), vec![]);
        content[0].1 = (0..500)
            .map(|member| (made_up::alarm(member, 1), vec![]))
            .chain([corrupt])
            .collect();
        content[0].1.sort();
    });
    let reading = read(&file);
    let alarms = findings_of(&reading, "alarm-raised");
    assert!(alarms.len() < 20, "{}", alarms.len());
    assert_eq!(
        alarms[0].severity,
        Severity::Error,
        "the worst one is never left out"
    );
}

#[test]
fn a_member_that_is_none_is_told() {
    let file = written(|content| content[7].1[0].1 = b"{\"id\":".to_vec());
    assert_codes("half a member", &file, &["record-undecodable"]);
}

#[test]
fn a_compaction_revision_that_is_none_is_told_and_nothing_is_called_lost() {
    let bolt = sample();
    let mut content = Bolt::content(&bolt);
    let meta = &mut content.last_mut().expect("ten buckets").1;
    for (_, value) in meta
        .iter_mut()
        .filter(|(key, _)| key.ends_with(b"CompactRev"))
    {
        value[8] = b'-';
    }
    let file = database(&content, Form::default()).sealed();
    assert_codes("no separator", &file, &["record-undecodable"]);
    assert_eq!(read(&file).snapshot.compact_revision, None);
}

/// etcd goes on at a compaction that a crash has interrupted, wherever it lies.
#[test]
fn a_compaction_ahead_of_every_entry_is_told_unless_it_is_finished() {
    for (finished, expected) in [(7, ["record-inconsistent"].as_slice()), (9, &[])] {
        let put = made_up::Put {
            key: "/a",
            create: 6,
            modified: 6,
            version: 1,
        };
        let entry = (
            made_up::revision(6, 0, false),
            made_up::key_value(put, b"x"),
        );
        let mut content = made_up::around(vec![entry]);
        let meta = &mut content.last_mut().expect("ten buckets").1;
        for (name, main) in [("finishedCompactRev", finished), ("scheduledCompactRev", 9)] {
            meta.push((name.into(), made_up::revision(main, 0, false)));
        }
        meta.sort();
        let reading = read(&database(&content, Form::default()).sealed());
        assert_eq!(codes(&reading), expected, "{}", told(&reading));
    }
}

#[test]
fn where_bucket_meta_is_damaged_nothing_is_called_lost() {
    let bolt = sample();
    let bucket = bolt.bucket("meta");
    let page = bucket.value.start + 16;
    assert_eq!(bolt.bucket_root("meta"), 0, "it is inline");
    let last = page + 16 * usize::from(bolt.u16(page + 10));
    let file = damaged(&bolt, |bolt| bolt.put_u32(last + 12, 60_000));
    let reading = read(&file);
    assert_eq!(codes(&reading), ["structure-page"], "{}", told(&reading));
}

/// etcd 3.6 stops at a storage version of another major version or before 3.5, and goes on without one that is none.
#[test]
fn a_storage_version_of_another_etcd_is_an_error() {
    let rows: [(&[u8], &[&str], Option<Severity>); 6] = [
        (b"3.6.0", &[], None),
        (b"3.5.0", &[], None),
        (b"3.4.0", &["record-inconsistent"], Some(Severity::Error)),
        (b"2.6.0", &["record-inconsistent"], Some(Severity::Error)),
        (b"7.6.0", &["record-inconsistent"], Some(Severity::Error)),
        (b"s.6.0", &["record-undecodable"], Some(Severity::Warning)),
    ];
    for (version, expected, severity) in rows {
        let file = written(|content| {
            let meta = &mut content.last_mut().expect("ten buckets").1;
            meta.push((b"storageVersion".to_vec(), version.to_vec()));
        });
        assert_codes(&version.escape_ascii().to_string(), &file, expected);
        assert_eq!(worst(&read(&file)), severity);
    }
}
