//! Encryption at rest: prefixes of stored values, the key ring, and the proof that it opens them.

mod cipher;
pub mod config;
pub mod key_ring;
pub mod proof;
mod usage;
pub mod value;

pub use key_ring::{KeyRing, OpenError};
pub use proof::{Proven, prove};
pub use usage::{EncryptionUse, Sealed, SealedValue};

use serde::{Deserialize, Serialize};

/// The provider that leaves values as they are.
pub const IDENTITY: &str = "identity";

/// Resources that the kube-apiserver encrypts, with the keys of the kuberesources. Those of other resources lie in
/// Secrets inside the snapshot.
pub fn is_of_kube_apiserver(resource: &str) -> bool {
    matches!(resource, "secrets" | "configmaps")
}

/// What the keys of the kuberesources were shown to do for the values of the snapshot.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct KeyProof {
    /// One line for each resource, provider and key in use.
    pub lines: Vec<KeyProofLine>,
}

/// The outcome for one resource, provider and key name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyProofLine {
    /// Resource, provider and key name as in [`EncryptionUse`].
    pub resource: String,
    /// `aescbc`, `aesgcm`, `secretbox`, `kms`.
    pub provider: String,
    /// The key's name.
    pub key_name: String,
    /// Values tried.
    pub tried: u64,
    /// What came of it.
    pub outcome: KeyOutcome,
}

/// What came of trying one key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum KeyOutcome {
    /// Every value tried was opened.
    Decrypted,
    /// No configuration for this resource at all.
    ConfigMissing,
    /// The configuration has no key of this name.
    KeyMissing,
    /// A key of this name is there and does not open the values.
    KeyWrong,
    /// Cannot be proven offline (KMS, or a provider this program does not know).
    External,
    /// The key is there but no value could be sampled.
    Unproven,
}
