//! Keys of both stages, tried on the values of real snapshots.

use crate::Tree;
use crate::tree::{NOW, bucket, edited, findings};
use serde_json::Value;

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
    for at in found {
        value[at] = b'x';
    }
}

#[test]
fn an_older_archive_lacks_the_newer_key() {
    // Values under 7 and 8; the archive of the week before knows 7 and 6.
    let tree = Tree::new();
    tree.copy(
        "prod/snapshot_2024-11-09_030000.db",
        "a/snapshot_2024-11-09_030000.db",
    );
    tree.copy(
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "b/static_kuberesources_2024-11-09_030000.tar.gz",
    );
    let backup = tree.only(NOW);
    let told = findings(&backup, "encryption-key-missing");
    assert_eq!(told.len(), 1, "{backup:#}");
    assert!(
        told[0].1.starts_with("key 8 not in the kuberesources: "),
        "{told:?}"
    );
    let run = tree.run(&[
        "check",
        "--valid-for",
        "4.17.3",
        crate::tree::text(&tree.root()),
    ]);
    assert!(
        run.stdout
            .contains("  4.17.3: key 8 not in the kuberesources"),
        "{}",
        run.stdout
    );
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
