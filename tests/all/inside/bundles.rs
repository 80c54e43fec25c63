//! Snapshots that lie in bundles are looked into as those in directories.

use super::clusters::{put, run, text};
use crate::cli::bundles::{gzip, tar};
use crate::cli::environment::TestEnv;
use serde_json::Value;

const SNAPSHOT: &str = "snapshot_2026-11-28_060000.db";
const KUBERESOURCES: &str = "static_kuberesources_2026-11-28_060000.tar.gz";

/// Packs the pair of a cluster, and gives the snapshot bare and as it lies in the bundle.
fn pack(env: &TestEnv, cluster: &str) -> [String; 2] {
    let bare = put(env, cluster);
    let tree = [SNAPSHOT, KUBERESOURCES].map(|name| {
        let bytes = std::fs::read(env.path(&format!("{cluster}/{name}"))).expect("was put there");
        (format!("etcd-backup/{name}"), bytes)
    });
    let bundle = env.put(
        &format!("bundles/{cluster}.tar.gz"),
        gzip(&tar(&tree.to_vec())),
    );
    [
        bare,
        format!("{}!/etcd-backup/{SNAPSHOT}", bundle.display()),
    ]
}

#[test]
fn a_member_of_a_bundle_is_looked_into_as_the_bare_file() {
    let env = TestEnv::new();
    let [bare, member] = pack(&env, "prod-421");
    for arguments in [
        &["ls"][..],
        &["ls", "pods", "-n", "shop"],
        &["ls", "--size"],
        &["get", "deploy", "-n", "shop", "web"],
        &["get", "co", "-o", "name"],
        &["history", "deploy", "-n", "shop", "web"],
    ] {
        let of = |place: &str| {
            let (command, rest) = arguments.split_at(1);
            run(&env, &[command, &[place], rest].concat())
                .ends_with(0)
                .stdout
        };
        let expected = of(&bare);
        assert!(!expected.is_empty());
        assert_eq!(of(&member), expected, "{arguments:?}");
    }
    let told: Value = run(&env, &["ls", &member, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(text(&told, "/snapshot/path"), member);
    let same: Value = run(&env, &["diff", &bare, &member, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(same["items"], serde_json::json!([]));
}

#[test]
fn the_keys_of_a_member_lie_in_its_bundle() {
    let env = TestEnv::new();
    let [_, member] = pack(&env, "cbc-421");
    std::fs::remove_dir_all(env.path("cbc-421")).expect("our own");
    let get = ["get", &member, "secret", "-n", "shop", "db-password"];
    let opened = run(&env, &get).ends_with(0);
    assert!(opened.stdout.contains("<masked #1"), "{opened:?}");
}

#[test]
fn what_lies_in_no_bundle_is_told() {
    let env = TestEnv::new();
    let [_, member] = pack(&env, "prod-421");
    let other = member.replace("snapshot_2026", "snapshot_2025");
    let ran = run(&env, &["ls", &other, "-o", "json"]).ends_with(2);
    assert_eq!(ran.stdout, "");
    let archive = member.replace(SNAPSHOT, KUBERESOURCES);
    let ran = run(&env, &["ls", &archive, "-o", "json"]).ends_with(2);
    assert!(ran.stderr.contains("not a snapshot"), "{ran:?}");
    let damaged = env.path("bundles/prod-421.tar.gz");
    let mut bytes = std::fs::read(&damaged).expect("our own");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&damaged, bytes).expect("our own");
    let ran = run(&env, &["ls", &member, "-o", "json"]);
    assert!(
        matches!(ran.code, Some(1 | 2)) && ran.stdout.is_empty(),
        "{ran:?}"
    );
}
