//! The contract, deserialised with unknown fields denied.

use crate::output::{BackupDetails, BackupList, CheckAnswer, Format, VerifyReport, render};
use crate::sample;
use etcd_cat::backup::Backup;
use etcd_cat::discovery::{Skipped, SkippedKind};
use etcd_cat::judgement::{EncryptionProof, EncryptionSummary};
use etcd_cat::kubernetes::encryption::KeyOutcome;
use etcd_cat::restore::RestoreCheck;
use etcd_cat::selection::{Scope, Selection};
use etcd_cat::source::ObjectId;
use etcd_cat::survey::Survey;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A field that must be there, though it may be null.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(transparent)]
struct Present(Value);

macro_rules! contract {
    ($($name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            #[derive(Debug, Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            #[expect(dead_code, reason = "the shape is what is tested")]
            struct $name { $($field: $type,)* }
        )*
    };
}

contract! {
    BackupDocument {
        api_version: String, kind: String, id: Present, verdict: String, usable: String, cluster: ClusterDocument,
        version: VersionDocument, taken_at: Present, taken_at_source: Present, named_at: Present, age_seconds: Present,
        snapshot: Nullable<SnapshotDocument>, kuberesources: Nullable<KuberesourcesDocument>, pairing: PairingDocument,
        encryption: EncryptionDocument, findings: Vec<FindingDocument>, advice: Vec<FindingDocument>, first_seen_at: Present,
        verified_at: Present, verifications: Vec<VerificationDocument>, accepted: Vec<String>,
        reasons_against: Present, unreadable_path: Present, provenance: Nullable<ProvenanceDocument>,
        recommended: Present,
    }
    ClusterDocument { id: Present, name: Present, api_server_url: Present, }
    VersionDocument {
        openshift: Present, upgrading_from: Present, upgrading_to: Present, etcd: Present, history: Vec<HistoryDocument>,
    }
    HistoryDocument { version: String, state: String, started_time: Present, completion_time: Present, }
    SnapshotDocument {
        path: String, copies: Vec<String>, size_bytes: u64, modified_at: Present, digest: DigestDocument,
        status: StatusDocument, live_keys: Present, compact_revision: Present, page_size: Present,
        members: Vec<MemberDocument>, present: bool, custody: Vec<CustodyDocument>,
    }
    CustodyDocument {
        path: String, version_id: Present, locked_until: Present, lock_mode: Present, legal_hold: bool,
    }
    DigestDocument { state: String, expected: Present, computed: String, }
    StatusDocument { hash: Present, revision: Present, total_key: Present, total_size: Present, }
    MemberDocument { id: String, name: String, peer_urls: Vec<String>, is_learner: bool, }
    KuberesourcesDocument {
        path: String, copies: Vec<String>, size_bytes: u64, sha256: String, node: Present,
        revisions: BTreeMap<String, i64>, modified_at: Present, present: bool,
        custody: Vec<CustodyDocument>,
    }
    PairingDocument { basis: String, evidence: Vec<String>, }
    EncryptionDocument { provider: String, keys_used: Vec<String>, keys_found: Vec<String>, proof: String,
        values: u64, values_tried: u64,
    }
    FindingDocument {
        code: String, severity: String, artifact: String, message: String, evidence: BTreeMap<String, Value>,
        remedy: String,
    }
    ProvenanceDocument {
        node: String, oc_version: Present, cluster_version: Present, script_output: Vec<String>, forced: Vec<String>,
        taken_at: String, pod: Present, image: Present, policy: Present,
    }
    VerificationDocument { at: String, verdict: String, accepted: Vec<String>, }
    BackupListDocument { api_version: String, kind: String, items: Vec<BackupDocument>, }
    VerifyReportDocument {
        api_version: String, kind: String, items: Vec<BackupDocument>, summary: SummaryDocument,
        skipped: Vec<SkippedDocument>, locations: Vec<LocationDocument>, changes: ChangesDocument,
        restore_choices: Vec<RestoreChoiceDocument>,
        catalogue_damage: Vec<String>,
    }
    RestoreChoiceDocument {
        directory: String, snapshot: Present, kuberesources: Present, backup: Present, verdict: Present, harmful: bool,
    }
    LocationDocument { path: String, backups: u64, problem: Present, message: Present, }
    ChangesDocument { new: Vec<ReferenceDocument>, changed: Vec<ReferenceDocument>, gone: Vec<ReferenceDocument>, }
    ReferenceDocument { id: Present, path: Present, }
    SummaryDocument { valid: u64, warning: u64, invalid: u64, unknown: u64, files: u64, bytes: u64, }
    SkippedDocument { path: String, kind: String, reason: String, remedy: String, }
    RestoreCheckDocument {
        api_version: String, kind: String, target: TargetDocument, restorable: bool, chosen: Nullable<BackupDocument>,
        why_chosen: Present, lost_seconds: Present, alternatives: Vec<AlternativeDocument>,
        near_misses: Vec<NearMissDocument>, steps: Vec<StepDocument>, warnings: Vec<String>,
        space_needed_bytes: Nullable<u64>, candidates: Vec<CandidateDocument>, plan: Vec<String>,
        elsewhere: ElsewhereDocument, loss: Nullable<LossDocument>,
        difference: Present,
    }
    LossDocument { newest_id: Present, newest_taken_at: Present, chosen_is_newest: bool, kinds: Present, }
    AlternativeDocument { id: Present, taken_at: Present, newer_by_seconds: Present, risks: Vec<String>, }
    ElsewhereDocument { backups: u64, clusters: Vec<String>, }
    NearMissDocument { id: Present, path: Present, alike: u64, text: String, }
    StepDocument { text: String, command: Present, r#where: String, }
    TargetDocument { version: String, cluster: Present, }
    CandidateDocument { id: Present, reasons_against: Vec<String>, }
}

/// An object or null, but never absent: a plain `Option` field may be left out.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Nullable<T> {
    Some(#[expect(dead_code, reason = "the shape is what is tested")] Box<T>),
    Null(()),
}

fn parse<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| {
        assert_eq!(error.to_string(), "", "{text}");
        std::process::abort()
    })
}

