//! Rules of pairing, on hand-made facts.

use super::{candidates, evidence, pair};
use crate::backup::{Located, PairingBasis};
use crate::finding::{Code, Finding};
use crate::fixture::{
    at, digest, encrypted, healthy, kuberesources, located, only, proven, snapshot,
};
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::KeyOutcome;
use crate::snapshot::Snapshot;

fn inventory(
    snapshots: Vec<Located<Snapshot>>,
    kuberesources: Vec<Located<Kuberesources>>,
) -> Inventory {
    Inventory {
        snapshots,
        kuberesources,
        ..Inventory::default()
    }
}

/// For each snapshot the index of its kuberesources, then the orphans.
fn partners(inventory: &Inventory) -> (Vec<Option<usize>>, Vec<usize>) {
    let pairs = pair(inventory);
    let (with, without): (Vec<_>, Vec<_>) =
        pairs.iter().partition(|paired| paired.snapshot.is_some());
    let orphans = without
        .iter()
        .filter_map(|paired| paired.kuberesources)
        .map(|index| index.0)
        .collect();
    (
        with.iter()
            .map(|paired| paired.kuberesources.map(|index| index.0))
            .collect(),
        orphans,
    )
}

fn damaged(cluster: &str, seed: u64) -> Snapshot {
    let mut facts = snapshot(cluster, seed);
    facts.trailer = Some(digest(999));
    facts
        .findings
        .push(Finding::new(Code::DigestMismatch, "flipped"));
    facts
}

const DB: &str = "snapshot_2024-11-02_030000.db";
const TAR: &str = "static_kuberesources_2024-11-02_030000.tar.gz";

fn db(directory: &str, facts: Snapshot) -> Located<Snapshot> {
    located(facts, &format!("{directory}/{DB}"))
}

fn tar(directory: &str, facts: Kuberesources) -> Located<Kuberesources> {
    located(facts, &format!("{directory}/{TAR}"))
}

#[test]
fn one_run_pairs_by_content_and_says_why() {
    let backup = only(healthy());
    assert_eq!(backup.pairing, PairingBasis::Content);
    let evidence = evidence(&backup);
    let expected = [
        "stamp 2024-11-02_030000 in both names",
        "infrastructure name prod-7xk2p in both",
        "internal API URL https://api-int.prod.example.com:6443 in both",
        "etcd revision 3 on master-0 in both",
        "kube-apiserver revision 7 on master-0 in both",
    ];
    for line in expected {
        assert!(
            evidence.iter().any(|found| found == line),
            "{line}: {evidence:?}"
        );
    }
}

#[test]
fn key_that_opens_values_is_evidence() {
    let evidence = evidence(&only(encrypted(KeyOutcome::Decrypted)));
    assert!(
        evidence.contains(&"key 7 opens 12 of 12 sampled secrets".to_owned()),
        "{evidence:?}"
    );
}

#[test]
fn halves_without_content_pair_by_name() {
    let mut inventory = healthy();
    for half in &mut inventory.kuberesources {
        half.facts.infrastructure_name = None;
        half.facts.api_server_internal_url = None;
        half.facts.revisions.clear();
        half.facts.etcd_endpoints.clear();
        half.facts.node = None;
    }
    let backup = only(inventory);
    let lines = evidence(&backup).len();
    assert_eq!((backup.pairing, lines), (PairingBasis::Name, 1));
}

#[test]
fn two_clusters_with_one_stamp_pair_in_one_directory() {
    let inventory = inventory(
        vec![
            located(snapshot("prod", 1), "/b/a-snapshot_2024-11-02_030000.db"),
            located(snapshot("dev", 2), "/b/b-snapshot_2024-11-02_030000.db"),
        ],
        vec![
            located(
                kuberesources("dev", 3),
                "/b/a-static_kuberesources_2024-11-02_030000.tar.gz",
            ),
            located(
                kuberesources("prod", 4),
                "/b/b-static_kuberesources_2024-11-02_030000.tar.gz",
            ),
        ],
    );
    assert_eq!(partners(&inventory), (vec![Some(1), Some(0)], vec![]));
}

#[test]
fn exchanged_archives_pair_across_directories() {
    let inventory = inventory(
        vec![
            db("/prod", snapshot("prod", 1)),
            db("/dev", snapshot("dev", 2)),
        ],
        vec![
            tar("/prod", kuberesources("dev", 3)),
            tar("/dev", kuberesources("prod", 4)),
        ],
    );
    assert_eq!(partners(&inventory), (vec![Some(1), Some(0)], vec![]));
}

