//! One backup as a document.

use super::API_VERSION;
use super::encryption::EncryptionView;
use crate::output::text;
use chrono::{DateTime, Utc};
use etcd_cat::backup::{Backup, Located, PairingBasis, Provenance, TakenAtSource, Usable, Verdict};
use etcd_cat::finding::{Artifact, Code, Evidence, Finding, Severity};
use etcd_cat::instant::rfc3339_seconds as rfc3339;
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::pairing::evidence;
use etcd_cat::selection::{Reason, Selected};
use etcd_cat::snapshot::Snapshot;
use etcd_cat::source::{Custody, ObjectId};
use serde::Serialize;
use std::collections::BTreeMap;

/// `kind: Backup`, of `show`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `Backup`.
    kind: &'static str,
    /// First 12 hex digits of the SHA-256 of the snapshot's data, or of the kuberesources where there is no
    /// snapshot; null when nothing could be read.
    pub(crate) id: Option<String>,
    /// What the findings come to: whether a restore from it will work.
    verdict: Verdict,
    /// In what form it can be restored: the files as they are, what `stage` makes of them (unpacked), or not at all.
    usable: Usable,
    /// The cluster it was taken from.
    cluster: ClusterView,
    /// The OpenShift version that it can restore.
    version: VersionView,
    /// When it was taken: RFC 3339, UTC.
    taken_at: Option<String>,
    /// What `takenAt` was learnt from.
    taken_at_source: Option<TakenAtSource>,
    /// The moment in the file name, RFC 3339, UTC.
    named_at: Option<String>,
    /// From `takenAt` to now, or to `--as-of`.
    age_seconds: Option<i64>,
    /// The `.db` file; null for a kuberesources alone.
    snapshot: Option<SnapshotView>,
    /// The `static_kuberesources` archive; null when none belongs to it.
    kuberesources: Option<KuberesourcesView>,
    /// Why the two files are one backup.
    pairing: PairingView,
    /// Encryption at rest: which keys the values need, and whether they are there.
    encryption: EncryptionView,
    /// Everything found, the worst first.
    findings: Vec<FindingView>,
    /// Those of the findings that say how it could be filed better; the verdict does not know them.
    advice: Vec<FindingView>,
    /// When etcd-cat first read it; null without a catalogue.
    first_seen_at: Option<String>,
    /// When every byte was last proven.
    verified_at: Option<String>,
    /// Earlier verifications, the oldest first.
    verifications: Vec<VerificationView>,
    /// Findings that `--accept` left out of the verdict.
    accepted: Vec<Code>,
    /// Under `--valid-for`: codes of what speaks against it, empty when it qualifies; null otherwise. A finding's
    /// code, or `other-version`, `too-old`, `not-verified`.
    reasons_against: Option<Vec<String>>,
    /// The file of which nothing could be read; null otherwise.
    unreadable_path: Option<String>,
    /// How `etcd-cat backup` took it; null for all others.
    provenance: Option<ProvenanceView>,
    /// Among those that qualify; null without a target.
    recommended: Option<bool>,
}

/// The cluster, as far as the backup knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterView {
    /// UUID of the cluster.
    id: Option<String>,
    /// Infrastructure name, such as `prod-7xk2p`.
    name: Option<String>,
    /// URL of the API server.
    api_server_url: Option<String>,
}

/// OpenShift and etcd.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    /// Version that a restore needs; null when unknown or between two.
    openshift: Option<String>,
    /// During an upgrade: the version before.
    upgrading_from: Option<String>,
    /// During an upgrade: the version it goes to.
    upgrading_to: Option<String>,
    /// Major and minor version of the etcd that wrote it.
    etcd: Option<String>,
    /// The history of ClusterVersion, the newest first.
    history: Vec<HistoryView>,
}

/// One entry of the history of ClusterVersion.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryView {
    /// OpenShift version.
    version: String,
    /// `Completed` or `Partial`.
    state: String,
    /// RFC 3339, UTC.
    started_time: Option<String>,
    /// RFC 3339, UTC; null while it is not complete.
    completion_time: Option<String>,
}

/// The `.db` file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotView {
    /// Where it lies.
    path: String,
    /// Where the same bytes lie as well.
    copies: Vec<String>,
    /// Bytes of the data, the trailer included, as unpacked.
    size_bytes: u64,
    /// Modification time of the file, RFC 3339, UTC.
    modified_at: Option<String>,
    /// SHA-256 against the trailer.
    digest: DigestView,
    /// The numbers of `etcdutl snapshot status`.
    status: StatusView,
    /// Keys that a restore brings back.
    live_keys: Option<u64>,
    /// Revision up to which history was compacted.
    compact_revision: Option<i64>,
    /// Bytes of a page.
    page_size: Option<u32>,
    /// Members of etcd that it lists.
    members: Vec<MemberView>,
    /// Whether the file still lies there.
    present: bool,
    /// How stores keep it, for each place of which they said something when it was read; empty on a disk.
    custody: Vec<CustodyView>,
}

/// How a store keeps an object, as it said when the object was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CustodyView {
    /// Where it lies.
    path: String,
    /// Its version (Google: generation), where the store keeps several.
    version_id: Option<String>,
    /// Until when nobody may delete it, RFC 3339, UTC; null without a lock. It may have passed.
    locked_until: Option<String>,
    /// Whom the lock binds, in the store's own word: `COMPLIANCE`, `GOVERNANCE`; on Azure `locked`, `unlocked`.
    lock_mode: Option<String>,
    /// Whether a legal hold lies on it.
    legal_hold: bool,
}

