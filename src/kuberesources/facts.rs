//! What is learnt from one `static_kuberesources_*.tar.gz`.

use crate::digest::Sha256Digest;
use crate::finding::Finding;
use crate::kubernetes::certificate::Certificates;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything learnt in one pass over a kuberesources archive. Holds no key material.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Kuberesources {
    /// SHA-256 of the file as it lies on disk.
    pub sha256: Sha256Digest,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// Static pod revision by component (`etcd`, `kube-apiserver`, ...).
    pub revisions: BTreeMap<String, i64>,
    /// The control-plane node it was taken on.
    pub node: Option<String>,
    /// Names of all control-plane nodes it mentions, ascending.
    pub control_plane_nodes: Vec<String>,
    /// `cluster-name` of the kube-controller-manager: the infrastructure name.
    pub infrastructure_name: Option<String>,
    /// Server of the `lb-int` kubeconfig: the internal API URL.
    pub api_server_internal_url: Option<String>,
    /// `OPERATOR_IMAGE_VERSION` (OpenShift 4.19 and later).
    pub openshift_version: Option<String>,
    /// ConfigMap `etcd-endpoints`: member id (hex) to address.
    pub etcd_endpoints: BTreeMap<String, String>,
    /// The kube-apiserver is configured with an encryption config file.
    pub encryption_expected: bool,
    /// Providers of the EncryptionConfiguration in file order; `None` when there is no such file.
    pub encryption: Option<Vec<ConfiguredProvider>>,
    /// Every certificate in the archive, by path.
    pub certificates: Certificates,
    /// What the archive alone proves to be wrong.
    pub findings: Vec<Finding>,
}

/// One provider of an EncryptionConfiguration, without its key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConfiguredProvider {
    /// Resource as the configuration spells it.
    pub resource: String,
    /// `identity`, `aescbc`, `aesgcm`, `secretbox`, `kms`.
    pub provider: String,
    /// Key name; for KMS the provider's name; empty for `identity`.
    pub key_name: String,
}
