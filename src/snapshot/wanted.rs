//! Values that somebody will want to read once the tree has shown which pages are alive.
//!
//! A value may lie on several pages, stale copies among them. For each key only the newest few versions are kept,
//! each with the pages it was seen on; a version counts when one of its pages is alive and no newer one exists.

use crate::secret::Secret;
use std::collections::HashMap;

/// Versions kept of one key. Only the newest live one is wanted; the others are there in case it lies on a stale page.
const VERSIONS: usize = 4;
/// Pages noted for one version. Each commit leaves a stale copy of the last leaf behind: hundreds on large pages.
const MAX_PAGES: usize = 1 << 16;
/// Largest value that is kept.
const MAX_VALUE_BYTES: usize = 2 << 20;
/// Bytes of all values kept.
const MAX_TOTAL_BYTES: usize = 48 << 20;

/// One version of a key.
pub(super) struct Version {
    pub(super) main: i64,
    /// It may hold a private key, or the keys of an API server.
    pub(super) value: Secret,
    pub(super) pages: Vec<u64>,
}

/// Newest versions of some keys.
#[derive(Default)]
pub(super) struct Wanted {
    keys: HashMap<Vec<u8>, (u64, Vec<Version>)>,
    total_bytes: usize,
}

impl Wanted {
    /// Offers a version of a key; it is kept if it is among the newest.
    pub(super) fn offer(&mut self, key: &[u8], key_hash: u64, main: i64, page: u64, value: &[u8]) {
        if value.len() > MAX_VALUE_BYTES || self.total_bytes + value.len() > MAX_TOTAL_BYTES {
            return;
        }
        if !self.keys.contains_key(key) {
            self.keys
                .insert(key.to_vec(), (key_hash, Vec::with_capacity(VERSIONS)));
        }
        let Some((_, versions)) = self.keys.get_mut(key) else {
            return;
        };
        if let Some(same) = versions
            .iter_mut()
            .find(|version| version.main == main && version.value.expose() == value)
        {
            if same.pages.len() < MAX_PAGES {
                same.pages.push(page);
            }
            return;
        }
        if versions.len() >= VERSIONS {
            let oldest = versions
                .iter()
                .enumerate()
                .min_by_key(|(_, version)| version.main);
            match oldest.map(|(index, version)| (index, version.main)) {
                Some((index, oldest)) if oldest < main => {
                    self.total_bytes -= versions.swap_remove(index).value.len();
                }
                _ => return,
            }
        }
        self.total_bytes += value.len();
        versions.push(Version {
            main,
            value: Secret::new(value.to_vec()),
            pages: vec![page],
        });
    }

    /// Hashes of the keys that have a version.
    pub(super) fn key_hashes(&self) -> impl Iterator<Item = u64> {
        self.keys.values().map(|(key_hash, _)| *key_hash)
    }

    /// Key, hash and versions, by key.
    pub(super) fn into_sorted(self) -> Vec<(Vec<u8>, u64, Vec<Version>)> {
        let mut keys: Vec<_> = self
            .keys
            .into_iter()
            .map(|(key, (hash, versions))| (key, hash, versions))
            .collect();
        keys.sort_by(|left, right| left.0.cmp(&right.0));
        keys
    }
}

/// What a wanted value is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// A custom resource that describes the cluster.
    Cluster,
    /// A Secret with the encryption config or a key of another API server.
    EncryptionConfig,
    /// A Secret with a certificate.
    Certificate,
}

/// Is the value at this storage key wanted, and what for?
pub(super) fn purpose(storage_key: &[u8]) -> Option<Purpose> {
    let path = storage_key.strip_prefix(b"/kubernetes.io/")?;
    match path.first()? {
        b'c' => path
            .strip_prefix(b"config.openshift.io/")
            .filter(|path| is_config(path))
            .map(|_| Purpose::Cluster),
        b'o' => path
            .strip_prefix(b"operator.openshift.io/")
            .filter(|path| is_operator(path))
            .map(|_| Purpose::Cluster),
        b's' => path.strip_prefix(b"secrets/").and_then(secret_purpose),
        _ => None,
    }
}

fn is_config(path: &[u8]) -> bool {
    matches!(
        path,
        b"clusterversions/version"
            | b"infrastructures/cluster"
            | b"clusteroperators/etcd"
            | b"clusteroperators/kube-apiserver"
            | b"clusteroperators/kube-controller-manager"
            | b"clusteroperators/kube-scheduler"
    )
}

fn is_operator(path: &[u8]) -> bool {
    matches!(
        path,
        b"etcds/cluster"
            | b"kubeapiservers/cluster"
            | b"kubecontrollermanagers/cluster"
            | b"kubeschedulers/cluster"
    )
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
