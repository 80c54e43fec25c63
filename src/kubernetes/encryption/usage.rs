//! How a snapshot uses encryption at rest: which keys its values are sealed with, and the sealed values themselves.

use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The provider that leaves values as they are.
pub(crate) const IDENTITY: &str = "identity";

/// How many live values of one resource are stored in one way.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct EncryptionUse {
    /// Resource as `EncryptionConfiguration` spells it: `secrets`, `routes.route.openshift.io`.
    pub resource: String,
    /// `identity`, `aescbc`, `aesgcm`, `secretbox`, `kms`, or what stands in the prefix.
    pub provider: String,
    /// Key name in the prefix (for KMS: the provider's name); empty for `identity`.
    pub key_name: String,
    /// Live values stored in this way.
    pub values: u64,
}

impl EncryptionUse {
    /// False for plain values.
    pub fn is_encrypted(&self) -> bool {
        self.provider != IDENTITY
    }
}

/// Resources that the kube-apiserver encrypts, with the keys of the kuberesources. Those of other resources lie in
/// Secrets inside the snapshot.
pub(crate) fn is_of_kube_apiserver(resource: &str) -> bool {
    matches!(resource, "secrets" | "configmaps")
}

/// Values kept in memory for proofs that need the keys of the kuberesources. Never stored, never printed.
#[derive(Default)]
pub struct Sealed {
    /// A few live encrypted values for each resource, provider and key.
    pub samples: Vec<SealedValue>,
    /// Secrets that hold the encryption configs and keys of the other API servers (plain or encrypted).
    pub encryption_configs: Vec<SealedValue>,
    /// Secrets and ConfigMaps with signers and certificates, encrypted.
    pub certificates: Vec<SealedValue>,
}

/// One stored value as it lies in etcd.
pub struct SealedValue {
    /// The etcd key, such as `/kubernetes.io/secrets/ns/name`: the authenticated data of aesgcm.
    pub storage_key: Vec<u8>,
    /// Resource as in [`EncryptionUse::resource`].
    pub resource: String,
    /// The stored bytes, prefix included. Not every one is encrypted: it may hold keys as they are.
    pub value: Secret,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Sealed({} samples, {} encryption configs, {} certificates)",
            self.samples.len(),
            self.encryption_configs.len(),
            self.certificates.len()
        )
    }
}

impl fmt::Debug for SealedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedValue({} bytes)", self.value.len())
    }
}
