//! Findings on halves, pairs and keys.

use super::*;

#[test]
fn half_alone_is_judged_by_the_kind_of_cluster() {
    let external = |facts: &mut Snapshot| facts.cluster.topology = Some(Topology::External);
    let plain = |facts: &mut Snapshot| {
        facts.flavour = Flavour::Kubernetes;
        facts.cluster = crate::openshift::Cluster::default();
    };
    let of_flavour = |flavour| {
        move |facts: &mut Snapshot| {
            facts.flavour = flavour;
            facts.cluster = crate::openshift::Cluster::default();
        }
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
            &["version-unknown", "kuberesources-not-used"],
            Verdict::Warning,
        ),
        (
            "MicroShift",
            alone(of_flavour(Flavour::MicroShift)),
            &["version-unknown", "kuberesources-not-used"],
            Verdict::Warning,
        ),
        (
            "OpenShift 3",
            alone(of_flavour(Flavour::OpenShift3)),
            &["version-unknown", "kuberesources-not-used"],
            Verdict::Warning,
        ),
        (
            "another store under /kubernetes.io/",
            alone(of_flavour(Flavour::KubernetesIo)),
            &["version-unknown", "kuberesources-not-used"],
            Verdict::Warning,
        ),
        (
            "empty",
            alone(|facts| {
                of_flavour(Flavour::Other)(facts);
                facts.live_keys = Some(0);
            }),
            &["snapshot-empty"],
            Verdict::Invalid,
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
        text.contains(
            "infrastructure name is prod-7xk2p in the snapshot, dev-7xk2p in the kuberesources"
        ),
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
        .for_each(|half| half.copies.push(ObjectId::from(TAR)));
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
        ("beside", beside, &["keys-beside-snapshot"], Verdict::Valid),
    ]);
}

#[test]
fn what_is_no_openshift_is_named_as_what_it_is() {
    let of = |flavour| {
        only(alone(|facts| {
            facts.flavour = flavour;
            facts.cluster = crate::openshift::Cluster::default();
        }))
    };
    let cases = [
        (Flavour::MicroShift, "MicroShift", "microshift restore"),
        (
            Flavour::OpenShift3,
            "OpenShift 3",
            "etcdctl snapshot restore",
        ),
        (
            Flavour::KubernetesIo,
            "/kubernetes.io/",
            "etcdutl snapshot restore",
        ),
        (
            Flavour::Kubernetes,
            "plain Kubernetes",
            "etcdutl snapshot restore",
        ),
    ];
    for (flavour, name, how) in cases {
        let backup = of(flavour);
        let text = message(&backup, Code::KuberesourcesNotUsed);
        assert!(text.contains(name), "{text}");
        let text = message(&backup, Code::VersionUnknown);
        assert!(text.contains(name), "{text}");
        let mut findings = backup.findings.iter();
        assert!(
            findings.any(|finding| finding.remedy.contains(how)),
            "{backup:#?}"
        );
    }
}

/// The raw copy of a two-node cluster with fencing at this version, with what else its bytes have proven.
fn fenced_copy(version: &str, topology: &Topology, defect: Option<Code>) -> Backup {
    only(alone(|facts| {
        facts.cluster.topology = Some(topology.clone());
        facts.cluster.history = vec![history(version, "Completed")];
        facts.cluster.desired_version = Some(version.to_owned());
        for operator in &mut facts.cluster.operators {
            operator.operator_version = Some(version.to_owned());
        }
        facts.trailer = None;
        let codes = defect.into_iter().chain([Code::DigestMissing]);
        let findings = codes.map(|code| Finding::new(code, "found in the bytes"));
        facts.findings = findings.collect();
    }))
}

#[test]
fn a_raw_copy_is_a_warning_where_its_release_restores_it_without_a_hash() {
    let fenced = || Topology::DualReplica;
    let rows = [
        (fenced_copy("4.22.0", &fenced(), None), Verdict::Warning),
        (fenced_copy("5.0.1", &fenced(), None), Verdict::Warning),
        (fenced_copy("4.21.9", &fenced(), None), Verdict::Invalid),
        (
            fenced_copy("4.22.0", &fenced(), Some(Code::StructureOrder)),
            Verdict::Invalid,
        ),
        (
            fenced_copy("4.22.0", &Topology::SingleReplica, None),
            Verdict::Invalid,
        ),
    ];
    for (number, (backup, verdict)) in rows.into_iter().enumerate() {
        assert_eq!(backup.verdict, verdict, "{number}: {:#?}", backup.findings);
    }
}
