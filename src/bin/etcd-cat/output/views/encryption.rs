//! Encryption as documents tell it.

use etcd_cat::backup::Backup;
use etcd_cat::judgement::EncryptionSummary;
use serde::Serialize;

/// `encryption` of a backup.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptionView {
    /// `none`, `aescbc`, `aesgcm`, `secretbox`, `kms`, or `mixed`.
    provider: String,
    /// Names of the keys that live values need, the newest first.
    keys_used: Vec<String>,
    /// Names of the keys in the kuberesources, the newest first.
    keys_found: Vec<String>,
    /// `decrypted`, `failed`, `missing`, `not-needed`, or `impossible`: whether the keys open values.
    proof: &'static str,
    /// Live encrypted values.
    values: u64,
    /// Of these, the values that keys were tried on: a sample, or all with `--decrypt all`.
    values_tried: u64,
}

impl EncryptionView {
    pub(super) fn new(backup: &Backup) -> Self {
        let summary = EncryptionSummary::of(backup);
        Self {
            provider: summary.provider,
            keys_used: summary.keys_used,
            keys_found: summary.keys_found,
            proof: summary.proof.as_str(),
            values: summary.values,
            values_tried: summary.values_tried,
        }
    }
}
