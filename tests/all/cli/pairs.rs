//! Which halves belong together, wherever they lie and whatever they are called.

use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;

const EDGE: &str = "backups/edge/snapshot_2024-11-02_030000.db";
const EDGE_KEYS: &str = "backups/keys/edge/static_kuberesources_2024-11-02_030000.tar.gz";

#[test]
fn equal_stamps_of_two_clusters_in_one_directory_pair_by_content() {
    // The names are swapped on purpose: what is called edge is of prod.
    let env = TestEnv::new();
    env.put(
        "all/snapshot_2024-11-02_030000-prod.db",
        samples::bytes(SNAPSHOT),
    );
    env.put(
        "all/snapshot_2024-11-02_030000-edge.db",
        samples::bytes(EDGE),
    );
    env.put(
        "all/static_kuberesources_2024-11-02_030000-edge.tar.gz",
        samples::bytes(KUBERESOURCES),
    );
    env.put(
        "all/static_kuberesources_2024-11-02_030000-prod.tar.gz",
        samples::bytes(EDGE_KEYS),
    );
    let report = env.verify(&[]);
    assert_eq!(report.items.len(), 2);
    for (name, other) in [("-prod.db", "-edge.tar.gz"), ("-edge.db", "-prod.tar.gz")] {
        let backup = report.of(name);
        assert!(
            backup.kuberesources().path.ends_with(other),
            "{name}: {backup:#?}"
        );
        assert_eq!(backup.pairing.basis, "content", "{name}");
        assert_eq!(backup.encryption.proof, "decrypted", "{name}");
        assert!(
            backup.findings.iter().all(|one| one.severity != "error"),
            "{:#?}",
            backup.findings
        );
    }
}

#[test]
fn a_snapshot_under_any_name_is_found_by_its_content() {
    let env = TestEnv::new();
    env.put("all/monday", samples::bytes(SNAPSHOT));
    env.put("all/monday-keys", samples::bytes(KUBERESOURCES));
    let report = env.verify(&[]);
    let backup = report.only();
    assert_eq!(backup.verdict, "valid", "{:#?}", backup.findings);
    assert_eq!(backup.codes(), ["keys-beside-snapshot"]);
    assert_eq!(backup.advice.len(), 1);
    assert_eq!(backup.pairing.basis, "content");
    assert_eq!(backup.named_at, None);
}

#[test]
fn one_file_finds_its_sibling_and_nothing_else() {
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "all");
    env.copy(KUBERESOURCES, "all");
    env.copy("backups/prod/snapshot_2024-11-09_030000.db", "all");
    for name in [
        "snapshot_2024-11-02_030000.db",
        "static_kuberesources_2024-11-02_030000.tar.gz",
    ] {
        let report = env.verify(&[&env.text("all"), "--no-catalogue"]);
        assert_eq!(report.items.len(), 2);
        let report = env.verify(&[&env.text(&format!("all/{name}")), "--no-catalogue"]);
        let backup = report.only();
        assert!(
            backup
                .snapshot()
                .path
                .ends_with("snapshot_2024-11-02_030000.db"),
            "{name}"
        );
        assert!(
            backup
                .kuberesources()
                .path
                .ends_with("2024-11-02_030000.tar.gz"),
            "{name}"
        );
        assert_eq!(backup.encryption.proof, "decrypted", "{name}");
    }
    // A relative name without any directory.
    let mut command = env.command(&[
        "verify",
        "snapshot_2024-11-02_030000.db",
        "-o",
        "name",
        "--as-of",
        SOON,
    ]);
    let output = command
        .current_dir(env.path("all"))
        .output()
        .expect("it starts");
    let ran = crate::cli::environment::Ran::of(output).ends_with(0);
    assert_eq!(ran.stdout, "backup/27be558ad3a9\n");
}

#[test]
fn the_same_bytes_at_another_place_are_a_copy() {
    let env = TestEnv::healthy();
    env.copy(SNAPSHOT, "usb");
    env.copy(KUBERESOURCES, "usb-keys");
    let report = env.verify(&[]);
    let backup = report.only();
    assert_eq!(backup.snapshot().copies.len(), 1);
    assert_eq!(backup.kuberesources().copies.len(), 1);
    assert_eq!(backup.verdict, "valid", "{:#?}", backup.findings);
    assert_eq!(report.summary.files, 4);
    // A lost copy takes nothing away.
    std::fs::remove_dir_all(env.path("usb")).expect("removed");
    let listed = env.list();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].verdict, "valid", "{:#?}", listed[0].findings);
    assert!(listed[0].snapshot().copies.is_empty());
}

#[test]
fn archives_swapped_between_runs_are_told_and_the_right_one_is_named() {
    // Both runs are of prod; each archive carries the other run's stamp.
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "data");
    env.copy("backups/prod/snapshot_2024-10-20_030000.db", "data");
    env.put(
        "keys/static_kuberesources_2024-10-20_030000.tar.gz",
        samples::bytes(KUBERESOURCES),
    );
    env.put(
        "keys/static_kuberesources_2024-11-02_030000.tar.gz",
        samples::bytes("backups/prod/static_kuberesources_2024-10-20_030000.tar.gz"),
    );
    let report = env.verify(&[]);
    let encrypted = report.of("data/snapshot_2024-11-02");
    assert_eq!(encrypted.verdict, "invalid");
    assert_eq!(encrypted.codes()[0], "pair-mismatch");
    let told = encrypted.finding("pair-mismatch");
    assert!(
        told.remedy
            .contains("keys/static_kuberesources_2024-10-20_030000.tar.gz"),
        "{told:?}"
    );
    assert!(
        told.message.contains(
            "kube-apiserver revision on master-0 is 24 in the snapshot, 19 in the kuberesources"
        ),
        "{told:?}"
    );
}

#[test]
fn a_compressed_snapshot_is_verified_too() {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "keys");
    let packed = crate::cli::archive::gzip(&samples::bytes(SNAPSHOT));
    env.put("data/snapshot_2024-11-02_030000.db.gz", packed);
    let report = env.verify(&[]);
    let backup = report.only();
    assert_eq!(backup.id(), "27be558ad3a9");
    assert_eq!(backup.snapshot().digest.state, "match");
    assert_eq!(backup.snapshot().status.hash, Some(4_087_570_503));
    assert_eq!(backup.verdict, "valid", "{:#?}", backup.findings);
    assert_eq!(backup.usable, "staged");
    assert_eq!(backup.advice[0].code, "snapshot-compressed");
}
