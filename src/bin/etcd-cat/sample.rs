//! Sample backups for tests: invented clusters, as the engine would hand them over.

use crate::output::{Format, Style};
use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::{
    Backup, Located, PairingBasis, Provenance, Shared, TakenAtSource, Verdict, Verification,
    Version,
};
use etcd_cat::digest::Sha256Digest;
use etcd_cat::finding::{Code, Finding};
use etcd_cat::judgement::verdict;
use etcd_cat::kuberesources::{ConfiguredProvider, Kuberesources};
use etcd_cat::kubernetes::encryption::{
    EncryptionUse, KeyOutcome, KeyProof, KeyProofLine, NamedValues,
};
use etcd_cat::openshift::{Cluster, HistoryEntry};
use etcd_cat::snapshot::{Flavour, Member, Snapshot, Status};
use etcd_cat::source::{Custody, ObjectId, ObjectLock};
use std::collections::BTreeMap;

/// "Now" of all tests.
pub(crate) fn now() -> DateTime<Utc> {
    instant("2024-11-02T04:30:07Z")
}

/// An instant in RFC 3339.
pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// A style without colours.
pub(crate) fn style(format: Format, width: Option<usize>) -> Style {
    Style {
        format,
        width,
        is_coloured: false,
        is_verbose: false,
        now: now(),
    }
}

/// A digest that begins with this byte.
pub(crate) fn digest(first: u8) -> Sha256Digest {
    let mut bytes = [0xab; 32];
    if let Some(byte) = bytes.first_mut() {
        *byte = first;
    }
    Sha256Digest(bytes)
}

/// A sound and complete backup of 4.17.3, encrypted, 90 minutes old.
pub(crate) fn valid() -> Backup {
    let taken_at = instant("2024-11-02T03:00:07Z");
    Backup {
        digest: Some(digest(0x3f)),
        snapshot: Some(located(snapshot(), "/b/snapshot_2024-11-02_030005.db")),
        kuberesources: Some(located(
            kuberesources(),
            "/b/static_kuberesources_2024-11-02_030005.tar.gz",
        )),
        unreadable_path: None,
        pairing: PairingBasis::Content,
        key_proof: Some(proof(KeyOutcome::Decrypted)),
        sealed_certificates: Vec::new().into(),
        version: Version {
            openshift: Some("4.17.3".to_owned()),
            ..Version::default()
        },
        taken_at: Some(taken_at),
        taken_at_source: Some(TakenAtSource::Lease),
        named_at: Some(instant("2024-11-02T03:00:05Z")),
        findings: Vec::new(),
        accepted: Vec::new(),
        verdict: Verdict::Valid,
        first_seen_at: Some(instant("2024-11-02T03:05:00Z")),
        verified_at: Some(instant("2024-11-02T03:05:00.25Z")),
        verifications: vec![Verification {
            at: instant("2024-11-02T03:05:00.25Z"),
            verdict: Verdict::Valid,
            accepted: Vec::new(),
        }],
        provenance: None,
    }
}

/// Another backup like [`valid`], so many hours older.
pub(crate) fn older(first: u8, hours: i64) -> Backup {
    let backup = valid();
    Backup {
        digest: Some(digest(first)),
        taken_at: backup.taken_at.map(|at| at - TimeDelta::hours(hours)),
        ..backup
    }
}

/// `backup` with these findings and the verdict that follows from them.
pub(crate) fn with_findings(backup: Backup, findings: Vec<Finding>) -> Backup {
    Backup {
        verdict: verdict(&findings, &backup.accepted),
        findings,
        ..backup
    }
}

