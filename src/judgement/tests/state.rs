//! Findings on the state of the cluster, and on findings themselves.

use super::*;

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
            &["taken-before-rotation"],
            Verdict::Warning,
        ),
        (
            "24 h to the second, and a rotated signer",
            with_snapshot(|facts| {
                facts.cluster.installed_at = Some(at("2024-11-01T03:00:07Z"));
                facts.certificates = vec![certificate(
                    "/kubernetes.io/secrets/openshift-kube-apiserver-operator/aggregator-client-signer tls.crt",
                    "CN=openshift-kube-apiserver-operator_aggregator-client-signer@1730430000",
                    true,
                    "2024-12-01T03:00:07Z",
                )].into();
            }),
            &[],
            Verdict::Valid,
        ),
        (
            "26 h",
            with_snapshot(|facts| {
                facts.cluster.installed_at = Some(at("2024-11-01T01:00:07Z"));
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
fn a_cluster_that_wants_no_other_version_is_settled() {
    for desired in [None, Some(String::new()), Some("4.17.3".to_owned())] {
        let backup = only(with_snapshot(|facts| {
            facts.cluster.desired_version.clone_from(&desired);
        }));
        assert_eq!(codes(&backup), [""; 0], "{desired:?}");
        assert_eq!(backup.version.openshift.as_deref(), Some("4.17.3"));
    }
}

#[test]
fn an_update_is_dated_once_it_has_begun() {
    let upgrading = |is_begun: bool| {
        only(with_snapshot(|facts| {
            for entry in &mut facts.cluster.history {
                entry.started_at = Some(at("2024-01-01T00:00:00Z"));
            }
            facts.cluster.desired_version = Some("4.18.1".to_owned());
            if is_begun {
                let mut entry = history("4.18.1", "Partial");
                entry.started_at = Some(at("2024-11-02T02:00:00Z"));
                facts.cluster.history.insert(0, entry);
            }
        }))
    };
    let text = message(&upgrading(false), Code::UpgradeInProgress);
    assert!(
        text.contains("from 4.17.3 to 4.18.1") && !text.contains("since"),
        "{text}"
    );
    let text = message(&upgrading(true), Code::UpgradeInProgress);
    assert!(text.contains("since 2024-11-02T02:00:00Z"), "{text}");
}

#[test]
fn a_hosted_control_plane_has_no_signer_of_one_day() {
    let backup = only(alone(|facts| {
        facts.cluster.topology = Some(Topology::External);
        facts.cluster.installed_at = Some(at("2024-11-02T00:00:00Z"));
    }));
    assert_eq!(codes(&backup), ["kuberesources-not-used"]);
    assert_eq!(backup.verdict, Verdict::Valid);
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
            "etcd revision on master-0 is 3 in the snapshot, 1 in the kuberesources".to_owned()
        ]))
    );
}

#[test]
fn members_that_hold_something_else_at_one_revision_are_told() {
    use crate::snapshot::LiveDigest;
    let told = |other: &dyn Fn(&mut Snapshot)| {
        let mut inventory = with_second("2024-11-02T03:02:00Z", |facts, _| {
            facts.status.revision = Some(31_407);
            facts.live_digest = Some(LiveDigest(1));
            other(facts);
        });
        if let Some(first) = inventory.snapshots.first_mut() {
            first.facts.live_digest = Some(LiveDigest(1));
        }
        let backups = judged(inventory);
        let is_told = |backup: &Backup| codes(backup).contains(&"members-diverge");
        backups.iter().map(is_told).collect::<Vec<_>>()
    };
    let differ = |facts: &mut Snapshot| facts.live_digest = Some(LiveDigest(2));
    assert_eq!(told(&differ), [true, true]);
    // Sound members differ in their bytes, indexes and compactions.
    assert_eq!(
        told(&|facts| facts.compact_revision = Some(5)),
        [false, false]
    );
    let rows: [&dyn Fn(&mut Snapshot); 5] = [
        &|facts| facts.status.revision = Some(31_408),
        &|facts| facts.cluster.id = Some("another".to_owned()),
        &|facts| facts.newest_lease_at = Some(at("2024-11-03T03:00:00Z")),
        &|facts| {
            facts
                .findings
                .push(Finding::new(Code::RecordMissing, "gone"));
        },
        &|facts| facts.live_digest = None,
    ];
    for (number, spoil) in rows.into_iter().enumerate() {
        let found = told(&|facts| {
            differ(facts);
            spoil(facts);
        });
        assert_eq!(found, [false, false], "{number}");
    }
}
