//! Facts as large and as varied as those of a real cluster, made from a number.

use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::{Verdict, Verification};
use etcd_cat::catalogue::{CatalogueChange, Content, SnapshotKey, Subject};
use etcd_cat::digest::Sha256Digest;
use etcd_cat::finding::{Code, Finding};
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::kubernetes::certificate::{Certificate, Certificates};
use etcd_cat::kubernetes::encryption::EncryptionUse;
use etcd_cat::openshift::{
    BlockingWebhook, Cluster, ControlPlaneNode, HistoryEntry, NodeRevision, OperatorRollout,
    Topology,
};
use etcd_cat::snapshot::{Flavour, KindContent, Member, Snapshot, Status};
use etcd_cat::source::{FileIdentity, ObjectId, ObjectIdentity, TaggedIdentity};
use std::ffi::OsString;

/// Backups of one cluster before the next begins.
const BACKUPS_OF_CLUSTER: u64 = 500;
/// Backups between two rotations of certificates.
const BACKUPS_OF_ROTATION: u64 = 50;
const CONTROL_PLANE: [&str; 3] = ["master-0", "master-1", "master-2"];
const COMPONENTS: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// Nanosecond precision, as file times and Leases have.
pub(crate) fn instant(hours: u64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_700_000_000, 123_456_789).expect("in range");
    start + TimeDelta::hours(i64::try_from(hours).expect("small"))
}

pub(crate) fn digest(kind: u8, number: u64) -> Sha256Digest {
    // Spread over the whole range, as real digests are.
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let mut bytes = [kind; 32];
    for (byte, mixed) in bytes.iter_mut().zip(mixed) {
        *byte = mixed;
    }
    Sha256Digest(bytes)
}

pub(crate) fn key(number: u64) -> SnapshotKey {
    SnapshotKey::of(&snapshot(number))
}

pub(crate) fn snapshot(number: u64) -> Snapshot {
    let of_cluster = number % BACKUPS_OF_CLUSTER;
    let computed = digest(1, number);
    Snapshot {
        size_bytes: 104_857_632 + of_cluster * 4096,
        computed,
        trailer: Some(computed),
        page_size: Some(4096),
        status: Status {
            hash: Some(0xcafe),
            revision: i64::try_from(1_000_000 + of_cluster * 3000).ok(),
            total_key: Some(30_000),
            total_size: Some(104_857_600 + of_cluster * 4096),
        },
        live_keys: Some(12_000 + of_cluster),
        compact_revision: i64::try_from(990_000 + of_cluster * 3000).ok(),
        cluster_version: Some("3.5.0".to_owned()),
        storage_version: None,
        members: CONTROL_PLANE
            .iter()
            .zip(1..)
            .map(|(name, id)| member(name, id))
            .collect(),
        flavour: Flavour::OpenShift,
        cluster: cluster(number / BACKUPS_OF_CLUSTER, of_cluster),
        newest_lease_at: Some(instant(number)),
        newest_content_at: Some(instant(number)),
        encryption: ["secrets", "configmaps", "routes.route.openshift.io"]
            .map(encryption)
            .to_vec(),
        certificates: certificates("/kubernetes.io/secrets/openshift-", 180, number),
        findings: findings(number),
        live_digest: None,
        mended: None,
        kinds: vec![KindContent {
            plural: "routes".to_owned(),
            group: "route.openshift.io".to_owned(),
            objects: 40,
            value_bytes: 60_000,
            newest_revision: 31_000,
        }],
    }
}

fn member(name: &str, id: u64) -> Member {
    Member {
        id: 0x8e9e_05c5_2164_694d ^ id,
        name: name.to_owned(),
        peer_urls: vec![format!("https://10.0.0.{id}:2380")],
        client_urls: vec![format!("https://10.0.0.{id}:2379")],
        is_learner: false,
    }
}

fn encryption(resource: &str) -> EncryptionUse {
    EncryptionUse {
        resource: resource.to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
        values: 913,
    }
}

fn cluster(number: u64, age: u64) -> Cluster {
    let entry = |z: u64| HistoryEntry {
        version: format!("4.17.{z}"),
        state: "Completed".to_owned(),
        started_at: Some(instant(z)),
        completed_at: Some(instant(z + 1)),
    };
    Cluster {
        id: Some(format!("{number:08x}-2bd5-4a5e-9c3f-0123456789ab")),
        infrastructure_name: Some(format!("cluster{number}-x7k2p")),
        api_server_url: Some(format!("https://api.cluster{number}.example.com:6443")),
        api_server_internal_url: Some(format!("https://api-int.cluster{number}.example.com:6443")),
        topology: Some(Topology::HighlyAvailable),
        desired_version: Some(format!("4.17.{}", age / 40)),
        history: (0..=age / 40).rev().map(entry).collect(),
        installed_at: Some(instant(0)),
        operators: COMPONENTS
            .iter()
            .map(|component| rollout(component))
            .collect(),
        control_plane: CONTROL_PLANE.iter().map(|name| node(name)).collect(),
        blocking_webhooks: vec![BlockingWebhook {
            kind: "validatingwebhookconfiguration".to_owned(),
            name: "policy".to_owned(),
            namespaces: vec!["gatekeeper-system".to_owned()],
        }],
    }
}

