//! No backup is ever written, touched or moved by a command that reads.

use crate::cli::environment::{SOON, TestEnv};
use crate::support::samples;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// Everything about a file that can be changed, reading times aside.
type State = (u64, u32, u64, i64, i64, i64, i64, Vec<u8>);

fn state(env: &TestEnv) -> BTreeMap<PathBuf, State> {
    let files = walkdir::WalkDir::new(env.path("backups"));
    let state = |entry: walkdir::DirEntry| {
        let metadata = entry.metadata().expect("it is there");
        let bytes = if metadata.is_file() {
            std::fs::read(entry.path()).expect("readable")
        } else {
            Vec::new()
        };
        let times = (
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        );
        let state = (
            metadata.ino(),
            metadata.mode(),
            metadata.nlink(),
            times.0,
            times.1,
            times.2,
            times.3,
            bytes,
        );
        (entry.into_path(), state)
    };
    files
        .into_iter()
        .map(|entry| state(entry.expect("walked")))
        .collect()
}

#[test]
fn commands_leave_the_backups_as_they_are() {
    let env = TestEnv::new();
    for file in samples::files_ending("") {
        if file.starts_with("backups/") && samples::testdata().join(&file).is_file() {
            env.put(&file, samples::bytes(&file));
        }
    }
    let root = env.text("backups");
    let before = state(&env);
    assert!(before.len() > 30);
    let staged = env.text("staged");
    let metrics = env.text("etcd-cat.prom");
    let report = env.text("report.html");
    for arguments in [
        &["index", &root][..],
        &["index"],
        &["verify", &root],
        &["verify"],
        &["verify", "27be558ad3a9"],
        &["list", "--all"],
        &["show", "27be"],
        &["ls", "27be", "pods"],
        &["get", "27be", "secrets"],
        &["diff", "27be", "27be"],
        &["history", "27be", "ns", "kube-system"],
        &["check", "--valid-for", "4.17.3", "--cluster", "prod"],
        &[
            "check",
            "--valid-for",
            "4.17.2",
            "--cluster",
            "prod",
            "--diff",
        ],
        &["check", "--valid-for", "4.17.3", "--cluster", "prod", &root],
        &["metrics", "--to", &metrics],
        &["report", "--to", &report],
        &["stage", "27be", "--to", &staged],
        &["forget", "27be", "af62", "0ee5"],
    ] {
        let mut all = arguments.to_vec();
        all.extend(["--as-of", SOON]);
        let ran = env.run(&all);
        assert!(matches!(ran.code, Some(0 | 1)), "{arguments:?}: {ran:#?}");
        assert!(state(&env) == before, "{arguments:?} changed something");
    }
    assert!(env.path("staged/snapshot_2024-11-02_030000.db").exists());
}

#[test]
fn a_read_only_place_is_enough() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::healthy();
    for directory in ["data", "keys"] {
        std::fs::set_permissions(env.path(directory), std::fs::Permissions::from_mode(0o555))
            .expect("our own");
    }
    assert_eq!(env.verify(&[]).only().verdict, "valid");
    for directory in ["data", "keys"] {
        std::fs::set_permissions(env.path(directory), std::fs::Permissions::from_mode(0o755))
            .expect("our own");
    }
}