fn json_of(backup: &Backup) -> String {
    render(&BackupDetails(backup), &sample::style(Format::Json, None)).expect("a document")
}

fn value_of(backup: &Backup) -> Value {
    parse(&json_of(backup))
}

#[test]
fn every_backup_keeps_to_the_contract() {
    for backup in [
        sample::valid(),
        sample::invalid(),
        sample::orphan(),
        sample::unreadable(),
        sample::hostile(),
    ] {
        let _: BackupDocument = parse(&json_of(&backup));
    }
}

#[test]
fn fields_stand_in_the_order_of_the_contract() {
    let json = json_of(&sample::valid());
    let order = [
        "apiVersion",
        "kind",
        "id",
        "verdict",
        "usable",
        "cluster",
        "version",
        "takenAt",
        "takenAtSource",
        "namedAt",
        "ageSeconds",
        "snapshot",
        "kuberesources",
        "pairing",
        "encryption",
        "findings",
        "advice",
        "firstSeenAt",
        "verifiedAt",
        "verifications",
    ];
    let places: Vec<Option<usize>> = order
        .iter()
        .map(|field| json.find(&format!("\n  \"{field}\": ")))
        .collect();
    assert!(places.iter().all(Option::is_some), "{places:?}");
    assert!(places.is_sorted(), "{places:?}");
    assert!(json.ends_with("}\n"));
}