/// Whether the bytes are those that etcd saved.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct DigestView {
    /// `match`, `mismatch` or `missing`.
    state: &'static str,
    /// What the trailer says; null without one.
    expected: Option<String>,
    /// SHA-256 of the data.
    computed: String,
}

/// What `etcdutl snapshot status` prints; null where the file is too damaged to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    /// CRC-32C over all buckets, keys and values.
    hash: Option<u32>,
    /// Highest revision.
    revision: Option<i64>,
    /// Entries in all buckets.
    total_key: Option<u64>,
    /// Bytes of the database.
    total_size: Option<u64>,
}

/// One member of etcd.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberView {
    /// 16 hex digits.
    id: String,
    /// Name of the member.
    name: String,
    /// URLs for other members.
    peer_urls: Vec<String>,
    /// Whether it has no vote yet.
    is_learner: bool,
}

/// The `static_kuberesources` archive.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct KuberesourcesView {
    /// Where it lies.
    path: String,
    /// Where the same bytes lie as well.
    copies: Vec<String>,
    /// Bytes of the file.
    size_bytes: u64,
    /// SHA-256 of the file.
    sha256: String,
    /// Control plane host that it was taken on.
    node: Option<String>,
    /// Revision of the static pod of each component.
    revisions: BTreeMap<String, i64>,
    /// Modification time of the file, RFC 3339, UTC.
    modified_at: Option<String>,
    /// Whether the file still lies there.
    present: bool,
    /// How stores keep it, as for the snapshot.
    custody: Vec<CustodyView>,
}

/// Why the two files are one backup.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct PairingView {
    /// What decided.
    basis: PairingBasis,
    /// What agrees, in words.
    evidence: Vec<String>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct FindingView {
    /// Stable name, see [findings](findings.md).
    code: Code,
    /// What it weighs.
    severity: Severity,
    /// What it is about.
    artifact: Artifact,
    /// What was found and where, in words; wording may change.
    message: String,
    /// The values behind the message.
    evidence: BTreeMap<String, EvidenceView>,
    /// What to do about it: one sentence.
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
    /// Host it was taken on.
    node: String,
    /// Version of `oc`.
    oc_version: Option<String>,
    /// Version of the cluster at that time.
    cluster_version: Option<String>,
    /// Lines of cluster-backup.sh.
    script_output: Vec<String>,
    /// Reasons against it that were overridden.
    forced: Vec<String>,
    /// When the script ended, RFC 3339, UTC.
    taken_at: String,
    /// Debug pod that the script ran in.
    pod: Option<String>,
    /// Image of that pod.
    image: Option<String>,
    /// Of a backup that the cluster's own automated backups took: the directory it lay in; null for others.
    policy: Option<String>,
}

/// One earlier verification.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct VerificationView {
    /// RFC 3339, UTC.
    at: String,
    /// What it came to.
    verdict: Verdict,
    /// Findings that were accepted then.
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
            usable: backup.usable(),
            cluster: ClusterView::new(backup),
            version: VersionView::new(backup),
            taken_at: backup.taken_at.map(rfc3339),
            taken_at_source: backup.taken_at_source,
            named_at: backup.named_at.map(rfc3339),
            age_seconds: backup.taken_at.map(|at| (now - at).num_seconds().max(0)),
            snapshot: backup.snapshot.as_ref().map(SnapshotView::new),
            kuberesources: backup.kuberesources.as_ref().map(KuberesourcesView::new),
            pairing: PairingView {
                basis: backup.pairing,
                evidence: evidence(backup),
            },
            encryption: EncryptionView::new(backup),
            findings: backup.findings.iter().map(FindingView::new).collect(),
            advice: backup.advice().map(FindingView::new).collect(),
            first_seen_at: backup.first_seen_at.map(rfc3339),
            verified_at: backup.verified_at.map(rfc3339),
            verifications: verifications(backup),
            accepted: backup.accepted.clone(),
            reasons_against: None,
            unreadable_path: backup.unreadable_path.as_ref().map(text::path),
            provenance: backup.provenance.as_deref().map(ProvenanceView::new),
            recommended: None,
        }
    }

    /// The document of a selected backup: with what speaks against it.
    pub(crate) fn selected(selected: &Selected, now: DateTime<Utc>) -> Self {
        let codes =
            |reasons: &Vec<Reason>| reasons.iter().map(|one| one.code().to_owned()).collect();
        Self {
            reasons_against: selected.reasons_against.as_ref().map(codes),
            recommended: selected
                .reasons_against
                .is_some()
                .then_some(selected.is_recommended),
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
            pod: provenance.pod.clone(),
            image: provenance.image.clone(),
            policy: provenance.policy.clone(),
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
            etcd: snapshot.and_then(|facts| etcd_minor(facts)),
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

impl CustodyView {
    fn all<T>(half: &Located<T>) -> Vec<Self> {
        let view = |(place, custody): (&ObjectId, &Custody)| Self {
            path: text::path(place),
            version_id: custody.version.as_deref().map(str::to_owned),
            locked_until: custody.lock.as_ref().map(|lock| rfc3339(lock.until)),
            lock_mode: custody.lock.as_ref().map(|lock| lock.mode.to_string()),
            legal_hold: custody.has_legal_hold,
        };
        half.custody.iter().map(view).collect()
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
            custody: CustodyView::all(half),
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
            custody: CustodyView::all(half),
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
                .map(|(name, value)| (name.to_owned(), EvidenceView::new(value)))
                .collect(),
            remedy: finding.remedy.clone().into_owned(),
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
