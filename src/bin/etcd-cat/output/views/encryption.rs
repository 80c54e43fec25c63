//! Encryption as documents tell it.

use etcd_cat::backup::Backup;
use etcd_cat::judgement::EncryptionSummary;
use serde::Serialize;

/// `encryption` of a backup.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptionView {
    provider: String,
    keys_used: Vec<String>,
    keys_found: Vec<String>,
    proof: &'static str,
}

impl EncryptionView {
    pub(super) fn new(backup: &Backup) -> Self {
        let summary = EncryptionSummary::of(backup);
        Self {
            provider: summary.provider,
            keys_used: summary.keys_used,
            keys_found: summary.keys_found,
            proof: summary.proof.as_str(),
        }
    }
}
