//! Encryption of one backup in short: who encrypted, with which keys, and whether they open it.

use crate::backup::Backup;
use crate::kubernetes::encryption::{
    EncryptionUse, IDENTITY, KeyOutcome, KeyProof, is_of_kube_apiserver,
};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// An outside key service.
const KMS: &str = "kms";

/// What is known about encryption in a backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncryptionSummary {
    /// The provider of all encrypted values; `none` without any, `mixed` with several.
    pub provider: String,
    /// Keys that the kube-apiserver's values were encrypted with, newest first.
    pub keys_used: Vec<String>,
    /// Keys that the kuberesources holds for them, newest first.
    pub keys_found: Vec<String>,
    /// Whether the keys open the values.
    pub proof: EncryptionProof,
    /// Live encrypted values.
    pub values: u64,
    /// Of these, the values that keys were tried on.
    pub values_tried: u64,
}

/// Whether the keys were shown to open the values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EncryptionProof {
    /// Every value that was tried could be opened.
    Decrypted,
    /// A key does not open its values.
    Failed,
    /// A key is not there.
    Missing,
    /// Nothing is encrypted.
    NotNeeded,
    /// It cannot be tried offline.
    Impossible,
}

impl EncryptionProof {
    /// The word in documents and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decrypted => "decrypted",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::NotNeeded => "not-needed",
            Self::Impossible => "impossible",
        }
    }
}

impl EncryptionSummary {
    /// The encryption of this backup.
    pub fn of(backup: &Backup) -> Self {
        let providers = providers(backup);
        Self {
            provider: match providers.len() {
                0 => "none".to_owned(),
                1 => providers.into_iter().collect(),
                _ => "mixed".to_owned(),
            },
            keys_used: keys_used(backup),
            keys_found: keys_found(backup),
            proof: proof(backup),
            values: encrypted(backup).map(|one| one.values).sum(),
            values_tried: backup
                .key_proof
                .iter()
                .flat_map(|proof| &proof.lines)
                .map(|line| line.tried)
                .sum(),
        }
    }
}

/// How live values are encrypted.
fn encrypted(backup: &Backup) -> impl Iterator<Item = &EncryptionUse> {
    let uses = backup
        .snapshot
        .iter()
        .flat_map(|half| &half.facts.encryption);
    uses.filter(|one| one.is_encrypted() && one.values > 0)
}

/// Providers that stored at least one live value.
fn providers(backup: &Backup) -> BTreeSet<String> {
    encrypted(backup).map(|one| one.provider.clone()).collect()
}

fn keys_used(backup: &Backup) -> Vec<String> {
    let uses = backup
        .snapshot
        .iter()
        .flat_map(|half| &half.facts.encryption);
    let used = uses.filter(|one| one.is_encrypted() && is_of_kube_apiserver(&one.resource));
    newest_first(used.map(|one| one.key_name.clone()))
}

fn keys_found(backup: &Backup) -> Vec<String> {
    let configured = backup
        .kuberesources
        .iter()
        .flat_map(|half| half.facts.encryption.iter().flatten());
    // A key service keeps its keys to itself: the archive only names it.
    let found = configured.filter(|one| {
        one.provider != IDENTITY && one.provider != KMS && is_of_kube_apiserver(&one.resource)
    });
    // Where there is no archive the keys were packed with the snapshot.
    let proven = backup.key_proof.iter().flat_map(|proof| &proof.lines);
    let packed = proven.filter(|line| backup.kuberesources.is_none() && line.opens());
    let packed = packed.map(|line| line.key_name.clone());
    newest_first(found.map(|one| one.key_name.clone()).chain(packed))
}

/// Key names are ascending numbers; others, as a KMS has, follow by name.
fn newest_first(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_by_cached_key(|name| (Reverse(name.parse::<u64>().ok()), name.clone()));
    names.dedup();
    names
}

fn proof(backup: &Backup) -> EncryptionProof {
    if providers(backup).is_empty() {
        return EncryptionProof::NotNeeded;
    }
    match &backup.key_proof {
        Some(proof) => worst(proof),
        None if backup.kuberesources.is_none() => EncryptionProof::Missing,
        None => EncryptionProof::Impossible,
    }
}

fn worst(proof: &KeyProof) -> EncryptionProof {
    let has = |outcome: KeyOutcome| proof.lines.iter().any(|line| line.outcome == outcome);
    let has_damaged = proof.lines.iter().any(|line| line.damaged.count > 0);
    if has(KeyOutcome::KeyWrong) || has_damaged {
        EncryptionProof::Failed
    } else if has(KeyOutcome::KeyMissing) || has(KeyOutcome::ConfigMissing) {
        EncryptionProof::Missing
    } else if has(KeyOutcome::External) || has(KeyOutcome::Unproven) || proof.lines.is_empty() {
        EncryptionProof::Impossible
    } else {
        EncryptionProof::Decrypted
    }
}
