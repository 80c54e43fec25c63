//! What is remembered: once, by several at a time, and until it is forgotten.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{Ran, SOON, TestEnv};
use crate::support::samples;
use std::process::Stdio;

fn index(env: &TestEnv, arguments: &[&str]) -> (VerifyReport, Ran) {
    let mut all = vec!["index", "-o", "json", "--as-of", SOON];
    all.extend(arguments);
    let ran = env.run(&all);
    (ran.json(), ran)
}

#[test]
fn the_second_run_reads_nothing() {
    let env = TestEnv::healthy();
    let (data, keys) = (env.text("data"), env.text("keys"));
    let (first, _) = index(&env, &[&data, &keys]);
    assert_eq!(first.summary.files, 2);
    assert_eq!(first.summary.bytes, 688_160 + 14_754);
    let (second, ran) = index(&env, &[]);
    assert_eq!((second.summary.files, second.summary.bytes), (0, 0));
    assert_eq!(second.only().verdict, "valid");
    assert_eq!(
        second.only().encryption.proof,
        "decrypted",
        "remembered, keys are not"
    );
    assert!(ran.stderr.contains("2 files unchanged"), "{}", ran.stderr);
    // verify reads all the same.
    assert_eq!(env.verify(&[&data]).summary.files, 1);
    // A new file is read, the known ones are not.
    env.copy("backups/prod/snapshot_2024-11-09_030000.db", "data");
    let (third, _) = index(&env, &[]);
    assert_eq!(third.summary.files, 1);
    assert_eq!(third.items.len(), 2);
    // An archive that turns up later is tried on the snapshot that was read before.
    env.copy(
        "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "keys",
    );
    let (fourth, _) = index(&env, &[]);
    let late = fourth.of("snapshot_2024-11-09");
    assert_eq!(late.encryption.proof, "decrypted", "{:#?}", late.findings);
}

#[test]
fn every_verification_is_remembered() {
    let env = TestEnv::healthy();
    let (data, keys) = (env.text("data"), env.text("keys"));
    index(&env, &[&data, &keys]);
    let first = env.list()[0].clone();
    assert_eq!(first.verifications.len(), 1);
    assert_eq!(first.verified_at.as_ref(), Some(&first.verifications[0].at));
    env.verify(&[&data, &keys]);
    env.verify(&[&data, &keys]);
    index(&env, &[]);
    let last = env.list()[0].clone();
    assert_eq!(
        last.verifications.len(),
        3,
        "an index that reads nothing verifies nothing"
    );
    assert!(last.verifications.iter().all(|one| one.verdict == "valid"));
    assert_eq!(last.first_seen_at, first.first_seen_at);
    assert!(last.verified_at >= first.verified_at);
}

#[test]
fn locations_are_remembered_relative_ones_too() {
    let env = TestEnv::healthy();
    index(&env, &["data", "./keys"]);
    let mut elsewhere = env.command(&["index", "-o", "name", "--as-of", SOON]);
    let output = elsewhere.current_dir("/").output().expect("it starts");
    assert_eq!(Ran::of(output).ends_with(0).stdout, "backup/27be558ad3a9\n");
    let backup = env.list()[0].clone();
    assert!(backup.path().starts_with('/'), "{}", backup.path());
    let nothing = TestEnv::new();
    let ran = nothing.run(&["index"]).ends_with(2);
    assert!(
        ran.stderr.contains("no location is given") && ran.stderr.contains("hint: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn forgetting_drops_the_record_and_no_file() {
    let env = TestEnv::healthy();
    index(&env, &["data", "keys"]);
    let ran = env.run(&["forget", "27be", "--dry-run"]).ends_with(0);
    assert!(
        ran.stderr.contains("would forget 1 record"),
        "{}",
        ran.stderr
    );
    assert_eq!(env.list().len(), 1);
    let ran = env.run(&["forget", "27be"]).ends_with(0);
    assert!(ran.stderr.contains("no file was touched"), "{}", ran.stderr);
    assert!(env.list().is_empty());
    assert!(env.path("data/snapshot_2024-11-02_030000.db").exists());
    assert!(
        env.path("keys/static_kuberesources_2024-11-02_030000.tar.gz")
            .exists()
    );
    // One of several that does not exist: none is dropped.
    index(&env, &["data", "keys"]);
    env.run(&["forget", "27be", "ffff"]).ends_with(2);
    assert_eq!(env.list().len(), 1);
    assert_eq!(
        env.list()[0].verifications.len(),
        1,
        "its history went with it"
    );
}

#[test]
fn a_rebuilt_catalogue_says_the_same() {
    let env = TestEnv::healthy();
    index(&env, &["data", "keys"]);
    let before = env.list();
    std::fs::remove_file(env.path("catalogue.redb")).expect("removed");
    assert!(env.list().is_empty());
    index(&env, &["data", "keys"]);
    let after = env.list();
    assert_eq!(before[0].id, after[0].id);
    assert_eq!(before[0].pairing.evidence, after[0].pairing.evidence);
    assert_eq!(before[0].verdict, after[0].verdict);
}

#[test]
fn two_at_a_time_lose_nothing() {
    let env = TestEnv::new();
    let places = [
        "edge", "lab", "prod", "next", "fresh", "alarm", "keys", "kms",
    ];
    let start = |place: &str| {
        let place = samples::testdata().join("backups").join(place);
        let mut command = env.command(&["index", "-o", "name"]);
        command
            .arg(place)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("it starts")
    };
    let children: Vec<_> = places.into_iter().map(start).collect();
    for child in children {
        let ran = Ran::of(child.wait_with_output().expect("it ends"));
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
        assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
    }
    let snapshots = env.list().into_iter().filter(|one| one.snapshot.is_some());
    assert_eq!(snapshots.count(), 10);
}
