//! Findings on the calendar of certificates.

use super::*;

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
                &format!("/kubernetes.io/secrets/ns/leaf-{number:02}x tls.crt"),
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
        "40 certificates expired: leaf-00 on 2024-11-01; leaf-01 on 2024-11-01",
        "and 37 more",
        "; 40 already when the backup was taken",
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