#[test]
fn contradicting_partner_that_nobody_wants_is_joined() {
    let inventory = inventory(
        vec![db("/b", snapshot("prod", 1))],
        vec![tar("/b", kuberesources("dev", 2))],
    );
    assert_eq!(partners(&inventory), (vec![Some(0)], vec![]));
}

#[test]
fn contradicting_partner_of_another_snapshot_is_left_to_it() {
    let inventory = inventory(
        vec![
            db("/prod", snapshot("prod", 1)),
            db("/dev", snapshot("dev", 2)),
        ],
        vec![tar("/prod", kuberesources("dev", 3))],
    );
    assert_eq!(partners(&inventory), (vec![None, Some(0)], vec![]));
}

#[test]
fn different_stamps_never_pair_even_in_one_directory() {
    let inventory = inventory(
        vec![db("/b", snapshot("prod", 1))],
        vec![located(
            kuberesources("prod", 2),
            "/b/static_kuberesources_2024-11-01_030000.tar.gz",
        )],
    );
    assert_eq!(partners(&inventory), (vec![None], vec![0]));
}

#[test]
fn half_without_stamp_pairs_by_content() {
    let stamped = "/b/static_kuberesources_2024-11-02_030000.tar.gz";
    let cases = [
        ("snapshot renamed", "/b/snapshot.db", stamped),
        ("snapshot renamed and moved", "/c/prod.db", stamped),
        (
            "archive renamed",
            "/b/snapshot_2024-11-02_030000.db",
            "/c/prod.tar.gz",
        ),
        ("both renamed", "/b/prod.db", "/c/prod.tar.gz"),
    ];
    for (name, db, tar) in cases {
        let inventory = inventory(
            vec![located(snapshot("prod", 1), db)],
            vec![located(kuberesources("prod", 2), tar)],
        );
        assert_eq!(partners(&inventory).0, [Some(0)], "{name}");
    }
}

#[test]
fn snapshot_without_stamp_takes_no_archive_of_another_day_or_cluster() {
    let other_day = "/b/static_kuberesources_2024-10-28_030000.tar.gz";
    let inventory = inventory(
        vec![located(snapshot("prod", 1), "/b/snapshot.db")],
        vec![
            located(kuberesources("prod", 2), other_day),
            located(kuberesources("dev", 3), "/c/dev.tar.gz"),
        ],
    );
    assert_eq!(partners(&inventory).0, [None]);
}

#[test]
fn damaged_copy_does_not_take_the_archive_from_the_sound_one() {
    let mut unknown = damaged("prod", 3);
    unknown.cluster.infrastructure_name = None;
    for (name, copy) in [
        ("flipped", damaged("prod", 3)),
        ("cluster unreadable", unknown),
    ] {
        for order in [[0, 1], [1, 0]] {
            let halves = [db("/aaa", copy.clone()), db("/sound", snapshot("prod", 1))];
            let snapshots = order
                .iter()
                .filter_map(|&index| halves.get(index).cloned())
                .collect();
            let inventory = inventory(snapshots, vec![tar("/sound", kuberesources("prod", 2))]);
            assert_eq!(
                partners(&inventory),
                (vec![Some(0), Some(0)], vec![]),
                "{name}"
            );
        }
    }
}

#[test]
fn raw_copy_of_the_same_moment_shares_the_archive() {
    let mut raw = snapshot("prod", 3);
    raw.trailer = None;
    let inventory = inventory(
        vec![db("/b", snapshot("prod", 1)), located(raw, "/raw/db")],
        vec![tar("/b", kuberesources("prod", 2))],
    );
    assert_eq!(partners(&inventory), (vec![Some(0), Some(0)], vec![]));
}

#[test]
fn other_moment_with_the_same_stamp_does_not_share() {
    let mut later = snapshot("prod", 3);
    later.status.revision = Some(31_500);
    let inventory = inventory(
        vec![db("/b", snapshot("prod", 1)), db("/c", later)],
        vec![tar("/b", kuberesources("prod", 2))],
    );
    assert_eq!(partners(&inventory), (vec![Some(0), None], vec![]));
}

