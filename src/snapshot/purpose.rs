//! Which values are wanted, and what for, by their storage keys.

use crate::openshift::ClusterObject;

/// What a wanted value is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// An object that describes the cluster.
    Cluster(ClusterObject),
    /// A Secret with the encryption config or a key of another API server.
    EncryptionConfig,
    /// A Secret with a certificate.
    Certificate,
    /// The ConfigMap in which MicroShift keeps its version.
    MicroShift,
}

/// Where MicroShift keeps its version.
const MICROSHIFT_VERSION: &[u8] = b"configmaps/kube-public/microshift-version";

/// Is the value at this storage key wanted, and what for?
pub(super) fn purpose(storage_key: &[u8]) -> Option<Purpose> {
    let path = storage_key.strip_prefix(b"/kubernetes.io/")?;
    match path.first()? {
        b'c' if path == MICROSHIFT_VERSION => Some(Purpose::MicroShift),
        b'c' | b'o' | b'm' | b'v' => ClusterObject::at(storage_key).map(Purpose::Cluster),
        b's' => path.strip_prefix(b"secrets/").and_then(secret_purpose),
        _ => None,
    }
}

fn secret_purpose(path: &[u8]) -> Option<Purpose> {
    let slash = path.iter().position(|&byte| byte == b'/')?;
    let (namespace, name) = (path.get(..slash)?, path.get(slash + 1..)?);
    match namespace {
        b"openshift-apiserver" | b"openshift-oauth-apiserver" => name
            .starts_with(b"encryption-config")
            .then_some(Purpose::EncryptionConfig),
        b"openshift-config-managed" if name.starts_with(b"encryption-key-") => {
            Some(Purpose::EncryptionConfig)
        }
        b"openshift-kube-apiserver-operator"
        | b"openshift-kube-controller-manager-operator"
        | b"openshift-etcd-operator"
        | b"openshift-kube-scheduler"
        | b"openshift-kube-apiserver"
        | b"openshift-kube-controller-manager"
        | b"openshift-config-managed" => is_unrevisioned(name).then_some(Purpose::Certificate),
        b"openshift-etcd" | b"openshift-config" => {
            is_etcd_certificate(name).then_some(Purpose::Certificate)
        }
        _ => None,
    }
}

/// Copies such as `etcd-client-7` are made for each static pod revision; the one without a number is the current one.
fn is_unrevisioned(name: &[u8]) -> bool {
    let digits = name
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    digits == 0
        || name
            .len()
            .checked_sub(digits + 1)
            .and_then(|dash| name.get(dash))
            != Some(&b'-')
}

/// Node names end in a number themselves, so these are told by how they begin.
fn is_etcd_certificate(name: &[u8]) -> bool {
    let starts: [&[u8]; 4] = [
        b"etcd-peer-",
        b"etcd-serving-",
        b"etcd-signer",
        b"etcd-metric-signer",
    ];
    starts.iter().any(|start| name.starts_with(start))
}