/// A damaged backup with everything in its findings.
pub(crate) fn invalid() -> Backup {
    let found = digest(0x11).to_string();
    let mismatch = Finding::new(
        Code::DigestMismatch,
        format!("SHA-256 of the data is {found}, the trailer says another one"),
    )
    .with("found", found)
    .with("offset", 4096_u64)
    .with("pages", vec!["3".to_owned(), "7".to_owned()]);
    let skew = Finding::new(
        Code::TimeSkew,
        "the name says 2 h later than the newest lease",
    );
    let ending = Finding::new(
        Code::CertificateExpiring,
        "CN=aggregator ends 2024-11-05T00:00:00Z",
    );
    let backup = with_findings(older(0x9a, 26), vec![mismatch, skew, ending]);
    Backup {
        snapshot: backup.snapshot.map(|half| Located {
            facts: Shared::from(Snapshot {
                trailer: Some(digest(0x77)),
                ..Snapshot::clone(&half.facts)
            }),
            ..half
        }),
        ..backup
    }
}

/// Kuberesources alone.
pub(crate) fn orphan() -> Backup {
    let backup = older(0xcc, 50);
    let missing = Finding::new(Code::SnapshotMissing, "no snapshot belongs to it");
    with_findings(
        Backup {
            snapshot: None,
            key_proof: None,
            version: Version::default(),
            pairing: PairingBasis::None,
            taken_at_source: Some(TakenAtSource::Name),
            ..backup
        },
        vec![missing],
    )
}

/// A file of which not one byte could be read.
pub(crate) fn unreadable() -> Backup {
    let refused = Finding::new(
        Code::Unreadable,
        "cannot read /b/x.db: Permission denied (os error 13)",
    );
    with_findings(
        Backup {
            digest: None,
            kuberesources: None,
            named_at: None,
            taken_at: None,
            taken_at_source: None,
            unreadable_path: Some(ObjectId::from("/b/x.db")),
            verified_at: None,
            verifications: Vec::new(),
            ..orphan()
        },
        vec![refused],
    )
}

/// A backup whose every text was chosen by an enemy.
pub(crate) fn hostile() -> Backup {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\n\u{9b}31m\u{202e}";
    let mut backup = with_findings(
        valid(),
        vec![
            Finding::new(Code::TimeSkew, format!("name {evil}"))
                .with("name", evil)
                .remedy(evil),
        ],
    );
    backup.version.openshift = Some(format!("4.17.3{evil}"));
    if let Some(half) = &mut backup.snapshot {
        half.path = ObjectId::from(format!("/b/{evil}.db").as_str());
        half.copies = vec![half.path.clone()];
        half.facts.cluster.infrastructure_name = Some(evil.to_owned());
        half.facts.cluster.id = Some(evil.to_owned());
        half.facts.cluster.api_server_url = Some(evil.to_owned());
        half.facts.storage_version = Some(evil.to_owned());
        for entry in &mut half.facts.cluster.history {
            evil.clone_into(&mut entry.version);
        }
        for member in &mut half.facts.members {
            evil.clone_into(&mut member.name);
            member.peer_urls = vec![evil.to_owned()];
        }
        for one in &mut half.facts.encryption {
            evil.clone_into(&mut one.key_name);
            evil.clone_into(&mut one.provider);
        }
    }
    if let Some(half) = &mut backup.kuberesources {
        half.path = ObjectId::from(format!("/b/{evil}.tar.gz").as_str());
        half.facts.node = Some(evil.to_owned());
        half.facts.revisions = BTreeMap::from([(evil.to_owned(), 1)]);
    }
    for line in backup
        .key_proof
        .iter_mut()
        .flat_map(|proof| &mut proof.lines)
    {
        evil.clone_into(&mut line.key_name);
    }
    if let Some(half) = &mut backup.snapshot {
        let custody = Custody {
            version: Some(evil.into()),
            lock: Some(ObjectLock {
                mode: evil.into(),
                until: now(),
            }),
            has_legal_hold: true,
            ..Custody::default()
        };
        half.custody.insert(half.path.clone(), custody);
    }
    backup.provenance = Some(Box::new(Provenance {
        node: evil.to_owned(),
        oc_version: Some(evil.to_owned()),
        cluster_version: Some(evil.to_owned()),
        script_output: evil.to_owned(),
        forced: vec![evil.to_owned()],
        taken_at: now(),
        pod: Some(evil.to_owned()),
        image: Some(evil.to_owned()),
        policy: Some(evil.to_owned()),
    }));
    backup
}

