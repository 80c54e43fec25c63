//! Hand-made facts of one healthy cluster, for tests to spoil.

use crate::backup::{Backup, Located};
use crate::digest::Sha256Digest;
use crate::finding::Code;
use crate::inventory::{Inventory, Proven};
use crate::judgement::{Standpoint, judge};
use crate::kuberesources::{ConfiguredProvider, Kuberesources};
use crate::kubernetes::certificate::Certificate;
use crate::kubernetes::encryption::{
    EncryptionUse, KeyOutcome, KeyProof, KeyProofLine, NamedValues,
};
use crate::openshift::{Cluster, HistoryEntry, NodeRevision, OperatorRollout, Topology};
use crate::snapshot::{Flavour, Member, Snapshot, Status};
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// The four static pods and their revisions in the healthy cluster.
pub(crate) const REVISIONS: [(&str, i64); 4] = [
    ("etcd", 3),
    ("kube-apiserver", 7),
    ("kube-controller-manager", 7),
    ("kube-scheduler", 6),
];

const NODES: [&str; 3] = ["master-0", "master-1", "master-2"];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("tests write RFC 3339")
}

pub(crate) fn digest(seed: u64) -> Sha256Digest {
    let mut bytes = [0; 32];
    for (byte, seed) in bytes.iter_mut().zip(seed.to_be_bytes()) {
        *byte = seed;
    }
    Sha256Digest(bytes)
}

/// `prod` and `dev` share node names and revisions, as real clusters do.
pub(crate) fn infrastructure_name(cluster: &str) -> String {
    format!("{cluster}-7xk2p")
}

fn api_url(cluster: &str) -> String {
    format!("https://api-int.{cluster}.example.com:6443")
}

fn member_id(cluster: &str, node: u64) -> u64 {
    let name = cluster
        .bytes()
        .fold(0, |sum: u64, byte| (sum << 8) | u64::from(byte));
    (name << 8) | node
}

/// A sound snapshot of a healthy cluster at 4.17.3, taken seven seconds after three.
pub(crate) fn snapshot(cluster: &str, seed: u64) -> Snapshot {
    let members = NODES.iter().zip(1..).map(|(node, number)| Member {
        id: member_id(cluster, number),
        name: (*node).to_owned(),
        peer_urls: Vec::new(),
        client_urls: Vec::new(),
        is_learner: false,
    });
    Snapshot {
        size_bytes: 114_446_368,
        computed: digest(seed),
        trailer: Some(digest(seed)),
        page_size: Some(4096),
        status: Status {
            revision: Some(31_407),
            ..Status::default()
        },
        live_keys: Some(11_012),
        compact_revision: Some(30_001),
        cluster_version: Some("3.5.0".to_owned()),
        storage_version: None,
        members: members.collect(),
        flavour: Flavour::OpenShift,
        cluster: healthy_cluster(cluster),
        newest_lease_at: Some(at("2024-11-02T03:00:07Z")),
        newest_content_at: Some(at("2024-11-02T02:58:00Z")),
        encryption: Vec::new(),
        certificates: crate::kubernetes::certificate::Certificates::default(),
        findings: Vec::new(),
        live_digest: None,
        mended: None,
        kinds: Vec::new(),
    }
}

fn healthy_cluster(cluster: &str) -> Cluster {
    let operators = REVISIONS
        .iter()
        .map(|(component, revision)| OperatorRollout {
            component: (*component).to_owned(),
            latest_available_revision: Some(*revision),
            nodes: NODES
                .iter()
                .map(|node| node_revision(node, *revision))
                .collect(),
            progressing: Some(false),
            operator_version: Some("4.17.3".to_owned()),
        });
    Cluster {
        id: Some(format!("id-of-{cluster}")),
        infrastructure_name: Some(infrastructure_name(cluster)),
        api_server_url: None,
        api_server_internal_url: Some(api_url(cluster)),
        topology: Some(Topology::HighlyAvailable),
        desired_version: Some("4.17.3".to_owned()),
        history: vec![
            history("4.17.3", "Completed"),
            history("4.16.9", "Completed"),
        ],
        installed_at: Some(at("2024-01-01T00:00:00Z")),
        operators: operators.collect(),
        ..Cluster::default()
    }
}

fn node_revision(node: &str, revision: i64) -> NodeRevision {
    NodeRevision {
        node: node.to_owned(),
        current_revision: revision,
        target_revision: 0,
    }
}

pub(crate) fn history(version: &str, state: &str) -> HistoryEntry {
    HistoryEntry {
        version: version.to_owned(),
        state: state.to_owned(),
        started_at: None,
        completed_at: None,
    }
}

