//! A key that does not open what it should, in words.

use crate::finding::{Code, Finding};
use crate::kubernetes::encryption::{EncryptionUse, KeyOutcome, is_of_kube_apiserver};
use std::collections::BTreeSet;

/// Where the keys of a resource are kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum KeyStage {
    /// In the kuberesources: the kube-apiserver's.
    Archive,
    /// In Secrets of the snapshot, sealed with the keys of the first stage: the other API servers'.
    Snapshot,
}

impl KeyStage {
    pub(super) fn of(resource: &str) -> Self {
        if is_of_kube_apiserver(resource) {
            Self::Archive
        } else {
            Self::Snapshot
        }
    }
}

/// Values that one key, or its absence, keeps shut.
pub(super) struct KeyProblem<'a> {
    pub(super) outcome: KeyOutcome,
    pub(super) stage: KeyStage,
    pub(super) provider: &'a str,
    /// Empty for key services.
    pub(super) key_name: &'a str,
    pub(super) lines: &'a [&'a EncryptionUse],
    /// The kuberesources.
    pub(super) path: &'a str,
}

impl KeyProblem<'_> {
    /// `None` when the key opened what it should.
    pub(super) fn finding(&self) -> Option<Finding> {
        let (code, message, remedy) = match self.outcome {
            KeyOutcome::Decrypted => return None,
            KeyOutcome::ConfigMissing => (
                Code::EncryptionConfigMissing,
                self.no_configuration(),
                self.where_keys_are(),
            ),
            KeyOutcome::KeyMissing => (
                Code::EncryptionKeyMissing,
                self.no_key(),
                self.where_keys_are(),
            ),
            KeyOutcome::KeyWrong => (
                Code::EncryptionKeyWrong,
                self.wrong_key(),
                "this kuberesources is of another cluster or another time: find the one of the same run".to_owned(),
            ),
            KeyOutcome::External => (
                Code::EncryptionExternal,
                format!("{} are encrypted by a key service (KMS), so nothing can be proven offline", self.what()),
                "make sure that the key service, with its key of that time, will answer during the restore".to_owned(),
            ),
            KeyOutcome::Unproven => (
                Code::EncryptionExternal,
                format!("{} key {} was not tried: no value of {} was at hand", self.provider, self.key_name, self.resources().join(", ")),
                "read both halves again with etcd-cat verify".to_owned(),
            ),
        };
        let mut finding = Finding::new(code, message).with("provider", self.provider);
        if self.key_name.is_empty() {
            let keys: BTreeSet<String> = self
                .lines
                .iter()
                .map(|line| line.key_name.clone())
                .collect();
            finding = finding.with("keys", keys.into_iter().collect::<Vec<String>>());
        } else {
            finding = finding.with("key", self.key_name);
        }
        Some(
            finding
                .with("resources", self.resources())
                .with("values", self.values())
                .with("kuberesources", self.path)
                .remedy(remedy),
        )
    }

    fn values(&self) -> u64 {
        let values = self.lines.iter().map(|line| line.values);
        values.fold(0, u64::saturating_add)
    }

    fn resources(&self) -> Vec<String> {
        let resources: BTreeSet<&str> = self
            .lines
            .iter()
            .map(|line| line.resource.as_str())
            .collect();
        resources.into_iter().map(str::to_owned).collect()
    }

    /// `58 values of configmaps, secrets`.
    fn what(&self) -> String {
        let values = self.values();
        let noun = if values == 1 { "value" } else { "values" };
        format!("{values} {noun} of {}", self.resources().join(", "))
    }

    fn no_configuration(&self) -> String {
        let (what, provider, key) = (self.what(), self.provider, self.key_name);
        match self.stage {
            KeyStage::Archive => format!(
                "no keys in the kuberesources: {what} are encrypted with {provider} key {key}, and {} has no \
                 encryption configuration for them",
                self.path
            ),
            KeyStage::Snapshot => format!(
                "no keys for {}: {what} are encrypted with {provider} key {key}, and no Secret encryption-config of \
                 their API server could be opened in the snapshot",
                self.resources().join(", ")
            ),
        }
    }

    fn no_key(&self) -> String {
        let (what, provider, key) = (self.what(), self.provider, self.key_name);
        match self.stage {
            KeyStage::Archive => format!(
                "key {key} not in the kuberesources: {what} are encrypted with {provider} key {key}, {} has no key \
                 of this name",
                self.path
            ),
            KeyStage::Snapshot => format!(
                "key {key} of {} not in the snapshot: {what} are encrypted with {provider} key {key}, the Secrets of \
                 their API server hold no key of this name",
                self.resources().join(", ")
            ),
        }
    }

    fn wrong_key(&self) -> String {
        let (provider, key, resources) =
            (self.provider, self.key_name, self.resources().join(", "));
        match self.stage {
            KeyStage::Archive => format!(
                "{provider} key {key} in the kuberesources is not the one of the snapshot: it does not open the \
                 values of {resources} that name it"
            ),
            KeyStage::Snapshot => format!(
                "{provider} key {key} in the Secrets of the snapshot does not open the values of {resources} that \
                 name it"
            ),
        }
    }

    fn where_keys_are(&self) -> String {
        let which = match self.stage {
            KeyStage::Archive => "find the kuberesources of the same run",
            KeyStage::Snapshot => {
                "these keys come with the kube-apiserver's: find the kuberesources of the same run"
            }
        };
        format!(
            "{which}; while the cluster lives, its keys are Secrets encryption-key-* in namespace \
             openshift-config-managed"
        )
    }
}