#[test]
fn sound_archive_is_preferred_to_a_corrupt_one_beside_the_snapshot() {
    let mut corrupt = kuberesources("prod", 2);
    corrupt
        .findings
        .push(Finding::new(Code::KuberesourcesCorrupt, "cut"));
    let inventory = inventory(
        vec![db("/b", snapshot("prod", 1))],
        vec![tar("/b", corrupt), tar("/c", kuberesources("prod", 3))],
    );
    assert_eq!(partners(&inventory), (vec![Some(1)], vec![0]));
    assert!(
        pair(&inventory)
            .iter()
            .all(|paired| paired.rivals.is_empty())
    );
}

#[test]
fn equally_good_archives_are_told_with_the_reason() {
    let cases = [
        (
            "/b",
            "/c",
            0,
            "it lies in the same directory as the snapshot",
        ),
        (
            "/b/far/away",
            "/b/x",
            1,
            "its path is nearest to the snapshot",
        ),
        ("/c", "/d", 0, "its path comes first in the alphabet"),
    ];
    for (first, second, chosen, reason) in cases {
        let inventory = inventory(
            vec![db("/b", snapshot("prod", 1))],
            vec![
                tar(first, kuberesources("prod", 2)),
                tar(second, kuberesources("prod", 3)),
            ],
        );
        let pairs = pair(&inventory);
        let found = pairs.first().expect("one snapshot");
        assert_eq!(
            (found.kuberesources, found.rivals.len(), found.reason),
            (Some(KuberesourcesIndex(chosen)), 1, reason)
        );
    }
}

#[test]
fn key_that_opens_the_values_decides_between_archives() {
    let mut inventory = encrypted(KeyOutcome::KeyMissing);
    inventory
        .kuberesources
        .push(tar("/zzz", kuberesources("prod", 3)));
    inventory
        .proofs
        .insert(digest(1), digest(3), proven("7", KeyOutcome::Decrypted));
    assert_eq!(partners(&inventory).0, [Some(1)]);
    assert!(
        pair(&inventory)
            .iter()
            .all(|paired| paired.rivals.is_empty())
    );
}

#[test]
fn both_masters_of_one_second_keep_their_own_directory() {
    let mut second = kuberesources("prod", 4);
    second.node = Some("master-1".to_owned());
    let mut later = snapshot("prod", 3);
    later.status.revision = Some(31_409);
    let inventory = inventory(
        vec![db("/m1", later), db("/m0", snapshot("prod", 1))],
        vec![tar("/m0", kuberesources("prod", 2)), tar("/m1", second)],
    );
    assert_eq!(partners(&inventory), (vec![Some(1), Some(0)], vec![]));
}

#[test]
fn revision_of_a_rollout_under_way_is_no_contradiction() {
    let mut rolling = snapshot("prod", 1);
    for operator in rolling
        .cluster
        .operators
        .iter_mut()
        .filter(|operator| operator.component == "etcd")
    {
        operator.latest_available_revision = Some(4);
        for node in &mut operator.nodes {
            node.target_revision = 4;
        }
    }
    for (revision, contradicts) in [(3, false), (4, false), (5, true)] {
        let mut archive = kuberesources("prod", 2);
        archive.revisions.insert("etcd".to_owned(), revision);
        let found = super::contradictions(&rolling, &archive, None);
        assert_eq!(
            !found.is_empty(),
            contradicts,
            "revision {revision}: {found:?}"
        );
    }
}

#[test]
fn every_kind_of_contradiction_is_named_with_both_values() {
    let prod = snapshot("prod", 1);
    let mut found: Vec<String> = Vec::new();
    let mut other = kuberesources("dev", 2);
    other.openshift_version = Some("4.18.1".to_owned());
    other.revisions.insert("etcd".to_owned(), 9);
    found.extend(
        super::contradictions(&prod, &other, None)
            .into_iter()
            .map(|line| line.field),
    );
    other.node = Some("elsewhere".to_owned());
    found.extend(
        super::contradictions(&prod, &other, None)
            .into_iter()
            .map(|line| line.field),
    );
    let wrong = proven("7", KeyOutcome::KeyWrong);
    found.extend(
        super::contradictions(&prod, &kuberesources("prod", 2), Some(&wrong))
            .into_iter()
            .map(|line| line.field),
    );
    let expected = [
        "infrastructure name",
        "internal API URL",
        "etcd revision on master-0",
        "OpenShift version",
        "list of etcd member ids",
        "control-plane node",
        "key 7 of secrets",
    ];
    for field in expected {
        assert!(
            found.iter().any(|found| found == field),
            "{field}: {found:?}"
        );
    }
}

