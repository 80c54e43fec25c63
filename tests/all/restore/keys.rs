//! Keys of both stages, tried on the values of real snapshots.

use crate::restore::Tree;
use crate::restore::tree::{NOW, bucket, edited, findings, text};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn pair(snapshot: &str, kuberesources: &str) -> Value {
    let tree = Tree::new();
    let name = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    tree.copy(snapshot, &format!("a/{}", name(snapshot)));
    tree.copy(kuberesources, &format!("b/{}", name(kuberesources)));
    tree.only(NOW)
}

#[test]
fn values_routes_and_tokens_open_with_each_provider() {
    let rows = [
        (
            "prod/snapshot_2024-11-02_030000.db",
            "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
            "aescbc",
        ),
        (
            "prod/snapshot_2024-11-09_030000.db",
            "keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
            "aescbc",
        ),
        (
            "edge/snapshot_2024-11-02_030000.db",
            "keys/edge/static_kuberesources_2024-11-02_030000.tar.gz",
            "aesgcm",
        ),
        (
            "secretbox/snapshot_2024-11-07_030000.db",
            "keys/secretbox/static_kuberesources_2024-11-07_030000.tar.gz",
            "secretbox",
        ),
    ];
    for (snapshot, kuberesources, provider) in rows {
        let backup = pair(snapshot, kuberesources);
        assert_eq!(backup["encryption"]["provider"], provider, "{snapshot}");
        assert_eq!(backup["encryption"]["proof"], "decrypted", "{snapshot}");
        for code in [
            "encryption-external",
            "encryption-key-missing",
            "encryption-key-wrong",
            "encryption-config-missing",
        ] {
            assert_eq!(findings(&backup, code), [], "{snapshot}");
        }
    }
}

#[test]
fn routes_whose_keys_are_gone_from_the_snapshot_do_not_open() {
    let name = "prod/snapshot_2024-11-02_030000.db";
    // Every Secret with a key of openshift-apiserver; the tombstones of compaction are of no concern here.
    let content = edited(name, |content| {
        let entries = bucket(content, "key");
        for (_, value) in entries.iter_mut() {
            for secret in [
                "encryption-config-openshift-apiserver",
                "encryption-key-openshift-apiserver",
                "secrets/openshift-apiserver/encryption-config",
            ] {
                rename(value, secret);
            }
        }
    });
    let tree = Tree::new();
    tree.put("a/snapshot_2024-11-02_030000.db", &content);
    tree.copy(
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "b/static_kuberesources_2024-11-02_030000.tar.gz",
    );
    let backup = tree.only(NOW);
    let told = findings(&backup, "encryption-config-missing");
    assert_eq!(told.len(), 1, "{backup:#}");
    assert!(
        told[0]
            .1
            .starts_with("no keys for routes.route.openshift.io: "),
        "{told:?}"
    );
}

/// Another name of the same length, so that the object is no longer found under its own.
fn rename(value: &mut [u8], name: &str) {
    let length = name.len();
    let found: Vec<usize> = value
        .windows(length)
        .enumerate()
        .filter(|(_, window)| *window == name.as_bytes())
        .map(|(at, _)| at)
        .collect();
    let renamed = name
        .find("encryption")
        .expect("the object's name begins so");
    for at in found {
        value[at + renamed] = b'x';
    }
}

/// The archive with another text of the same length in its encryption configuration.
fn with_other_configuration(tree: &Tree, archive: &Path, from: &str, to: &str) {
    let unpacked = tree.beside("unpacked");
    std::fs::create_dir(&unpacked).expect("a fresh directory");
    let tar = |arguments: &[&str]| {
        let status = Command::new("tar")
            .args(["-C", text(&unpacked)])
            .args(arguments)
            .status();
        assert!(status.expect("tar runs").success());
    };
    tar(&["-xzf", text(archive)]);
    for entry in walkdir::WalkDir::new(&unpacked) {
        let path = entry.expect("it can be walked").into_path();
        if path.is_file() && path.ends_with("encryption-config") {
            let content = std::fs::read_to_string(&path).expect("JSON");
            assert!(content.contains(from));
            std::fs::write(&path, content.replace(from, to)).expect("it can be written");
        }
    }
    tar(&["-czf", text(archive), "static-pod-resources"]);
}

#[test]
fn a_key_that_the_archive_lacks_is_named_and_one_that_differs_too() {
    // No text: the first key of the archive.
    let first = "";
    let rows = [
        (
            "\"name\":\"7\"",
            "\"name\":\"9\"",
            "encryption-key-missing",
            "key 7 not in the kuberesources",
        ),
        (
            first,
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
            "encryption-key-wrong",
            "aescbc key 7 in the kuberesources is not the one of the snapshot",
        ),
    ];
    for (from, to, code, start) in rows {
        let tree = Tree::new();
        tree.copy(
            "prod/snapshot_2024-11-02_030000.db",
            "a/snapshot_2024-11-02_030000.db",
        );
        let archive = tree.copy(
            "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
            "b/static_kuberesources_2024-11-02_030000.tar.gz",
        );
        let from = if from == first {
            first_key(&archive, &tree)
        } else {
            from.to_owned()
        };
        with_other_configuration(&tree, &archive, &from, to);
        let backup = tree.only(NOW);
        let told = findings(&backup, code);
        assert!(
            told.iter().any(|(_, message)| message.starts_with(start)),
            "{backup:#}"
        );
        let run = tree.run(&["check", "--valid-for", "4.17.3", text(&tree.root())]);
        assert_eq!(run.code, Some(1));
        assert!(
            run.stdout.contains(&format!("  4.17.3: {start}")),
            "{}",
            run.stdout
        );
    }
}

/// The samples are made anew now and then: their key is read, not known.
fn first_key(archive: &Path, tree: &Tree) -> String {
    let output = Command::new("tar")
        .args([
            "-C",
            text(&tree.root()),
            "--wildcards",
            "-xzOf",
            text(archive),
        ])
        .arg("*/encryption-config/encryption-config")
        .output()
        .expect("tar runs");
    let content: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let key = &content["resources"][0]["providers"][0]["aescbc"]["keys"][0]["secret"];
    key.as_str().expect("a key").to_owned()
}

#[test]
fn a_key_service_is_one_warning_that_lists_what_it_keeps() {
    let backup = pair(
        "kms/snapshot_2024-11-08_030000.db",
        "kms/static_kuberesources_2024-11-08_030000.tar.gz",
    );
    let told = findings(&backup, "encryption-external");
    assert_eq!(told.len(), 1, "{told:#?}");
    for resource in [
        "configmaps",
        "secrets",
        "routes.route.openshift.io",
        "oauthaccesstokens.oauth.openshift.io",
    ] {
        assert!(told[0].1.contains(resource), "{told:?}");
    }
    assert_eq!(backup["verdict"], "warning");
}