/// The kuberesources of the same moment, taken on master-0.
pub(crate) fn kuberesources(cluster: &str, seed: u64) -> Kuberesources {
    let endpoints = (1..=3).map(|number| {
        (
            format!("{:x}", member_id(cluster, number)),
            format!("10.0.0.{number}"),
        )
    });
    Kuberesources {
        sha256: digest(seed),
        size_bytes: 76_345,
        revisions: REVISIONS
            .iter()
            .map(|(name, revision)| ((*name).to_owned(), *revision))
            .collect(),
        node: Some("master-0".to_owned()),
        control_plane_nodes: NODES.iter().map(|node| (*node).to_owned()).collect(),
        infrastructure_name: Some(infrastructure_name(cluster)),
        api_server_internal_url: Some(api_url(cluster)),
        openshift_version: None,
        etcd_endpoints: endpoints.collect::<BTreeMap<_, _>>(),
        encryption_expected: false,
        encryption: None,
        certificates: crate::kubernetes::certificate::Certificates::default(),
        findings: Vec::new(),
    }
}

pub(crate) fn located<T>(facts: T, path: &str) -> Located<T> {
    Located {
        modified_at: Some(at("2024-11-02T03:01:00Z")),
        ..Located::alone(facts, ObjectId::from(path))
    }
}

/// Names of one run.
pub(crate) const DB: &str = "/b/snapshot_2024-11-02_030000.db";
/// Names of one run.
pub(crate) const TAR: &str = "/b/static_kuberesources_2024-11-02_030000.tar.gz";

/// One healthy pair.
pub(crate) fn healthy() -> Inventory {
    Inventory {
        snapshots: vec![located(snapshot("prod", 1), DB)],
        kuberesources: vec![located(kuberesources("prod", 2), TAR)],
        ..Inventory::default()
    }
}

/// The healthy pair with Secrets encrypted by aescbc key 7, in separate directories.
pub(crate) fn encrypted(outcome: KeyOutcome) -> Inventory {
    let mut inventory = healthy();
    for half in &mut inventory.snapshots {
        half.facts.encryption = vec![usage("secrets", "aescbc", "7", 12)];
    }
    for half in &mut inventory.kuberesources {
        let name = half.path.file_name().expect("fixtures have names");
        half.path = ObjectId::from("/keys").join(name);
        half.facts.encryption = Some(vec![ConfiguredProvider {
            resource: "secrets".to_owned(),
            provider: "aescbc".to_owned(),
            key_name: "7".to_owned(),
        }]);
    }
    inventory
        .proofs
        .insert(digest(1), digest(2), proven("7", outcome));
    inventory
}

pub(crate) fn usage(resource: &str, provider: &str, key_name: &str, values: u64) -> EncryptionUse {
    EncryptionUse {
        resource: resource.to_owned(),
        provider: provider.to_owned(),
        key_name: key_name.to_owned(),
        values,
    }
}

pub(crate) fn proven(key_name: &str, outcome: KeyOutcome) -> Proven {
    let line = KeyProofLine {
        resource: "secrets".to_owned(),
        provider: "aescbc".to_owned(),
        key_name: key_name.to_owned(),
        tried: 12,
        outcome,
        damaged: NamedValues::default(),
        mismatched: NamedValues::default(),
    };
    Proven {
        key_proof: KeyProof { lines: vec![line] },
        certificates: crate::kubernetes::certificate::Certificates::default(),
    }
}

pub(crate) fn certificate(place: &str, subject: &str, is_ca: bool, until: &str) -> Certificate {
    Certificate {
        is_annotated: true,
        place: place.to_owned(),
        subject: subject.to_owned(),
        issuer: "CN=issuer".to_owned(),
        is_ca,
        not_before: at("2023-11-02T00:00:00Z"),
        not_after: at(until),
    }
}

/// Judged a day after it was taken.
pub(crate) fn judged(inventory: Inventory) -> Vec<Backup> {
    judged_accepting(inventory, &[])
}

pub(crate) fn judged_accepting(inventory: Inventory, accept: &[Code]) -> Vec<Backup> {
    let picks = HashMap::new();
    judge(
        inventory,
        &Standpoint {
            as_of: at("2024-11-03T03:00:00Z"),
            accept,
            picks: &picks,
        },
    )
}

pub(crate) fn codes(backup: &Backup) -> Vec<&'static str> {
    backup
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

/// The only backup of an inventory.
pub(crate) fn only(inventory: Inventory) -> Backup {
    let mut backups = judged(inventory);
    assert_eq!(backups.len(), 1, "one backup was expected");
    backups.pop().expect("counted above")
}
