//! Every certificate case, from the certificates in real files at other instants.

use crate::restore::Tree;
use crate::restore::tree::{bucket, edited, findings, replace};

const FRESH: &str = "fresh/snapshot_2024-11-05_090000.db";

/// The healthy encrypted pair: signers and leaves lie in the archive, in plain objects and behind encryption.
fn encrypted() -> Tree {
    let tree = Tree::new();
    tree.copy(
        "prod/snapshot_2024-11-02_030000.db",
        "a/snapshot_2024-11-02_030000.db",
    );
    tree.copy(
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "b/static_kuberesources_2024-11-02_030000.tar.gz",
    );
    tree
}

#[test]
fn the_calendar_is_read_as_of_now() {
    let tree = encrypted();
    let is_told = |now: &str, code: &str| {
        let backup = tree.only(now);
        findings(&backup, code)
    };
    // The day after it was taken all is valid.
    assert_eq!(is_told("2024-11-03T00:00:00Z", "certificate-expired"), []);
    let backup = tree.only("2024-11-03T00:00:00Z");
    assert_eq!(backup["verdict"], "valid", "{backup:#}");
    // The 30-day certificates end first: told as information, then as a warning.
    let expiring: Vec<String> = (3..=30)
        .map(|day| format!("2024-11-{day:02}T00:00:00Z"))
        .filter(|now| !is_told(now, "certificate-expiring").is_empty())
        .collect();
    assert!(
        !expiring.is_empty(),
        "within a month something must be about to end"
    );
    let told = is_told(&expiring[0], "certificate-expiring");
    assert_eq!(told[0].0, "info");
    assert!(told[0].1.contains("will expire"), "{told:?}");
    let expired = is_told("2024-12-20T00:00:00Z", "certificate-expired");
    assert_eq!(expired.len(), 1, "{expired:?}");
    assert_eq!(expired[0].0, "warning");
    assert!(
        expired[0].1.contains("valid when the backup was taken"),
        "{expired:?}"
    );
}

#[test]
fn the_two_signers_without_which_nothing_starts_make_it_invalid() {
    let tree = encrypted();
    let late = tree.only("2026-06-01T00:00:00Z");
    let expired = findings(&late, "certificate-expired");
    assert_eq!(late["verdict"], "invalid");
    let error = expired.iter().find(|(severity, _)| severity == "error");
    let (_, message) = error.expect("the signer lives one year");
    assert!(
        message.starts_with("kube-apiserver-to-kubelet-signer expired on "),
        "{message}"
    );
    let later = tree.only("2035-06-01T00:00:00Z");
    let expired = findings(&later, "certificate-expired");
    let (_, message) = expired
        .iter()
        .find(|(severity, _)| severity == "error")
        .expect("both");
    assert!(
        message.contains("2 signers that a restore needs expired: "),
        "{message}"
    );
    assert!(message.contains("the etcd CA on "), "{message}");
}

#[test]
fn a_sentence_can_be_read_aloud() {
    let tree = encrypted();
    for now in [
        "2024-12-20T00:00:00Z",
        "2026-06-01T00:00:00Z",
        "2035-06-01T00:00:00Z",
    ] {
        for (_, message) in findings(&tree.only(now), "certificate-expired") {
            assert!(
                message.len() < 250 && !message.contains("/kubernetes.io/"),
                "{message}"
            );
        }
    }
}

#[test]
fn sealed_signers_are_on_the_calendar_once_the_keys_are_there() {
    let tree = encrypted();
    let has_place = |tree: &Tree, wanted: &str| {
        let backup = tree.verified("2026-06-01T00:00:00Z")[0].clone();
        backup["findings"].to_string().contains(wanted)
    };
    let signer = "/kubernetes.io/secrets/openshift-kube-apiserver-operator/";
    assert!(has_place(&tree, signer));
    std::fs::remove_dir_all(tree.root().join("b")).expect("it is there");
    assert!(
        !has_place(&tree, signer),
        "without keys nobody can read them"
    );
}

#[test]
fn the_first_rotation_is_missing_by_the_time_of_installation() {
    let tree = Tree::new();
    tree.pair(
        FRESH,
        "fresh/static_kuberesources_2024-11-05_090000.tar.gz",
        "x",
    );
    let backup = tree.only("2024-11-05T12:00:00Z");
    let told = findings(&backup, "taken-before-rotation");
    assert_eq!(told.len(), 1, "{backup:#}");
    assert_eq!(told[0].0, "error");
    assert!(
        told[0]
            .1
            .starts_with("taken 6 h 7 s after the cluster was installed"),
        "{told:?}"
    );
    assert_eq!(findings(&backup, "bootstrap-incomplete").len(), 1);
}

/// The young cluster with another date of installation: only its signers tell.
fn seems_old(edit: impl FnOnce(&mut crate::support::bolt::Content)) -> Vec<(String, String)> {
    let tree = Tree::new();
    let content = edited(FRESH, |content| {
        replace(
            content,
            "\"creationTimestamp\":\"2024-11-05T03:00:00Z\"",
            "\"creationTimestamp\":\"2024-01-05T03:00:00Z\"",
        );
        edit(content);
    });
    tree.put("snapshot_2024-11-05_090000.db", &content);
    tree.copy(
        "fresh/static_kuberesources_2024-11-05_090000.tar.gz",
        "static_kuberesources_2024-11-05_090000.tar.gz",
    );
    findings(&tree.only("2024-11-05T12:00:00Z"), "taken-before-rotation")
}

#[test]
fn the_first_rotation_is_missing_by_the_signers_and_their_annotations() {
    let told = seems_old(|_| {});
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]
            .1
            .starts_with("no certificate rotation had happened: signer "),
        "{told:?}"
    );
    assert!(
        told[0].1.contains("its name is the installer's"),
        "{told:?}"
    );
    // The same Secrets as an operator has never touched them.
    let told = seems_old(|content| {
        replace(
            content,
            "auth.openshift.io/certificate-not-after",
            "xxxx.openshift.io/certificate-not-after",
        );
    });
    assert!(
        told[0].1.contains("its Secret has no rotation annotations"),
        "{told:?}"
    );
}

#[test]
fn a_member_of_the_bootstrap_machine_tells_by_itself() {
    let tree = Tree::new();
    let content = edited("prod/snapshot_2024-10-20_030000.db", |content| {
        let members = bucket(content, "members");
        let (_, value) = members.last_mut().expect("three members");
        let text = String::from_utf8(value.clone()).expect("JSON");
        *value = text.replace("master-2", "etcd-bootstrap").into_bytes();
    });
    tree.put("snapshot_2024-10-20_030000.db", &content);
    tree.copy(
        "prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "static_kuberesources_2024-10-20_030000.tar.gz",
    );
    let backup = tree.only("2024-10-21T00:00:00Z");
    assert_eq!(
        findings(&backup, "bootstrap-incomplete").len(),
        1,
        "{backup:#}"
    );
    assert_eq!(findings(&backup, "taken-before-rotation"), []);
}
