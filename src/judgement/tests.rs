//! Each code provoked from hand-made facts, and the healthy backup that has none.

use super::{DirectoryPicks, Standpoint, Target, judge, nearest_misses, qualifies, verdict};
use crate::backup::{Backup, TakenAtSource, Verdict};
use crate::finding::{Code, Evidence, Finding, Severity};
use crate::fixture::{
    DB, TAR, at, certificate, codes, digest, encrypted, healthy, history, judged, judged_accepting,
    kuberesources, located, only, snapshot, usage,
};
use crate::inventory::{Inventory, Replaced, UnreadableFile};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::KeyOutcome;
use crate::openshift::Topology;
use crate::snapshot::{Flavour, Snapshot};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The healthy pair after something was done to its snapshot.
fn with_snapshot(spoil: impl Fn(&mut Snapshot)) -> Inventory {
    let mut inventory = healthy();
    inventory
        .snapshots
        .iter_mut()
        .for_each(|half| spoil(&mut half.facts));
    inventory
}

/// The healthy pair after something was done to its kuberesources.
fn with_archive(spoil: impl Fn(&mut Kuberesources)) -> Inventory {
    let mut inventory = healthy();
    inventory
        .kuberesources
        .iter_mut()
        .for_each(|half| spoil(&mut half.facts));
    inventory
}

fn alone(spoil: impl Fn(&mut Snapshot)) -> Inventory {
    let mut inventory = with_snapshot(spoil);
    inventory.kuberesources.clear();
    inventory
}

fn renamed(db: &str) -> Inventory {
    let mut inventory = healthy();
    inventory
        .snapshots
        .iter_mut()
        .for_each(|half| half.path = PathBuf::from(db));
    inventory
}

fn renamed_alone(db: &str) -> Inventory {
    let mut inventory = renamed(db);
    inventory.kuberesources.clear();
    inventory
}

fn message(backup: &Backup, code: Code) -> String {
    let mut found = backup
        .findings
        .iter()
        .filter(|finding| finding.code == code);
    found
        .next()
        .map(|finding| finding.message.clone())
        .unwrap_or_default()
}

#[test]
fn healthy_backup_has_no_finding() {
    let backup = only(healthy());
    assert_eq!(codes(&backup), [""; 0]);
    assert_eq!(backup.verdict, Verdict::Valid);
    assert_eq!(backup.version.openshift.as_deref(), Some("4.17.3"));
    assert_eq!(
        (backup.taken_at, backup.taken_at_source),
        (Some(at("2024-11-02T03:00:07Z")), Some(TakenAtSource::Lease))
    );
    assert_eq!(backup.named_at, Some(at("2024-11-02T03:00:00Z")));
}

#[test]
fn healthy_encrypted_backup_in_two_places_has_no_finding() {
    let backup = only(encrypted(KeyOutcome::Decrypted));
    assert_eq!(codes(&backup), [""; 0]);
    assert!(backup.key_proof.is_some());
}

