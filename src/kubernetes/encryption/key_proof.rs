//! What the keys were shown to do.

use serde::{Deserialize, Serialize};

/// What the keys of the kuberesources were shown to do for the values of the snapshot.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct KeyProof {
    /// One line for each resource, provider and key in use.
    pub lines: Vec<KeyProofLine>,
}

/// The outcome for one resource, provider and key name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyProofLine {
    /// Resource, provider and key name as in `EncryptionUse`.
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
