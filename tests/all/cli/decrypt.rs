//! How many of the encrypted values keys are tried on, and what of them is not what it should be.

use super::bundles::tar;
use super::contract::Backup;
use super::edit::{rewritten, values};
use super::environment::TestEnv;
use crate::support::samples;
use std::cell::RefCell;

const SECRETS: &str = "backups/secretbox/snapshot_2024-11-07_030000.db";
const KEYS: &str = "backups/keys/secretbox/static_kuberesources_2024-11-07_030000.tar.gz";
const SOON: &str = "2024-11-07T06:00:00Z";

const DAMAGED: &str = "/kubernetes.io/secrets/openshift-monitoring/worker-monitoring-dockercfg";
const ONE: &str = "/kubernetes.io/secrets/openshift/worker-openshift-dockercfg";
const OTHER: &str = "/kubernetes.io/secrets/payments/worker-payments-dockercfg";

/// One Secret with a bit flipped, and one that lies in the place of another, which secretbox does not notice.
fn spoilt() -> Vec<u8> {
    rewritten(SECRETS, |content| {
        values(content, DAMAGED, |value| {
            let mut value = value.to_vec();
            *value.last_mut()? ^= 1;
            Some(value)
        });
        let moved = RefCell::new(None);
        values(content, OTHER, |value| {
            *moved.borrow_mut() = Some(value.to_vec());
            None
        });
        let moved = moved.into_inner();
        values(content, ONE, |_| moved.clone());
    })
}

fn codes(backup: &Backup) -> Vec<&str> {
    let findings = backup.findings.iter().map(|one| one.code.as_str());
    findings
        .filter(|code| ["value-damaged", "object-mismatch", "encryption-key-wrong"].contains(code))
        .collect()
}

#[test]
fn a_sample_is_tried_by_default_and_every_value_when_asked() {
    let env = TestEnv::new();
    env.copy(SECRETS, "data");
    env.copy(KEYS, "keys");
    let few = env.verify_as_of(SOON, &[]).only().encryption.clone();
    assert!(
        0 < few.values_tried && few.values_tried < few.values,
        "{few:?}"
    );
    for deep in [["--decrypt", "all"].as_slice(), &["--deep"]] {
        let report = env.verify_as_of(SOON, deep);
        let all = &report.only().encryption;
        assert_eq!(all.values_tried, all.values);
        assert_eq!(all.proof, "decrypted");
        assert_eq!(codes(report.only()), [""; 0]);
    }
}

/// In a bundle, and where what was saved has to be had back first.
#[test]
fn every_value_is_tried_wherever_the_snapshot_lies() {
    let (snapshot, name) = (samples::bytes(SECRETS), "snapshot_2024-11-07_030000.db");
    let spoilt_lines = snapshot.iter().flat_map(|byte| {
        let before = (*byte == b'\n').then_some(b'\r');
        before.into_iter().chain([*byte])
    });
    let spoilt_lines: Vec<u8> = spoilt_lines.collect();
    let packed = tar(&vec![(name.to_owned(), spoilt_lines.clone())]);
    for (path, bytes) in [
        (name, spoilt_lines),
        ("b.tar", tar(&vec![(name.to_owned(), snapshot)])),
        ("b.tar", packed),
    ] {
        let env = TestEnv::new();
        env.copy(KEYS, "keys");
        env.put(&format!("data/{path}"), bytes);
        let report = env.verify_as_of(SOON, &["--deep"]);
        let all = &report.only().encryption;
        assert_eq!(
            (all.values_tried, all.proof.as_str()),
            (all.values, "decrypted")
        );
    }
}

#[test]
fn every_odd_value_is_named_and_stays_known() {
    let env = TestEnv::new();
    env.put("data/snapshot_2024-11-07_030000.db", spoilt());
    env.copy(KEYS, "keys");
    // The second run tries a sample alone, and still knows.
    for deep in [["--deep"].as_slice(), &[]] {
        let report = env.verify_as_of(SOON, deep);
        let backup = report.only();
        assert_eq!(codes(backup), ["value-damaged", "object-mismatch"]);
        let objects = |code: &str| {
            let finding = backup.findings.iter().find(|one| one.code == code);
            finding.expect("it is there").evidence["objects"].clone()
        };
        assert_eq!(objects("value-damaged"), serde_json::json!([DAMAGED]));
        assert_eq!(objects("object-mismatch"), serde_json::json!([ONE]));
        assert_eq!(backup.verdict, "invalid");
        assert_eq!(backup.encryption.values_tried, backup.encryption.values);
    }
}

#[test]
fn a_snapshot_that_is_packed_is_read_a_second_time_as_well() {
    let env = TestEnv::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &spoilt()).expect("memory takes it");
    let packed = packed.finish().expect("memory takes it");
    env.put("data/snapshot_2024-11-07_030000.db.gz", packed);
    env.copy(KEYS, "keys");
    let report = env.verify_as_of(SOON, &["--decrypt", "all"]);
    assert_eq!(codes(report.only()), ["value-damaged", "object-mismatch"]);
}