#[test]
fn candidates_are_what_keys_should_be_tried_on() {
    assert_eq!(
        candidates(&encrypted(KeyOutcome::Unproven)),
        [(SnapshotIndex(0), KuberesourcesIndex(0))]
    );
}

/// The shapes of a large fleet: many clusters at one second, one cluster over years, names without stamps.
#[test]
fn large_fleets_pair_without_comparing_all() {
    type Shape = (&'static str, fn() -> Inventory);
    let shapes: [Shape; 3] = [
        ("fleet", || fleet(2_000, 5)),
        ("series", || fleet(1, 10_000)),
        ("unstamped", || unstamped(5_000)),
    ];
    for (name, make) in shapes {
        let inventory = make();
        let begun = std::time::Instant::now();
        let (found, orphans) = partners(&inventory);
        let elapsed = begun.elapsed();
        let wrong = found
            .iter()
            .enumerate()
            .filter(|(index, partner)| **partner != Some(*index))
            .count();
        assert_eq!((wrong, orphans.len()), (0, 0), "{name}");
        // Generous for a debug build on a busy machine; all against all would take minutes.
        assert!(elapsed.as_secs() < 10, "{name} took {elapsed:?}");
    }
}

fn fleet(clusters: u64, days: u64) -> Inventory {
    let mut made = Inventory::default();
    for day in 0..days {
        let taken_at = at("2020-01-01T03:00:00Z")
            + chrono::TimeDelta::hours(i64::try_from(day).expect("small"));
        let stamp = taken_at.format("%Y-%m-%d_%H%M%S");
        for cluster in 0..clusters {
            let name = format!("c{cluster}");
            let seed = day * clusters + cluster;
            let mut facts = snapshot(&name, seed);
            facts.newest_lease_at = Some(taken_at);
            made.snapshots.push(located(
                facts,
                &format!("/b/{name}/{day}/snapshot_{stamp}.db"),
            ));
            let path = format!("/b/{name}/{day}/static_kuberesources_{stamp}.tar.gz");
            made.kuberesources
                .push(located(kuberesources(&name, seed), &path));
        }
    }
    made
}

fn unstamped(count: u64) -> Inventory {
    let mut made = Inventory::default();
    for run in 0..count {
        let mut facts = snapshot("prod", run);
        facts.status.revision = i64::try_from(run).ok();
        made.snapshots
            .push(located(facts, &format!("/b/{run}/snapshot.db")));
        made.kuberesources.push(located(
            kuberesources("prod", run),
            &format!("/b/{run}/kube.tar.gz"),
        ));
    }
    made
}

#[test]
fn names_that_differ_by_seconds_are_a_pair_by_content() {
    let late = |seconds: u32, cluster: &str| {
        let path = format!(
            "/b/static_kuberesources_2024-11-02_03{:02}{:02}.tar.gz",
            seconds / 60,
            seconds % 60
        );
        located(kuberesources(cluster, 2), &path)
    };
    let rows = [
        (1, "prod", Some(0)),
        (60, "prod", Some(0)),
        (61, "prod", None),
        // Stamps of another cluster's run mean nothing.
        (1, "dev", None),
    ];
    for (seconds, cluster, expected) in rows {
        let inventory = inventory(
            vec![db("/b", snapshot("prod", 1))],
            vec![late(seconds, cluster)],
        );
        assert_eq!(partners(&inventory).0, [expected], "{seconds} s, {cluster}");
    }
    let near = inventory(vec![db("/b", snapshot("prod", 1))], vec![late(2, "prod")]);
    let backup = only(near);
    assert_eq!(backup.pairing, PairingBasis::Content);
    let told = evidence(&backup);
    assert!(
        told.iter().any(|line| line.contains("2 s apart")),
        "{told:?}"
    );
}

#[test]
fn a_name_that_differs_by_seconds_takes_nothing_from_the_same_name() {
    let other = located(
        kuberesources("prod", 3),
        "/b/static_kuberesources_2024-11-02_030001.tar.gz",
    );
    let second = located(snapshot("prod", 4), "/c/snapshot_2024-11-02_030002.db");
    let inventory = inventory(
        vec![second, db("/b", snapshot("prod", 1))],
        vec![other, tar("/b", kuberesources("prod", 2))],
    );
    assert_eq!(partners(&inventory), (vec![Some(0), Some(1)], vec![]));
}
