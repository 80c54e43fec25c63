//! What the keys were shown to do.

use crate::kubernetes::key_text::storage_key_text;
use serde::{Deserialize, Serialize};

/// Odd values whose storage keys are told.
const MAX_TOLD: usize = 8;

/// What the keys of the kuberesources were shown to do for the values of the snapshot.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct KeyProof {
    /// One line for each resource, provider and key in use.
    pub lines: Vec<KeyProofLine>,
}

impl KeyProof {
    /// Keeps what an earlier proof of the same files has shown with more values.
    pub(crate) fn keep_from(&mut self, earlier: &Self) {
        for line in self.lines.iter_mut().filter(|line| line.opens()) {
            let more = earlier
                .lines
                .iter()
                .find(|other| other.opens() && other.tried > line.tried && other.is_of_what(line));
            if let Some(more) = more {
                line.clone_from(more);
            }
        }
    }
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
    /// Values that the key does not open while it opens others: damaged.
    #[serde(default)]
    pub damaged: NamedValues,
    /// Values that it opens, and that are other objects than their storage keys say.
    #[serde(default)]
    pub mismatched: NamedValues,
}

impl KeyProofLine {
    /// The key is right: it opens values, whatever some of them are like.
    pub fn opens(&self) -> bool {
        self.outcome == KeyOutcome::Decrypted
    }

    fn is_of_what(&self, other: &Self) -> bool {
        self.resource == other.resource
            && self.provider == other.provider
            && self.key_name == other.key_name
    }
}

/// Some of the values that were tried.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct NamedValues {
    /// How many.
    pub count: u64,
    /// The storage keys of the first of them, unprintable bytes escaped; those of tokens are not told.
    pub keys: Vec<String>,
}

impl NamedValues {
    /// Counts one more, and keeps its storage key if it is among the first.
    pub(crate) fn add(&mut self, storage_key: &[u8]) {
        self.count += 1;
        if self.keys.len() < MAX_TOLD {
            self.keys.push(storage_key_text(storage_key));
        }
    }
}

/// What came of trying one key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum KeyOutcome {
    /// Every value tried was opened, but for damaged ones.
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
