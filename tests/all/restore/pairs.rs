//! Halves that belong together, and halves that only look so.

use crate::restore::Tree;
use crate::restore::tree::{NOW, findings, named, text};
use serde_json::Value;

/// A snapshot with an archive of another run under the stamp of its own.
fn swapped(snapshot: &str, kuberesources: &str) -> Value {
    let tree = Tree::new();
    let name = snapshot.rsplit('/').next().expect("a name");
    let stamp = name.trim_start_matches("snapshot_").trim_end_matches(".db");
    tree.copy(snapshot, &format!("a/{name}"));
    tree.copy(
        kuberesources,
        &format!("b/static_kuberesources_{stamp}.tar.gz"),
    );
    let backups = tree.verified(NOW);
    named(&backups, name).clone()
}

fn mismatch(backup: &Value) -> String {
    let told = findings(backup, "pair-mismatch");
    assert_eq!(told.len(), 1, "{backup:#}");
    assert_eq!(told[0].0, "error");
    assert_eq!(backup["verdict"], "invalid");
    assert!(
        told[0]
            .1
            .starts_with("the two halves are not of one backup: "),
        "{told:?}"
    );
    told[0].1.clone()
}

#[test]
fn an_archive_of_another_cluster_is_told_by_all_that_differs() {
    let backup = swapped(
        "prod/snapshot_2024-11-02_030000.db",
        "keys/edge/static_kuberesources_2024-11-02_030000.tar.gz",
    );
    let told = mismatch(&backup);
    assert!(
        told.contains(
            "infrastructure name is prod-7xk2p in the snapshot, edge-q9w4z in the kuberesources"
        ),
        "{told}"
    );
    let evidence = backup["findings"].to_string();
    for part in ["internal API URL", "etcd member ids", "control-plane node"] {
        assert!(evidence.contains(part), "{part}: {evidence}");
    }
}

#[test]
fn an_archive_of_another_time_is_told_by_revisions() {
    let backup = swapped(
        "prod/snapshot_2024-11-09_030000.db",
        "prod/static_kuberesources_2024-10-20_030000.tar.gz",
    );
    let told = mismatch(&backup);
    assert!(
        told.contains("kube-apiserver revision on master-0 is "),
        "{told}"
    );
}

#[test]
fn an_archive_of_another_release_is_told_by_its_version() {
    let backup = swapped(
        "prod/snapshot_2024-10-20_030000.db",
        "next/static_kuberesources_2026-01-10_030000.tar.gz",
    );
    let told = mismatch(&backup);
    assert!(
        backup["findings"]
            .to_string()
            .contains("OpenShift version is 4.17.2 in the snapshot, 4.20.8"),
        "{told}"
    );
}

#[test]
fn an_archive_of_another_node_of_the_same_hour_still_belongs() {
    // The same static pods run on each node, so nothing contradicts but the moment.
    let backup = swapped(
        "prod/snapshot_2024-11-09_030000.db",
        "keys/prod-master-1/static_kuberesources_2024-11-09_030400.tar.gz",
    );
    let evidence = backup["pairing"]["evidence"].to_string();
    assert_eq!(backup["pairing"]["basis"], "content", "{backup:#}");
    assert!(evidence.contains("on master-1 in both"), "{evidence}");
}

#[test]
fn show_lists_every_kind_of_evidence() {
    let tree = Tree::samples();
    tree.index();
    let rows: [(&str, &[&str]); 2] = [
        (
            "prod/snapshot_2024-11-02_030000.db",
            &[
                "stamp 2024-11-02_030000 in both names",
                "infrastructure name prod-7xk2p in both",
                "internal API URL https://api-int.",
                "kube-apiserver revision ",
                "etcd revision ",
                "etcd member ids in both: ",
                "key 7 opens ",
            ],
        ),
        (
            "next/snapshot_2026-01-10_030000.db",
            &["OpenShift 4.20.8 in both"],
        ),
    ];
    for (path, lines) in rows {
        let path = tree.root().join(path);
        let run = tree.run(&["show", text(&path)]);
        for line in lines {
            assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
        }
    }
}