#[test]
fn values_are_spelled_as_promised() {
    let backup = value_of(&sample::valid());
    let expected = [
        ("/apiVersion", json!("etcd-cat/v1")),
        ("/id", json!("3fabababab".to_owned() + "ab")),
        ("/takenAt", json!("2024-11-02T03:00:07Z")),
        ("/takenAtSource", json!("lease")),
        ("/ageSeconds", json!(5400)),
        ("/verifiedAt", json!("2024-11-02T03:05:00Z")),
        ("/version/etcd", json!("3.5")),
        ("/version/upgradingTo", Value::Null),
        ("/snapshot/digest/state", json!("match")),
        ("/snapshot/members/0/id", json!("00ff123456789abc")),
        (
            "/snapshot/copies",
            json!(["/copy/b/snapshot_2024-11-02_030005.db"]),
        ),
        (
            "/snapshot/status",
            json!({"hash": 3_866_667_823_u32, "revision": 31_407, "totalKey": 12_828, "totalSize": 114_446_336}),
        ),
        (
            "/encryption",
            json!({"provider": "aescbc", "keysUsed": ["10", "9"], "keysFound": ["10", "9"], "proof": "decrypted", "values": 24, "valuesTried": 3}),
        ),
        ("/pairing/basis", json!("content")),
    ];
    for (pointer, value) in expected {
        assert_eq!(backup.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn evidence_is_plain_json() {
    let backup = value_of(&sample::invalid());
    let evidence = backup.pointer("/findings/0/evidence").expect("evidence");
    assert_eq!(evidence.pointer("/offset"), Some(&json!(4096)));
    assert_eq!(evidence.pointer("/pages"), Some(&json!(["3", "7"])));
    assert_eq!(
        backup.pointer("/snapshot/digest/state"),
        Some(&json!("mismatch"))
    );
}

#[test]
fn proof_says_the_worst_of_all_keys() {
    for (outcome, expected) in [
        (Some(KeyOutcome::Decrypted), "decrypted"),
        (Some(KeyOutcome::ConfigMissing), "missing"),
        (Some(KeyOutcome::KeyMissing), "missing"),
        (Some(KeyOutcome::KeyWrong), "failed"),
        (Some(KeyOutcome::External), "impossible"),
        (Some(KeyOutcome::Unproven), "impossible"),
        (None, "impossible"),
    ] {
        let backup = Backup {
            key_proof: outcome.map(sample::proof),
            ..sample::valid()
        };
        assert_eq!(
            EncryptionSummary::of(&backup).proof.as_str(),
            expected,
            "{outcome:?}"
        );
    }
    let alone = Backup {
        kuberesources: None,
        key_proof: None,
        ..sample::valid()
    };
    assert_eq!(
        EncryptionSummary::of(&alone).proof,
        EncryptionProof::Missing
    );
    assert_eq!(
        EncryptionSummary::of(&sample::orphan()).proof,
        EncryptionProof::NotNeeded
    );
}

#[test]
fn a_report_counts_what_it_shows() {
    let survey = Survey {
        skipped: vec![Skipped {
            id: ObjectId::from("/b/a\u{1b}.txt"),
            reason: "no backup by its name".to_owned(),
            kind: SkippedKind::NotABackup,
            remedy: None,
            is_error: false,
        }],
        files: 4,
        bytes: 99,
        ..Survey::default()
    };
    let backups = vec![sample::valid(), sample::invalid(), sample::orphan()];
    let outcome = Selection::default().apply(backups, sample::now());
    let report = VerifyReport {
        survey: &survey,
        outcome: &outcome,
    };
    let json = render(&report, &sample::style(Format::Json, None)).expect("a document");
    let _: VerifyReportDocument = parse(&json);
    let report: Value = parse(&json);
    let summary =
        json!({"valid": 1, "warning": 0, "invalid": 1, "unknown": 0, "files": 4, "bytes": 99});
    assert_eq!(report.get("summary"), Some(&summary));
}

#[test]
fn lists_and_checks_keep_to_the_contract() {
    let target: etcd_cat::selection::TargetVersion = "4.17.3".parse().expect("a version");
    let selection = Selection {
        valid_for: Some(target.clone()),
        scope: Scope::All,
        ..Selection::default()
    };
    let backups = vec![
        sample::invalid(),
        sample::valid(),
        sample::orphan(),
        sample::unreadable(),
    ];
    let outcome = selection.apply(backups.clone(), sample::now());
    let style = sample::style(Format::Json, None);
    let json = render(&BackupList(&outcome.shown), &style).expect("a document");
    let _: BackupListDocument = parse(&json);
    let list: Value = parse(&json);
    assert_eq!(list.pointer("/items/0/reasonsAgainst"), Some(&json!([])));
    assert_eq!(
        list.pointer("/items/1/reasonsAgainst"),
        Some(&json!(["digest-mismatch"]))
    );

    let check = RestoreCheck::new(backups, target, Selection::default(), sample::now());
    let check = check.expect("one cluster");
    let answer = CheckAnswer {
        check: &check,
        difference: None,
    };
    let json = render(&answer, &style).expect("a document");
    let _: RestoreCheckDocument = parse(&json);
    let check: Value = parse(&json);
    assert_eq!(check.get("restorable"), Some(&json!(true)));
    assert_eq!(check.get("lostSeconds"), Some(&json!(5400)));
    assert_eq!(
        check.get("whyChosen"),
        Some(&json!("the only one that qualifies"))
    );
    assert_eq!(check.get("alternatives"), Some(&json!([])));
    assert_eq!(check.pointer("/chosen/id"), Some(&json!("3fababababab")));
    assert_eq!(
        check.pointer("/candidates/2/reasonsAgainst"),
        Some(&json!(["snapshot-missing"]))
    );
}

#[test]
fn yaml_is_the_same_document() {
    let hostile = sample::hostile();
    let [json, yaml] = [Format::Json, Format::Yaml].map(|format| {
        let style = sample::style(format, None);
        render(&BackupDetails(&hostile), &style).expect("a document")
    });
    let from_yaml: Value = yaml_serde::from_str(&yaml).expect("YAML");
    assert_eq!(from_yaml, parse::<Value>(&json));
}
