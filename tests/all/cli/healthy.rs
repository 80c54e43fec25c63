//! Every sample agrees with the tools of etcd and with what is known about it, number for number.

use crate::cli::contract::Backup;
use crate::cli::environment::TestEnv;
use crate::support::samples::{self, Sample};
use serde_json::Value;

/// A sample and its other half in one place, verified an hour after it was taken.
fn verified(sample: &Sample) -> (TestEnv, Backup) {
    let env = TestEnv::new();
    env.copy(&sample.path, "data");
    if let Some(archive) = sample.row["kuberesources"].as_str() {
        env.copy(archive, "keys");
    }
    let taken = sample.row["takenAt"].as_str().expect("each row has it");
    let soon = taken
        .parse::<chrono::DateTime<chrono::Utc>>()
        .expect("RFC 3339");
    let soon = (soon + chrono::TimeDelta::hours(1)).to_rfc3339();
    let report = env.verify_as_of(&soon, &[]);
    assert_eq!(report.api_version, "etcd-cat/v1");
    assert_eq!(report.kind, "VerifyReport");
    let backup = report.only().clone();
    assert_eq!(backup.api_version, "etcd-cat/v1");
    assert_eq!(backup.kind, "Backup");
    assert_eq!(backup.taken_at_source.as_deref(), Some("lease"));
    assert!(backup.snapshot().modified_at.is_some());
    // Nobody keeps a file on a disk.
    assert_eq!(backup.snapshot().custody, []);
    let other = backup.kuberesources.as_ref();
    assert!(other.is_none_or(|half| half.modified_at.is_some() && half.custody.is_empty()));
    let artifacts = ["snapshot", "kuberesources", "pair", "catalogue", "location"];
    let mut findings = backup.findings.iter();
    assert!(findings.all(|one| artifacts.contains(&one.artifact.as_str())));
    let counts = &report.summary;
    let verdicts = [
        ("valid", counts.valid),
        ("warning", counts.warning),
        ("invalid", counts.invalid),
        ("unknown", counts.unknown),
    ];
    for (verdict, count) in verdicts {
        assert_eq!(count, u64::from(backup.verdict == verdict), "{verdict}");
    }
    let sizes = backup.kuberesources.as_ref().map(|half| half.size_bytes);
    assert_eq!(counts.files, 1 + u64::from(sizes.is_some()));
    assert_eq!(
        counts.bytes,
        backup.snapshot().size_bytes + sizes.unwrap_or(0)
    );
    (env, backup)
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

#[test]
fn every_sample_agrees_with_the_tools_of_etcd() {
    for sample in samples::all() {
        let (_env, backup) = verified(&sample);
        let name = &sample.path;
        let half = backup.snapshot();
        let status = serde_json::json!({
            "hash": half.status.hash,
            "revision": half.status.revision,
            "totalKey": half.status.total_key,
            "totalSize": half.status.total_size,
        });
        let told = sample.status();
        let told = told.as_object().expect("by the version of etcd");
        assert!(told.len() >= 2, "{name}");
        for (version, oracle) in told {
            assert_eq!(&status, oracle, "{name} by etcd {version}");
        }
        assert_eq!(half.live_keys, sample.row["liveKeys"].as_u64(), "{name}");
        assert_eq!(
            half.compact_revision,
            sample.row["compactRevision"].as_i64(),
            "{name}"
        );
        assert_eq!(half.page_size, Some(4096), "{name}");
        let size = sample.bytes().len() as u64;
        assert_eq!(half.size_bytes, size, "{name}");
        let is_raw = sample.row["raw"] == true;
        let state = if is_raw { "missing" } else { "match" };
        assert_eq!(half.digest.state, state, "{name}");
        let expected = (!is_raw).then_some(&half.digest.computed);
        assert_eq!(half.digest.expected.as_ref(), expected, "{name}");
        assert!(half.digest.computed.0.starts_with(backup.id()), "{name}");
        assert_eq!(backup.id().len(), 12, "{name}");
    }
}

#[test]
fn every_sample_tells_what_it_was_taken_from() {
    for sample in samples::all() {
        let (_env, backup) = verified(&sample);
        let (name, row) = (&sample.path, &sample.row);
        assert_eq!(
            backup.version.openshift.as_deref(),
            text(&row["version"]),
            "{name}"
        );
        assert_eq!(
            backup.version.upgrading_from.as_deref(),
            text(&row["upgradingFrom"]),
            "{name}"
        );
        assert_eq!(
            backup.version.upgrading_to.as_deref(),
            text(&row["upgradingTo"]),
            "{name}"
        );
        assert_eq!(
            backup.cluster.id.as_deref(),
            text(&row["clusterId"]),
            "{name}"
        );
        assert_eq!(
            backup.cluster.name.as_deref(),
            text(&row["infrastructureName"]),
            "{name}"
        );
        assert_eq!(
            backup.cluster.api_server_url.as_deref(),
            text(&row["apiServerUrl"]),
            "{name}"
        );
        assert_eq!(
            backup.taken_at.as_ref().map(|at| at.0.as_str()),
            text(&row["takenAt"]),
            "{name}"
        );
        assert_eq!(
            backup.named_at.as_ref().map(|at| at.0.as_str()),
            text(&row["namedAt"]),
            "{name}"
        );
        assert_eq!(backup.age_seconds, Some(3600), "{name}");
        let etcd = text(&row["etcd"]).and_then(|etcd| etcd.get(..3));
        assert_eq!(backup.version.etcd.as_deref(), etcd, "{name}");
        let history: Vec<Value> = backup
            .version
            .history
            .iter()
            .map(|entry| {
                serde_json::json!({
                    "version": entry.version,
                    "state": entry.state,
                    "startedTime": entry.started_time.as_ref().map(|at| &at.0),
                    "completionTime": entry.completion_time.as_ref().map(|at| &at.0),
                })
            })
            .collect();
        assert_eq!(Value::from(history), row["history"], "{name}");
        let members: Vec<Value> = backup
            .snapshot()
            .members
            .iter()
            .map(|member| {
                assert!(!member.peer_urls.is_empty() && !member.is_learner, "{name}");
                serde_json::json!({"id": member.id, "name": member.name})
            })
            .collect();
        assert_eq!(Value::from(members), row["members"], "{name}");
    }
}

#[test]
fn every_sample_finds_its_other_half_and_its_keys() {
    for sample in samples::all() {
        let (env, backup) = verified(&sample);
        let (name, row) = (&sample.path, &sample.row);
        let archive = text(&row["kuberesources"]);
        assert_eq!(backup.kuberesources.is_some(), archive.is_some(), "{name}");
        if let Some(half) = &backup.kuberesources {
            assert!(half.path.starts_with(&env.text("keys/")), "{name}");
            assert!(half.copies.is_empty() && half.present, "{name}");
            assert_eq!(half.node.as_deref(), text(&row["node"]), "{name}");
            let bytes = samples::bytes(archive.unwrap_or_default());
            assert_eq!(half.size_bytes, bytes.len() as u64, "{name}");
            assert_eq!(half.sha256.0, sha256(&bytes), "{name}");
            let revisions = serde_json::to_value(&half.revisions).expect("numbers");
            if row["upgradingTo"].is_null() {
                assert_eq!(revisions, row["staticPodRevisions"], "{name}");
            }
            assert_eq!(backup.pairing.basis, "content", "{name}");
        } else {
            assert_eq!(backup.pairing.basis, "none", "{name}");
        }
        let encryption = &row["encryption"];
        let found = &backup.encryption;
        assert_eq!(
            Some(found.provider.as_str()),
            text(&encryption["provider"]),
            "{name}"
        );
        assert_eq!(
            sorted(&found.keys_used),
            of(&encryption["keysUsed"]),
            "{name}"
        );
        assert_eq!(
            sorted(&found.keys_found),
            of(&encryption["keysFound"]),
            "{name}"
        );
        let proof = match (found.provider.as_str(), archive) {
            ("none", _) => "not-needed",
            ("kms", _) => "impossible",
            (_, None) => "missing",
            _ => "decrypted",
        };
        assert_eq!(found.proof, proof, "{name}");
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

fn of(names: &Value) -> Vec<String> {
    let names = names.as_array().into_iter().flatten();
    let names: Vec<String> = names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    sorted(&names)
}

#[test]
fn every_sample_has_exactly_the_findings_of_its_story() {
    let expected: [(&str, &str, &[&str]); 15] = [
        ("alarm/snapshot_2024-11-06", "warning", &["alarm-raised"]),
        ("edge/snapshot_2024-09-15", "valid", &[]),
        ("edge/snapshot_2024-11-02", "valid", &[]),
        (
            "fresh/",
            "invalid",
            &[
                "taken-before-rotation",
                "bootstrap-incomplete",
                "certificate-expiring",
            ],
        ),
        ("kms/", "warning", &["encryption-external"]),
        (
            "kubernetes/",
            "warning",
            &["version-unknown", "kuberesources-not-used"],
        ),
        ("lab/", "valid", &[]),
        ("next/", "valid", &[]),
        ("prod-master-1/", "valid", &[]),
        (
            "prod-upgrade/",
            "invalid",
            &["upgrade-in-progress", "rollout-in-progress"],
        ),
        ("prod/snapshot_2024-10-20", "valid", &[]),
        ("prod/snapshot_2024-11-02", "valid", &[]),
        ("prod/snapshot_2024-11-09", "valid", &[]),
        (
            "raw/",
            "invalid",
            &["digest-missing", "kuberesources-missing"],
        ),
        ("secretbox/", "valid", &[]),
    ];
    let samples = samples::all();
    assert_eq!(
        samples.len(),
        expected.len(),
        "every sample is in the table"
    );
    for sample in samples {
        let row = expected
            .iter()
            .find(|(path, ..)| sample.path.contains(path));
        let (_, verdict, codes) =
            row.unwrap_or_else(|| panic!("{} is not in the table", sample.path));
        let (_env, backup) = verified(&sample);
        assert_eq!(
            backup.codes(),
            *codes,
            "{}: {:#?}",
            sample.path,
            backup.findings
        );
        assert_eq!(backup.verdict, *verdict, "{}", sample.path);
    }
}