type Case = (&'static str, Inventory, &'static [&'static str], Verdict);

fn check(cases: Vec<Case>) {
    for (name, inventory, expected, verdict) in cases {
        let backup = only(inventory);
        assert_eq!(codes(&backup), expected, "{name}: {:#?}", backup.findings);
        assert_eq!(backup.verdict, verdict, "{name}");
    }
}

#[test]
fn state_of_the_cluster_is_judged() {
    check(vec![
        (
            "no ClusterVersion",
            with_snapshot(|facts| {
                facts.cluster.history.clear();
                facts.cluster.desired_version = None;
            }),
            &["version-unknown"],
            Verdict::Warning,
        ),
        (
            "partial",
            with_snapshot(|facts| {
                facts
                    .cluster
                    .history
                    .insert(0, history("4.17.4", "Partial"));
                facts.cluster.desired_version = Some("4.17.4".to_owned());
            }),
            &["upgrade-in-progress"],
            Verdict::Invalid,
        ),
        (
            "wanted but not begun",
            with_snapshot(|facts| {
                facts.cluster.desired_version = Some("4.17.4".to_owned());
            }),
            &["upgrade-in-progress"],
            Verdict::Invalid,
        ),
        (
            "target revision",
            with_snapshot(|facts| {
                let nodes = facts
                    .cluster
                    .operators
                    .iter_mut()
                    .flat_map(|operator| &mut operator.nodes);
                nodes.take(1).for_each(|node| node.target_revision = 4);
            }),
            &["rollout-in-progress"],
            Verdict::Warning,
        ),
        (
            "progressing",
            with_snapshot(|facts| {
                facts
                    .cluster
                    .operators
                    .iter_mut()
                    .take(1)
                    .for_each(|operator| operator.progressing = Some(true));
            }),
            &["rollout-in-progress"],
            Verdict::Warning,
        ),
        (
            "operator of another version",
            with_snapshot(|facts| {
                facts
                    .cluster
                    .operators
                    .iter_mut()
                    .take(1)
                    .for_each(|operator| operator.operator_version = Some("4.17.2".to_owned()));
            }),
            &["rollout-in-progress"],
            Verdict::Warning,
        ),
        (
            "day one",
            with_snapshot(|facts| {
                facts.cluster.installed_at = Some(at("2024-11-01T03:00:08Z"));
            }),
            &["taken-before-rotation"],
            Verdict::Invalid,
        ),
        (
            "24 h to the second",
            with_snapshot(|facts| {
                facts.cluster.installed_at = Some(at("2024-11-01T03:00:07Z"));
            }),
            &[],
            Verdict::Valid,
        ),
        (
            "bootstrap",
            with_snapshot(|facts| {
                facts
                    .members
                    .iter_mut()
                    .take(1)
                    .for_each(|member| member.name = "etcd-bootstrap".to_owned());
            }),
            &["bootstrap-incomplete"],
            Verdict::Warning,
        ),
    ]);
}

#[test]
fn upgrade_names_both_versions() {
    let backup = only(with_snapshot(|facts| {
        facts
            .cluster
            .history
            .insert(0, history("4.18.1", "Partial"));
        facts.cluster.desired_version = Some("4.18.1".to_owned());
    }));
    let found = (
        backup.version.upgrading_from.as_deref(),
        backup.version.upgrading_to.as_deref(),
    );
    assert_eq!(
        (backup.version.openshift.as_deref(), found),
        (None, (Some("4.17.3"), Some("4.18.1")))
    );
}

#[test]
fn unrotated_signer_counts_after_a_day_too() {
    let place =
        "/kubernetes.io/secrets/openshift-kube-apiserver-operator/aggregator-client-signer tls.crt";
    let mut signer = certificate(place, "CN=aggregator-signer", true, "2024-11-03T05:00:00Z");
    signer.not_before = at("2024-11-02T05:00:00Z");
    let backup = only(with_snapshot(|facts| {
        facts.certificates = vec![signer.clone()].into();
    }));
    assert_eq!(
        codes(&backup),
        ["taken-before-rotation", "certificate-expiring"]
    );
}

#[test]
fn name_and_content_are_compared() {
    check(vec![
        (
            "ten minutes",
            renamed_alone("/b/snapshot_2024-11-02_025007.db"),
            &["kuberesources-missing"],
            Verdict::Invalid,
        ),
        (
            "an hour and a quarter",
            renamed_alone("/b/snapshot_2024-11-02_041507.db"),
            &["kuberesources-missing", "time-skew"],
            Verdict::Invalid,
        ),
    ]);
}

#[test]
fn whole_half_hours_are_told_as_a_time_zone() {
    let cases = [
        ("/b/snapshot_2024-11-02_083000.db", "UTC+05:30"),
        ("/b/snapshot_2024-11-01_220000.db", "UTC-05:00"),
        ("/b/snapshot_2024-11-02_041500.db", ""),
        ("/b/snapshot_2024-11-03_030000.db", ""),
    ];
    for (name, zone) in cases {
        let text = message(&only(renamed_alone(name)), Code::TimeSkew);
        assert!(!text.is_empty(), "{name}");
        assert_eq!(text.contains("UTC"), !zone.is_empty(), "{text}");
        assert!(text.contains(zone), "{text}");
    }
}

#[test]
fn names_are_judged() {
    let mut dirty = healthy();
    dirty.snapshots.iter_mut().for_each(|half| {
        half.path = PathBuf::from("/b/snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db");
    });
    dirty.kuberesources.iter_mut().for_each(|half| {
        half.path =
            PathBuf::from("/b/static_kuberesources_2024-11-02_030000__POSSIBLY_DIRTY__.tar.gz");
    });
    let mut completed = renamed("/b/snapshot_2024-11-02_030000.db.part");
    completed
        .snapshots
        .iter_mut()
        .for_each(|half| half.copies.push(PathBuf::from(DB)));
    check(vec![
        ("dirty", dirty, &["possibly-dirty"], Verdict::Warning),
        (
            "part",
            renamed("/b/snapshot_2024-11-02_030000.db.part"),
            &["incomplete-download"],
            Verdict::Invalid,
        ),
        ("part with a finished copy", completed, &[], Verdict::Valid),
    ]);
}

#[test]
fn half_alone_is_judged_by_the_kind_of_cluster() {
    let external = |facts: &mut Snapshot| facts.cluster.topology = Some(Topology::External);
    let plain = |facts: &mut Snapshot| {
        facts.flavour = Flavour::Kubernetes;
        facts.cluster = crate::openshift::Cluster::default();
    };
    let mut archive = healthy();
    archive.snapshots.clear();
    check(vec![
        (
            "OpenShift",
            alone(|_| ()),
            &["kuberesources-missing"],
            Verdict::Invalid,
        ),
        (
            "hosted",
            alone(external),
            &["kuberesources-not-used"],
            Verdict::Valid,
        ),
        (
            "hosted and encrypted",
            alone(|facts| {
                external(facts);
                facts.encryption = vec![usage("secrets", "aescbc", "1", 3)];
            }),
            &["encryption-external", "kuberesources-not-used"],
            Verdict::Warning,
        ),
        (
            "raw copy of two nodes",
            alone(|facts| {
                facts.cluster.topology = Some(Topology::DualReplica);
                facts.trailer = None;
            }),
            &["kuberesources-not-used"],
            Verdict::Valid,
        ),
        (
            "plain Kubernetes",
            alone(plain),
            &["version-unknown"],
            Verdict::Warning,
        ),
        ("archive", archive, &["snapshot-missing"], Verdict::Invalid),
    ]);
}

#[test]
fn lost_archive_of_an_encrypted_snapshot_says_what_is_lost() {
    let backup = only(alone(|facts| {
        facts.encryption = vec![usage("secrets", "aescbc", "7", 12)];
    }));
    let text = message(&backup, Code::KuberesourcesMissing);
    assert!(
        text.contains(
            "12 values of secrets are encrypted with aescbc key 7, which are lost without it"
        ),
        "{text}"
    );
}

#[test]
fn lost_archive_names_the_nearest_of_the_same_cluster() {
    let mut inventory = alone(|_| ());
    let path = |day: &str| format!("/b/static_kuberesources_2024-{day}_030000.tar.gz");
    for (seed, day) in [(5, "10-20"), (6, "11-01"), (7, "11-09")] {
        inventory
            .kuberesources
            .push(located(kuberesources("prod", seed), &path(day)));
    }
    let mut newer = kuberesources("prod", 8);
    newer.revisions.insert("etcd".to_owned(), 4);
    inventory.kuberesources.push(located(
        newer,
        "/b/static_kuberesources_2024-11-02_040000.tar.gz",
    ));
    let backups = judged(inventory);
    let text = message(
        backups.first().expect("the snapshot comes first"),
        Code::KuberesourcesMissing,
    );
    assert!(text.contains(&path("11-01")), "{text}");
}

#[test]
fn pair_is_judged() {
    let mut ambiguous = healthy();
    ambiguous.kuberesources.push(located(
        kuberesources("prod", 9),
        &TAR.replace("/b/", "/c/"),
    ));
    let backups = judged(ambiguous);
    let backup = backups.first().expect("the snapshot comes first");
    assert_eq!(
        (codes(backup), backup.verdict),
        (vec!["pair-ambiguous"], Verdict::Warning)
    );
    check(vec![(
        "other revision",
        with_archive(|facts| {
            facts.revisions.insert("kube-apiserver".to_owned(), 6);
        }),
        &["pair-mismatch"],
        Verdict::Invalid,
    )]);
    let mut other_cluster = healthy();
    other_cluster.kuberesources = vec![located(kuberesources("dev", 2), TAR)];
    let text = message(&only(other_cluster), Code::PairMismatch);
    assert!(
        text.contains("infrastructure name: snapshot prod-7xk2p, kuberesources dev-7xk2p"),
        "{text}"
    );
}

#[test]
fn keys_are_judged() {
    let mut unconfigured = encrypted(KeyOutcome::ConfigMissing);
    unconfigured
        .kuberesources
        .iter_mut()
        .for_each(|half| half.facts.encryption = None);
    let mut untried = encrypted(KeyOutcome::Decrypted);
    untried.proofs = crate::inventory::Proofs::default();
    let mut untried_without_key = encrypted(KeyOutcome::Decrypted);
    untried_without_key.proofs = crate::inventory::Proofs::default();
    untried_without_key
        .snapshots
        .iter_mut()
        .for_each(|half| half.facts.encryption = vec![usage("secrets", "aescbc", "8", 1)]);
    let mut partial = encrypted(KeyOutcome::Decrypted);
    partial.snapshots.iter_mut().for_each(|half| {
        half.facts
            .encryption
            .push(usage("secrets", "identity", "", 3));
    });
    let mut beside = encrypted(KeyOutcome::Decrypted);
    beside
        .kuberesources
        .iter_mut()
        .for_each(|half| half.copies.push(PathBuf::from(TAR)));
    check(vec![
        (
            "no configuration",
            unconfigured,
            &["encryption-config-missing"],
            Verdict::Invalid,
        ),
        (
            "no key",
            encrypted(KeyOutcome::KeyMissing),
            &["encryption-key-missing"],
            Verdict::Invalid,
        ),
        (
            "wrong key",
            encrypted(KeyOutcome::KeyWrong),
            &["encryption-key-wrong"],
            Verdict::Invalid,
        ),
        (
            "key service",
            encrypted(KeyOutcome::External),
            &["encryption-external"],
            Verdict::Warning,
        ),
        (
            "no sample",
            encrypted(KeyOutcome::Unproven),
            &["encryption-external"],
            Verdict::Warning,
        ),
        (
            "never tried",
            untried,
            &["encryption-external"],
            Verdict::Warning,
        ),
        (
            "never tried, no such key",
            untried_without_key,
            &["encryption-key-missing"],
            Verdict::Invalid,
        ),
        (
            "migration",
            partial,
            &["encryption-partial"],
            Verdict::Warning,
        ),
        (
            "beside",
            beside,
            &["keys-beside-snapshot"],
            Verdict::Warning,
        ),
    ]);
}

const CA: &str = "static-pod-resources/etcd-pod-3/configmaps/etcd-all-bundles/server-ca-bundle.crt";
const LEAF: &str = "/kubernetes.io/secrets/openshift-kube-apiserver/aggregator-client tls.crt";

#[test]
fn certificates_are_judged_as_of_now() {
    // Now is 2024-11-03T03:00:00Z.
    let past = "2024-11-01T00:00:00Z";
    let soon = "2024-11-09T00:00:00Z";
    let far = "2029-01-01T00:00:00Z";
    let kubelet =
        "CN=openshift-kube-apiserver-operator_kube-apiserver-to-kubelet-signer@1700000000";
    let cases: Vec<(&str, Vec<_>, &[&str], Verdict)> = vec![
        (
            "far",
            vec![certificate(LEAF, "CN=a", false, far)],
            &[],
            Verdict::Valid,
        ),
        (
            "leaf expired",
            vec![certificate(LEAF, "CN=a", false, past)],
            &["certificate-expired"],
            Verdict::Warning,
        ),
        (
            "leaf ends soon",
            vec![certificate(LEAF, "CN=a", false, soon)],
            &["certificate-expiring"],
            Verdict::Valid,
        ),
        (
            "etcd CA expired",
            vec![certificate(
                CA,
                "CN=openshift-etcd_etcd-signer@1600000000",
                true,
                past,
            )],
            &["certificate-expired"],
            Verdict::Invalid,
        ),
        (
            "etcd CA expired beside its successor",
            vec![
                certificate(CA, "CN=etcd-signer, OU=openshift", true, past),
                certificate(CA, "CN=openshift-etcd_etcd-signer@1700000000", true, far),
            ],
            &[],
            Verdict::Valid,
        ),
        (
            "etcd metrics CA expired",
            vec![certificate(
                "x",
                "CN=openshift-etcd_etcd-metric-signer@1600000000",
                true,
                past,
            )],
            &["certificate-expired"],
            Verdict::Warning,
        ),
        (
            "kubelet signer expired",
            vec![certificate("x", kubelet, true, past)],
            &["certificate-expired"],
            Verdict::Invalid,
        ),
        (
            "other signer expired beside its successor",
            vec![
                certificate("x", "CN=kube-csr-signer_@1600000000", true, past),
                certificate("y", "CN=kube-csr-signer_@1700000000", true, far),
            ],
            &[],
            Verdict::Valid,
        ),
        (
            "old revision of a leaf",
            vec![
                certificate(
                    "/kubernetes.io/secrets/openshift-etcd/etcd-client-4 tls.crt",
                    "CN=etcd-client",
                    false,
                    past,
                ),
                certificate(
                    "/kubernetes.io/secrets/openshift-etcd/etcd-client-5 tls.crt",
                    "CN=etcd-client",
                    false,
                    far,
                ),
            ],
            &[],
            Verdict::Valid,
        ),
        (
            "same leaf elsewhere",
            vec![
                certificate("/kubernetes.io/secrets/a/x tls.crt", "CN=a", false, past),
                certificate("/kubernetes.io/secrets/b/x tls.crt", "CN=a", false, far),
            ],
            &["certificate-expired"],
            Verdict::Warning,
        ),
    ];
    let inventories = cases
        .into_iter()
        .map(|(name, certificates, codes, verdict)| {
            (
                name,
                with_archive(|facts| facts.certificates = certificates.clone().into()),
                codes,
                verdict,
            )
        });
    check(inventories.collect());
}

#[test]
fn many_expired_certificates_are_one_finding_with_the_first_few() {
    let name = |number: usize| format!("CN=leaf-{number:02}");
    let leaves: Vec<_> = (0..40)
        .map(|number| {
            certificate(
                &format!("/kubernetes.io/secrets/ns/leaf-{number}x tls.crt"),
                &name(number),
                false,
                "2024-11-01T00:00:00Z",
            )
        })
        .collect();
    let backup = only(with_snapshot(|facts| {
        facts.certificates = leaves.clone().into();
    }));
    let text = message(&backup, Code::CertificateExpired);
    assert_eq!(codes(&backup), ["certificate-expired"]);
    for part in [
        "40 certificates expired: CN=leaf-00 at /kubernetes.io/secrets/ns/leaf-0x tls.crt on 2024-11-01T00:00:00Z",
        "and 37 more",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn vital_and_other_expired_certificates_are_two_findings() {
    let certificates = [
        certificate(LEAF, "CN=a", false, "2024-11-01T00:00:00Z"),
        certificate(CA, "CN=etcd-signer", true, "2024-11-01T00:00:00Z"),
    ];
    let backup = only(with_archive(|facts| {
        facts.certificates = certificates.to_vec().into();
    }));
    let severities: Vec<Severity> = backup
        .findings
        .iter()
        .map(|finding| finding.severity)
        .collect();
    assert_eq!(
        (codes(&backup), severities),
        (
            vec!["certificate-expired"; 2],
            vec![Severity::Error, Severity::Warning]
        )
    );
}

#[test]
fn files_gone_changed_or_unread_are_told() {
    let mut gone = healthy();
    gone.kuberesources
        .iter_mut()
        .for_each(|half| half.is_present = false);
    let mut gone_and_bad = with_snapshot(|facts| {
        facts
            .findings
            .push(Finding::new(Code::DigestMismatch, "flipped"));
    });
    gone_and_bad
        .snapshots
        .iter_mut()
        .for_each(|half| half.is_present = false);
    let mut changed = healthy();
    changed.replaced.insert(
        PathBuf::from(DB),
        Replaced {
            digest: digest(77),
            verified_at: None,
        },
    );
    let unreadable = Inventory {
        unreadable: vec![UnreadableFile {
            path: PathBuf::from(DB),
            reason: "Permission denied (os error 13)".to_owned(),
            offset: None,
        }],
        ..Inventory::default()
    };
    check(vec![
        ("gone", gone, &["file-missing"], Verdict::Unknown),
        (
            "gone and bad",
            gone_and_bad,
            &["digest-mismatch", "file-missing"],
            Verdict::Invalid,
        ),
        ("changed", changed, &["file-changed"], Verdict::Invalid),
        ("unreadable", unreadable, &["unreadable"], Verdict::Unknown),
    ]);
}

#[test]
fn script_that_would_pick_another_file_is_told() {
    let picks = |snapshot: &str, kuberesources: &str| DirectoryPicks {
        snapshot: Some(PathBuf::from(snapshot)),
        kuberesources: Some(PathBuf::from(kuberesources)),
    };
    let copy = "/b/snapshot_2024-11-09_030000.db";
    let cases = [
        ("own pair", picks(DB, TAR), false),
        ("own bytes under another name", picks(copy, TAR), false),
        (
            "other snapshot",
            picks("/b/snapshot_2025-01-01_030000.db", TAR),
            true,
        ),
        (
            "other archive",
            picks(DB, "/b/static_kuberesources_2025-01-01_030000.tar.gz"),
            true,
        ),
        (
            "no archive there",
            DirectoryPicks {
                snapshot: Some(PathBuf::from(DB)),
                kuberesources: None,
            },
            false,
        ),
    ];
    for (name, picks, expected) in cases {
        let mut inventory = healthy();
        inventory
            .snapshots
            .iter_mut()
            .for_each(|half| half.copies.push(PathBuf::from(copy)));
        let picks = HashMap::from([(Path::new("/b").to_path_buf(), picks)]);
        let standpoint = Standpoint {
            as_of: at("2024-11-03T03:00:00Z"),
            accept: &[],
            picks: &picks,
        };
        let backups = judge(inventory, &standpoint);
        let found = backups.first().map(codes).unwrap_or_default();
        assert_eq!(
            found.contains(&"restore-picks-other"),
            expected,
            "{name}: {found:?}"
        );
    }
}

/// The healthy pair and a second one of the same cluster, taken at another time.
fn with_second(taken_at: &str, spoil: impl Fn(&mut Snapshot, &mut Kuberesources)) -> Inventory {
    let mut inventory = healthy();
    let taken_at = at(taken_at);
    let (mut facts, mut archive) = (snapshot("prod", 11), kuberesources("prod", 12));
    facts.newest_lease_at = Some(taken_at);
    facts.status.revision = Some(32_000);
    spoil(&mut facts, &mut archive);
    let stamp = taken_at.format("%Y-%m-%d_%H%M%S");
    inventory
        .snapshots
        .push(located(facts, &format!("/c/snapshot_{stamp}.db")));
    inventory.kuberesources.push(located(
        archive,
        &format!("/c/static_kuberesources_{stamp}.tar.gz"),
    ));
    inventory
}

#[test]
fn neighbours_of_one_cluster_are_compared() {
    let next_day = "2024-11-03T02:00:00Z";
    let cases: Vec<(&str, Inventory, [&[&str]; 2])> = vec![
        (
            "healthy series",
            with_second(next_day, |_, _| ()),
            [&[], &[]],
        ),
        (
            "two hosts",
            with_second("2024-11-02T03:05:00Z", |_, archive| {
                archive.node = Some("master-1".to_owned());
            }),
            [&["duplicate-host"], &["duplicate-host"]],
        ),
        (
            "one host twice",
            with_second("2024-11-02T03:05:00Z", |_, _| ()),
            [&[], &[]],
        ),
        (
            "two hosts, an hour apart",
            with_second("2024-11-02T04:05:00Z", |_, archive| {
                archive.node = Some("master-1".to_owned());
            }),
            [&[], &[]],
        ),
        (
            "restored",
            with_second(next_day, |facts, _| facts.status.revision = Some(20_000)),
            [&[], &["revision-went-back"]],
        ),
        (
            "keys gone",
            with_second(next_day, |facts, _| facts.live_keys = Some(5_000)),
            [&[], &["size-fell"]],
        ),
        (
            "smaller, keys unknown",
            with_second(next_day, |facts, _| {
                facts.size_bytes = 50_000_000;
                facts.live_keys = None;
            }),
            [&[], &["size-fell"]],
        ),
        (
            "defragmented",
            with_second(next_day, |facts, _| facts.size_bytes = 50_000_000),
            [&[], &[]],
        ),
        (
            "new member",
            with_second(next_day, |facts, _| {
                facts
                    .members
                    .iter_mut()
                    .take(1)
                    .for_each(|member| member.id = 5);
            }),
            [&[], &["members-changed"]],
        ),
    ];
    for (name, inventory, expected) in cases {
        let found: Vec<Vec<&str>> = judged(inventory).iter().map(codes).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn accepted_code_does_not_count_but_stays_listed() {
    let backup = |accept: &[Code]| {
        let inventory = with_snapshot(|facts| {
            facts
                .findings
                .push(Finding::new(Code::DigestMissing, "raw"));
        });
        judged_accepting(inventory, accept)
            .pop()
            .expect("one backup")
    };
    assert_eq!(backup(&[]).verdict, Verdict::Invalid);
    let accepted = backup(&[Code::DigestMissing, Code::AlarmRaised]);
    assert_eq!(
        (
            codes(&accepted),
            accepted.accepted.clone(),
            accepted.verdict
        ),
        (
            vec!["digest-missing"],
            vec![Code::DigestMissing],
            Verdict::Valid
        )
    );
    let missing = [Finding::new(Code::FileMissing, "gone")];
    assert_eq!(verdict(&missing, &[Code::FileMissing]), Verdict::Unknown);
}

#[test]
fn findings_are_sorted_most_severe_first_then_by_code() {
    let backup = only(with_snapshot(|facts| {
        facts.findings.push(Finding::new(Code::MetaInvalid, "b"));
        facts.findings.push(Finding::new(Code::RecordMissing, "a"));
        facts.findings.push(Finding::new(Code::Truncated, "a"));
        facts
            .cluster
            .operators
            .iter_mut()
            .for_each(|operator| operator.progressing = Some(true));
    }));
    assert_eq!(
        codes(&backup),
        [
            "truncated",
            "record-missing",
            "meta-invalid",
            "rollout-in-progress"
        ]
    );
}

#[test]
fn moment_is_known_by_the_best_evidence() {
    let without_lease = only(with_snapshot(|facts| facts.newest_lease_at = None));
    let by_name = only(with_snapshot(|facts| {
        (facts.newest_lease_at, facts.newest_content_at) = (None, None);
    }));
    let mut by_mtime =
        alone(|facts| (facts.newest_lease_at, facts.newest_content_at) = (None, None));
    by_mtime
        .snapshots
        .iter_mut()
        .for_each(|half| half.path = PathBuf::from("/b/snapshot.db"));
    let sources = [without_lease, by_name, only(by_mtime)].map(|backup| backup.taken_at_source);
    assert_eq!(
        sources,
        [
            Some(TakenAtSource::Content),
            Some(TakenAtSource::Name),
            Some(TakenAtSource::Mtime)
        ]
    );
}

#[test]
fn every_finding_has_evidence_or_names_its_file() {
    let mut inventory = encrypted(KeyOutcome::KeyMissing);
    inventory.snapshots.iter_mut().for_each(|half| {
        half.facts
            .members
            .iter_mut()
            .take(1)
            .for_each(|member| member.name = "etcd-bootstrap".to_owned());
    });
    for finding in only(inventory).findings {
        assert!(!finding.evidence.is_empty(), "{finding:?}");
    }
    let mismatch = only(with_archive(|facts| {
        facts.revisions.insert("etcd".to_owned(), 1);
    }));
    let evidence = mismatch
        .findings
        .first()
        .and_then(|finding| finding.evidence.get("contradictions"))
        .cloned();
    assert_eq!(
        evidence,
        Some(Evidence::List(vec![
            "etcd revision on master-0: snapshot 3, kuberesources 1".to_owned()
        ]))
    );
}

fn at_version(version: &str, seed: u64) -> Inventory {
    let path = |name: &str| format!("/{version}-{seed}/{name}");
    let mut facts = snapshot("prod", seed);
    facts
        .cluster
        .history
        .insert(0, history(version, "Completed"));
    facts.cluster.desired_version = Some(version.to_owned());
    facts
        .cluster
        .operators
        .iter_mut()
        .for_each(|operator| operator.operator_version = Some(version.to_owned()));
    Inventory {
        snapshots: vec![located(facts, &path("snapshot_2024-11-02_030000.db"))],
        kuberesources: vec![located(
            kuberesources("prod", seed + 1),
            &path("static_kuberesources_2024-11-02_030000.tar.gz"),
        )],
        ..Inventory::default()
    }
}

#[test]
fn only_the_exact_version_and_cluster_qualify() {
    let cases = [
        ("4.17.3", None, "4.17.3", Ok(())),
        ("4.17.3", Some("id-of-prod"), "4.17.3", Ok(())),
        ("4.17.3", Some("prod-7xk2p"), "4.17.3", Ok(())),
        (
            "4.17.3",
            Some("dev-7xk2p"),
            "4.17.3",
            Err("other-cluster: of another cluster: prod-7xk2p"),
        ),
        (
            "4.17.30",
            None,
            "4.17.3",
            Err("other-version: other z-stream"),
        ),
        (
            "4.17.3-rc.1",
            None,
            "4.17.3",
            Err("other-version: other build of the same z-stream"),
        ),
        (
            "4.18.3",
            None,
            "4.17.3",
            Err("other-version: other minor version"),
        ),
    ];
    for (found, cluster, wanted, expected) in cases {
        let backup = only(at_version(found, 100));
        assert_eq!(backup.verdict, Verdict::Valid, "{found}");
        let answer = qualifies(
            &backup,
            &Target {
                version: wanted,
                cluster,
            },
        );
        let answer = answer.map_err(|reasons| {
            reasons
                .first()
                .map(|reason| format!("{}: {reason}", reason.code()))
        });
        assert_eq!(
            answer,
            expected.map_err(|text| Some(text.to_owned())),
            "{found} for {wanted}"
        );
    }
}

#[test]
fn unusable_backup_never_qualifies() {
    let target = Target {
        version: "4.17.3",
        cluster: None,
    };
    let mut gone = healthy();
    gone.snapshots
        .iter_mut()
        .for_each(|half| half.is_present = false);
    let invalid = with_snapshot(|facts| facts.findings.push(Finding::new(Code::Truncated, "cut")));
    let unknown = with_snapshot(|facts| facts.cluster = crate::openshift::Cluster::default());
    let upgrading = with_snapshot(|facts| {
        facts
            .cluster
            .history
            .insert(0, history("4.17.4", "Partial"));
    });
    for (name, inventory) in [
        ("gone", gone),
        ("invalid", invalid),
        ("unknown", unknown),
        ("upgrading", upgrading),
    ] {
        assert!(qualifies(&only(inventory), &target).is_err(), "{name}");
    }
}

#[test]
fn near_misses_come_nearest_first_and_say_why() {
    let mut backups = Vec::new();
    for (version, seed) in [("4.16.9", 20), ("4.17.9", 30), ("4.17.2", 40)] {
        backups.extend(judged(at_version(version, seed)));
    }
    backups.extend(judged(encrypted(KeyOutcome::KeyMissing)));
    let mut older = at_version("4.17.3", 50);
    older.snapshots.iter_mut().for_each(|half| {
        half.facts.newest_lease_at = Some(at("2024-11-02T02:59:00Z"));
        half.facts
            .findings
            .push(Finding::new(Code::Truncated, "cut"));
    });
    backups.extend(judged(older));
    let found = nearest_misses(
        &backups,
        &Target {
            version: "4.17.3",
            cluster: None,
        },
    );
    let texts: Vec<&str> = found.iter().map(|miss| miss.text.as_str()).collect();
    let starts = [
        "newest 4.17.3: key 7 not in the kuberesources",
        "4.17.3: cut",
        "4.17.2: other z-stream",
        "4.17.9: other z-stream",
        "4.16.9: other minor version",
    ];
    assert_eq!(texts.len(), starts.len());
    for (text, start) in texts.iter().zip(starts) {
        assert!(
            text.starts_with(start),
            "{text:?} should start with {start:?}"
        );
    }
}
