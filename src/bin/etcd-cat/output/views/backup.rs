//! One backup as a document.

use super::API_VERSION;
use super::encryption::EncryptionView;
use crate::output::text;
use chrono::{DateTime, Utc};
use etcd_cat::backup::{Backup, Located, PairingBasis, Provenance, TakenAtSource, Verdict};
use etcd_cat::finding::{Artifact, Code, Evidence, Finding, Severity};
use etcd_cat::instant::rfc3339_seconds as rfc3339;
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::selection::{Reason, Selected};
use etcd_cat::snapshot::Snapshot;
use etcd_cat::source::ObjectId;
use serde::Serialize;
use std::collections::BTreeMap;

/// `kind: Backup`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupView {
    api_version: &'static str,
    kind: &'static str,
    pub(crate) id: Option<String>,
    verdict: Verdict,
    cluster: ClusterView,
    version: VersionView,
    taken_at: Option<String>,
    taken_at_source: Option<TakenAtSource>,
    named_at: Option<String>,
    age_seconds: Option<i64>,
    snapshot: Option<SnapshotView>,
    kuberesources: Option<KuberesourcesView>,
    pairing: PairingView,
    encryption: EncryptionView,
    findings: Vec<FindingView>,
    first_seen_at: Option<String>,
    verified_at: Option<String>,
    verifications: Vec<VerificationView>,
    accepted: Vec<Code>,
    reasons_against: Option<Vec<String>>,
    unreadable_path: Option<String>,
    provenance: Option<ProvenanceView>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterView {
    id: Option<String>,
    name: Option<String>,
    api_server_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    openshift: Option<String>,
    upgrading_from: Option<String>,
    upgrading_to: Option<String>,
    etcd: Option<String>,
    history: Vec<HistoryView>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryView {
    version: String,
    state: String,
    started_time: Option<String>,
    completion_time: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotView {
    path: String,
    copies: Vec<String>,
    size_bytes: u64,
    modified_at: Option<String>,
    digest: DigestView,
    status: StatusView,
    live_keys: Option<u64>,
    compact_revision: Option<i64>,
    page_size: Option<u32>,
    members: Vec<MemberView>,
    present: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct DigestView {
    state: &'static str,
    expected: Option<String>,
    computed: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    hash: Option<u32>,
    revision: Option<i64>,
    total_key: Option<u64>,
    total_size: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberView {
    id: String,
    name: String,
    peer_urls: Vec<String>,
    is_learner: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct KuberesourcesView {
    path: String,
    copies: Vec<String>,
    size_bytes: u64,
    sha256: String,
    node: Option<String>,
    revisions: BTreeMap<String, i64>,
    modified_at: Option<String>,
    present: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct PairingView {
    basis: PairingBasis,
    evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct FindingView {
    code: Code,
    severity: Severity,
    artifact: Artifact,
    message: String,
    evidence: BTreeMap<String, EvidenceView>,
    remedy: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum EvidenceView {
    Text(String),
    Number(i64),
    List(Vec<String>),
}

/// How `etcd-cat backup` took it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvenanceView {
    node: String,
    oc_version: Option<String>,
    cluster_version: Option<String>,
    script_output: Vec<String>,
    forced: Vec<String>,
    taken_at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct VerificationView {
    at: String,
    verdict: Verdict,
    accepted: Vec<Code>,
}

impl BackupView {
    /// The document of one backup, its age as of `now`.
    pub(crate) fn new(backup: &Backup, now: DateTime<Utc>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Backup",
            id: backup.id(),
            verdict: backup.verdict,
            cluster: ClusterView::new(backup),
            version: VersionView::new(backup),
            taken_at: backup.taken_at.map(rfc3339),
            taken_at_source: backup.taken_at_source,
            named_at: backup.named_at.map(rfc3339),
            age_seconds: backup.taken_at.map(|at| (now - at).num_seconds()),
            snapshot: backup.snapshot.as_ref().map(SnapshotView::new),
            kuberesources: backup.kuberesources.as_ref().map(KuberesourcesView::new),
            pairing: PairingView {
                basis: backup.pairing.basis,
                evidence: backup.pairing.evidence.clone(),
            },
            encryption: EncryptionView::new(backup),
            findings: backup.findings.iter().map(FindingView::new).collect(),
            first_seen_at: backup.first_seen_at.map(rfc3339),
            verified_at: backup.verified_at.map(rfc3339),
            verifications: verifications(backup),
            accepted: backup.accepted.clone(),
            reasons_against: None,
            unreadable_path: backup.unreadable_path.as_ref().map(text::path),
            provenance: backup.provenance.as_ref().map(ProvenanceView::new),
        }
    }

    /// The document of a selected backup: with what speaks against it.
    pub(crate) fn selected(selected: &Selected, now: DateTime<Utc>) -> Self {
        let codes =
            |reasons: &Vec<Reason>| reasons.iter().map(|one| one.code().to_owned()).collect();
        Self {
            reasons_against: selected.reasons_against.as_ref().map(codes),
            ..Self::new(&selected.backup, now)
        }
    }
}

impl ProvenanceView {
    fn new(provenance: &Provenance) -> Self {
        Self {
            node: provenance.node.clone(),
            oc_version: provenance.oc_version.clone(),
            cluster_version: provenance.cluster_version.clone(),
            script_output: provenance
                .script_output
                .lines()
                .map(str::to_owned)
                .collect(),
            forced: provenance.forced.clone(),
            taken_at: rfc3339(provenance.taken_at),
        }
    }
}

fn verifications(backup: &Backup) -> Vec<VerificationView> {
    let view = |one: &etcd_cat::backup::Verification| VerificationView {
        at: rfc3339(one.at),
        verdict: one.verdict,
        accepted: one.accepted.clone(),
    };
    backup.verifications.iter().map(view).collect()
}

fn paths(paths: &[ObjectId]) -> Vec<String> {
    paths.iter().map(text::path).collect()
}

impl ClusterView {
    fn new(backup: &Backup) -> Self {
        let known = etcd_cat::selection::KnownCluster::of(backup);
        let cluster = backup.snapshot.as_ref().map(|half| &half.facts.cluster);
        Self {
            id: known.as_ref().and_then(|cluster| cluster.id.clone()),
            name: known.and_then(|cluster| cluster.name),
            api_server_url: cluster.and_then(|cluster| cluster.api_server_url.clone()),
        }
    }
}

impl VersionView {
    fn new(backup: &Backup) -> Self {
        let snapshot = backup.snapshot.as_ref().map(|half| &half.facts);
        let history = snapshot.map_or(&[][..], |facts| &facts.cluster.history);
        Self {
            openshift: backup.version.openshift.clone(),
            upgrading_from: backup.version.upgrading_from.clone(),
            upgrading_to: backup.version.upgrading_to.clone(),
            etcd: snapshot.and_then(etcd_minor),
            history: history.iter().map(HistoryView::new).collect(),
        }
    }
}

/// Major and minor of the etcd that wrote the snapshot: the database knows no more than that.
pub(crate) fn etcd_minor(snapshot: &Snapshot) -> Option<String> {
    let version = snapshot
        .storage_version
        .as_ref()
        .or(snapshot.cluster_version.as_ref())?;
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => Some(format!("{major}.{minor}")),
        _ => Some(version.clone()),
    }
}

impl HistoryView {
    fn new(entry: &etcd_cat::openshift::HistoryEntry) -> Self {
        Self {
            version: entry.version.clone(),
            state: entry.state.clone(),
            started_time: entry.started_at.map(rfc3339),
            completion_time: entry.completed_at.map(rfc3339),
        }
    }
}

impl SnapshotView {
    fn new(half: &Located<Snapshot>) -> Self {
        let facts = &half.facts;
        let status = facts.status;
        Self {
            path: text::path(&half.path),
            copies: paths(&half.copies),
            size_bytes: facts.size_bytes,
            modified_at: half.modified_at.map(rfc3339),
            digest: DigestView {
                state: digest_state(facts),
                expected: facts.trailer.map(|digest| digest.to_string()),
                computed: facts.computed.to_string(),
            },
            status: StatusView {
                hash: status.hash,
                revision: status.revision,
                total_key: status.total_key,
                total_size: status.total_size,
            },
            live_keys: facts.live_keys,
            compact_revision: facts.compact_revision,
            page_size: facts.page_size,
            members: facts.members.iter().map(MemberView::new).collect(),
            present: half.is_present,
        }
    }
}

/// `match`, `mismatch` or `missing`.
pub(crate) fn digest_state(facts: &Snapshot) -> &'static str {
    match facts.trailer {
        None => "missing",
        Some(_) if facts.digest_matches() => "match",
        Some(_) => "mismatch",
    }
}

impl MemberView {
    fn new(member: &etcd_cat::snapshot::Member) -> Self {
        Self {
            id: format!("{:016x}", member.id),
            name: member.name.clone(),
            peer_urls: member.peer_urls.clone(),
            is_learner: member.is_learner,
        }
    }
}

impl KuberesourcesView {
    fn new(half: &Located<Kuberesources>) -> Self {
        Self {
            path: text::path(&half.path),
            copies: paths(&half.copies),
            size_bytes: half.facts.size_bytes,
            sha256: half.facts.sha256.to_string(),
            node: half.facts.node.clone(),
            revisions: half.facts.revisions.clone(),
            modified_at: half.modified_at.map(rfc3339),
            present: half.is_present,
        }
    }
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        let evidence = finding.evidence.iter();
        Self {
            code: finding.code,
            severity: finding.severity,
            artifact: finding.artifact,
            message: finding.message.clone(),
            evidence: evidence
                .map(|(name, value)| (name.clone(), EvidenceView::new(value)))
                .collect(),
            remedy: finding.remedy.clone(),
        }
    }
}

impl EvidenceView {
    fn new(evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Text(text) => Self::Text(text.clone()),
            Evidence::Number(number) => Self::Number(*number),
            Evidence::List(list) => Self::List(list.clone()),
        }
    }
}