fn node(name: &str) -> ControlPlaneNode {
    ControlPlaneNode {
        name: name.to_owned(),
        internal_address: Some("10.0.0.10".to_owned()),
    }
}

fn rollout(component: &str) -> OperatorRollout {
    let node = |node: &&str| NodeRevision {
        node: (*node).to_owned(),
        current_revision: 7,
        target_revision: 0,
    };
    OperatorRollout {
        component: component.to_owned(),
        latest_available_revision: Some(7),
        nodes: CONTROL_PLANE.iter().map(node).collect(),
        progressing: Some(false),
        operator_version: Some("4.17.3".to_owned()),
    }
}

fn certificates(place: &str, count: u64, backup: u64) -> Certificates {
    let rotation = backup / BACKUPS_OF_ROTATION;
    let certificate = |number: u64| Certificate {
        is_annotated: true,
        place: format!("{place}component-{number}/serving-cert tls.crt"),
        subject: format!("CN=service-{number}.openshift-component.svc, O=system:masters"),
        issuer: "CN=openshift-service-serving-signer@1700000000".to_owned(),
        is_ca: number.is_multiple_of(10),
        not_before: instant(rotation),
        not_after: instant(rotation + 17_520),
    };
    (0..count).map(certificate).collect::<Vec<_>>().into()
}

fn findings(number: u64) -> Vec<Finding> {
    let finding = || {
        Finding::new(Code::CertificateExpired, "the serving certificate ended")
            .with("notAfter", "2024-11-02T03:00:07Z")
            .with("places", vec!["a".to_owned(), "b".to_owned()])
            .with("count", 2u32)
    };
    if number % 10 == 9 {
        vec![finding()]
    } else {
        Vec::new()
    }
}

pub(crate) fn kuberesources(number: u64) -> Kuberesources {
    Kuberesources {
        sha256: digest(2, number),
        size_bytes: 76_345,
        revisions: COMPONENTS
            .iter()
            .map(|component| ((*component).to_owned(), 7))
            .collect(),
        node: Some("master-0".to_owned()),
        control_plane_nodes: CONTROL_PLANE.iter().map(|&node| node.to_owned()).collect(),
        infrastructure_name: Some(format!("cluster{}-x7k2p", number / BACKUPS_OF_CLUSTER)),
        api_server_internal_url: Some("https://api-int.example.com:6443".to_owned()),
        openshift_version: None,
        etcd_endpoints: (1..4u8)
            .map(|id| (format!("8e9e05c52164694{id}"), format!("10.0.0.{id}")))
            .collect(),
        encryption_expected: true,
        encryption: Some(Vec::new()),
        certificates: certificates(
            "static-pod-resources/kube-apiserver-pod-7/secrets/",
            80,
            number,
        ),
        findings: Vec::new(),
    }
}

pub(crate) fn identity(number: u64) -> ObjectIdentity {
    ObjectIdentity::File(FileIdentity {
        device: 64_513,
        inode: number,
        size_bytes: 104_857_632,
        modified_seconds: 1_700_000_000,
        modified_nanoseconds: 7,
    })
}

pub(crate) fn file(path: impl Into<ObjectId>, content: Content, number: u64) -> CatalogueChange {
    CatalogueChange::File {
        path: path.into(),
        identity: identity(number),
        content,
        read_at: instant(number),
        custody: None,
    }
}

/// An object that a bucket received at that hour.
pub(crate) fn object(url: &str, content: Content, number: u64) -> CatalogueChange {
    let size_bytes = match &content {
        Content::Snapshot(key) => key.size_bytes,
        _ => 7,
    };
    CatalogueChange::File {
        path: ObjectId::from(url),
        identity: ObjectIdentity::Tagged(TaggedIdentity {
            tag: "t".into(),
            version: None,
            size_bytes,
            modified_seconds: instant(number).timestamp(),
            modified_nanoseconds: 0,
        }),
        content,
        read_at: instant(number),
        custody: None,
    }
}

pub(crate) fn snapshot_path(number: u64) -> ObjectId {
    ObjectId::from(OsString::from(format!(
        "/backups/cluster{}/snapshot_{number:06}.db",
        number / BACKUPS_OF_CLUSTER
    )))
}

pub(crate) fn kuberesources_path(number: u64) -> ObjectId {
    let directory = snapshot_path(number).parent().expect("in a directory");
    directory.join(format!("static_kuberesources_{number:06}.tar.gz").as_ref())
}

/// All that `index` records of one backup.
pub(crate) fn backup(number: u64) -> Vec<CatalogueChange> {
    let subject = Subject::Snapshot(key(number));
    let verification = Verification {
        at: instant(number),
        verdict: Verdict::Valid,
        accepted: Vec::new(),
    };
    vec![
        CatalogueChange::Snapshot(Box::new(snapshot(number))),
        CatalogueChange::Kuberesources(Box::new(kuberesources(number))),
        file(
            snapshot_path(number),
            Content::Snapshot(key(number)),
            2 * number,
        ),
        file(
            kuberesources_path(number),
            Content::Kuberesources(digest(2, number)),
            2 * number + 1,
        ),
        CatalogueChange::Verification {
            subject,
            verification,
        },
    ]
}