fn located<T>(facts: T, path: &str) -> Located<T> {
    Located {
        facts: Shared::from(facts),
        path: ObjectId::from(path),
        copies: vec![ObjectId::from("/copy").join(path.trim_start_matches('/').as_ref())],
        modified_at: Some(instant("2024-11-02T03:00:09Z")),
        arrived_at: None,
        custody: BTreeMap::new(),
        is_present: true,
        is_packed: false,
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        size_bytes: 114_446_368,
        computed: digest(0x3f),
        trailer: Some(digest(0x3f)),
        page_size: Some(4096),
        status: Status {
            hash: Some(3_866_667_823),
            revision: Some(31_407),
            total_key: Some(12_828),
            total_size: Some(114_446_336),
        },
        live_keys: Some(11_012),
        compact_revision: Some(30_001),
        cluster_version: Some("3.5.0".to_owned()),
        storage_version: None,
        members: vec![Member {
            id: 0x00ff_1234_5678_9abc,
            name: "master-0".to_owned(),
            peer_urls: vec!["https://10.0.0.1:2380".to_owned()],
            client_urls: vec!["https://10.0.0.1:2379".to_owned()],
            is_learner: false,
        }],
        flavour: Flavour::OpenShift,
        cluster: cluster(),
        newest_lease_at: Some(instant("2024-11-02T03:00:07Z")),
        newest_content_at: None,
        encryption: ["9", "10"].map(encryption_use).to_vec(),
        certificates: Vec::new().into(),
        findings: Vec::new(),
        live_digest: None,
        mended: None,
        kinds: Vec::new(),
    }
}

fn cluster() -> Cluster {
    Cluster {
        id: Some("6a1b3c5d-0000-4000-8000-00000000abcd".to_owned()),
        infrastructure_name: Some("prod-x7k2p".to_owned()),
        api_server_url: Some("https://api.prod.example.com:6443".to_owned()),
        history: vec![HistoryEntry {
            version: "4.17.3".to_owned(),
            state: "Completed".to_owned(),
            started_at: Some(instant("2024-10-20T10:00:00Z")),
            completed_at: Some(instant("2024-10-20T11:00:00Z")),
        }],
        ..Cluster::default()
    }
}

fn encryption_use(key_name: &str) -> EncryptionUse {
    EncryptionUse {
        resource: "secrets".to_owned(),
        provider: "aescbc".to_owned(),
        key_name: key_name.to_owned(),
        values: 12,
    }
}

fn kuberesources() -> Kuberesources {
    let provider = |resource: &str, provider: &str, key_name: &str| ConfiguredProvider {
        resource: resource.to_owned(),
        provider: provider.to_owned(),
        key_name: key_name.to_owned(),
    };
    Kuberesources {
        sha256: digest(0x55),
        size_bytes: 76_345,
        revisions: BTreeMap::from([("etcd".to_owned(), 3), ("kube-apiserver".to_owned(), 7)]),
        node: Some("master-0".to_owned()),
        control_plane_nodes: vec!["master-0".to_owned()],
        infrastructure_name: Some("prod-x7k2p".to_owned()),
        api_server_internal_url: None,
        openshift_version: None,
        etcd_endpoints: BTreeMap::new(),
        encryption_expected: true,
        encryption: Some(vec![
            provider("secrets", "aescbc", "9"),
            provider("secrets", "aescbc", "10"),
            provider("secrets", "identity", ""),
            provider("configmaps", "aescbc", "10"),
        ]),
        certificates: Vec::new().into(),
        findings: Vec::new(),
    }
}

/// A proof with this outcome.
pub(crate) fn proof(outcome: KeyOutcome) -> KeyProof {
    KeyProof {
        lines: vec![KeyProofLine {
            resource: "secrets".to_owned(),
            provider: "aescbc".to_owned(),
            key_name: "10".to_owned(),
            tried: 3,
            outcome,
            damaged: NamedValues::default(),
            mismatched: NamedValues::default(),
        }],
    }
}
