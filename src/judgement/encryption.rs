//! Will the keys of the kuberesources open what the snapshot holds encrypted?

use crate::backup::Backup;
use crate::finding::{Code, Finding};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::{
    EncryptionUse, KeyOutcome, KeyProofLine, is_of_kube_apiserver,
};
use crate::openshift::Topology;
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of use that are encrypted.
pub(super) fn encrypted(snapshot: &Snapshot) -> impl Iterator<Item = &EncryptionUse> {
    snapshot
        .encryption
        .iter()
        .filter(|line| line.is_encrypted() && line.values > 0)
}

/// All findings on keys, one for each problem and key.
pub(super) fn keys(backup: &Backup) -> Vec<Finding> {
    let Some(snapshot) = &backup.snapshot else {
        return Vec::new();
    };
    let Some(kuberesources) = &backup.kuberesources else {
        return kept_elsewhere(&snapshot.facts).into_iter().collect();
    };
    let mut problems = Problems::new();
    for line in encrypted(&snapshot.facts) {
        let proof = backup
            .key_proof
            .as_ref()
            .and_then(|proof| proof.lines.iter().find(|proof| is_about(proof, line)));
        let outcome = proof.map_or_else(
            || untried(line, &kuberesources.facts),
            |proof| proof.outcome,
        );
        // A key service names a key for each resource, and says nothing about any of them offline.
        let key_name = match outcome {
            KeyOutcome::External => "",
            _ => line.key_name.as_str(),
        };
        // The keys of routes and tokens lie in another place, so what to do differs.
        let stage = match outcome {
            KeyOutcome::External => Stage::Archive,
            _ => Stage::of(&line.resource),
        };
        let key = (outcome, stage, line.provider.as_str(), key_name);
        problems.entry(key).or_default().push(line);
    }
    drop_consequences(&mut problems);
    let path = kuberesources.path.display().to_string();
    problems
        .iter()
        .filter_map(|(&(outcome, stage, provider, key_name), lines)| {
            Problem {
                outcome,
                stage,
                provider,
                key_name,
                lines,
                path: &path,
            }
            .finding()
        })
        .collect()
}

/// Without the kube-apiserver's keys those in the snapshot stay shut: the cause is told, not what follows from it.
fn drop_consequences(problems: &mut Problems<'_>) {
    let is_lost = |outcome: KeyOutcome| {
        matches!(
            outcome,
            KeyOutcome::ConfigMissing | KeyOutcome::KeyMissing | KeyOutcome::KeyWrong
        )
    };
    let has_cause = problems
        .keys()
        .any(|(outcome, stage, ..)| *stage == Stage::Archive && is_lost(*outcome));
    if has_cause {
        problems.retain(|(outcome, stage, ..), _| *stage == Stage::Archive || !is_lost(*outcome));
    }
}

type Problems<'a> = BTreeMap<(KeyOutcome, Stage, &'a str, &'a str), Vec<&'a EncryptionUse>>;

/// Where the keys of a resource are kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    /// In the kuberesources: the kube-apiserver's.
    Archive,
    /// In Secrets of the snapshot, sealed with the keys of the first stage: the other API servers'.
    Snapshot,
}

impl Stage {
    fn of(resource: &str) -> Self {
        if is_of_kube_apiserver(resource) {
            Self::Archive
        } else {
            Self::Snapshot
        }
    }
}

fn is_about(proof: &KeyProofLine, line: &EncryptionUse) -> bool {
    proof.resource == line.resource
        && proof.provider == line.provider
        && proof.key_name == line.key_name
}

/// What can be said of a key that was never tried on this pair: only what the configuration lists.
fn untried(line: &EncryptionUse, kuberesources: &Kuberesources) -> KeyOutcome {
    let Some(configured) = &kuberesources.encryption else {
        return KeyOutcome::ConfigMissing;
    };
    let mut of_resource = configured
        .iter()
        .filter(|provider| provider.resource == line.resource)
        .peekable();
    if of_resource.peek().is_none() {
        // Routes and tokens have their keys inside the snapshot, not in the archive.
        return KeyOutcome::Unproven;
    }
    let has_key =
        of_resource.any(|found| found.provider == line.provider && found.key_name == line.key_name);
    if has_key {
        KeyOutcome::Unproven
    } else {
        KeyOutcome::KeyMissing
    }
}

/// Values that one key, or its absence, keeps shut.
struct Problem<'a> {
    outcome: KeyOutcome,
    stage: Stage,
    provider: &'a str,
    /// Empty for key services.
    key_name: &'a str,
    lines: &'a [&'a EncryptionUse],
    /// The kuberesources.
    path: &'a str,
}

impl Problem<'_> {
    /// `None` when the key opened what it should.
    fn finding(&self) -> Option<Finding> {
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
            Stage::Archive => format!(
                "no keys in the kuberesources: {what} are encrypted with {provider} key {key}, and {} has no \
                 encryption configuration for them",
                self.path
            ),
            Stage::Snapshot => format!(
                "no keys for {}: {what} are encrypted with {provider} key {key}, and no Secret encryption-config of \
                 their API server could be opened in the snapshot",
                self.resources().join(", ")
            ),
        }
    }

    fn no_key(&self) -> String {
        let (what, provider, key) = (self.what(), self.provider, self.key_name);
        match self.stage {
            Stage::Archive => format!(
                "key {key} not in the kuberesources: {what} are encrypted with {provider} key {key}, {} has no key \
                 of this name",
                self.path
            ),
            Stage::Snapshot => format!(
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
            Stage::Archive => format!(
                "{provider} key {key} in the kuberesources is not the one of the snapshot: it does not open the \
                 values of {resources} that name it"
            ),
            Stage::Snapshot => format!(
                "{provider} key {key} in the Secrets of the snapshot does not open the values of {resources} that \
                 name it"
            ),
        }
    }

    fn where_keys_are(&self) -> String {
        let which = match self.stage {
            Stage::Archive => "find the kuberesources of the same run",
            Stage::Snapshot => {
                "these keys come with the kube-apiserver's: find the kuberesources of the same run"
            }
        };
        format!(
            "{which}; while the cluster lives, its keys are Secrets encryption-key-* in namespace \
             openshift-config-managed"
        )
    }
}

/// Clusters whose backups have no archive keep their keys outside: nothing here can prove them.
fn kept_elsewhere(snapshot: &Snapshot) -> Option<Finding> {
    let place = match snapshot.cluster.topology {
        Some(Topology::External) => "Secrets or the key service of the management cluster",
        Some(Topology::DualReplica) if snapshot.trailer.is_none() => {
            "/etc/kubernetes/static-pod-resources/kube-apiserver-pod-*/secrets/encryption-config on the nodes"
        }
        _ => return None,
    };
    let what = lost_without_keys(snapshot)?;
    let message = format!("{what}; the keys are kept in {place}, so this cannot be proven offline");
    let remedy = format!("make sure that {place} will be there for the restore");
    Some(Finding::new(Code::EncryptionExternal, message).remedy(remedy))
}

/// `12 values of secrets are encrypted with key 7`; `None` when nothing is encrypted.
pub(super) fn lost_without_keys(snapshot: &Snapshot) -> Option<String> {
    let mut values = 0_u64;
    let (mut resources, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for line in encrypted(snapshot) {
        values = values.saturating_add(line.values);
        resources.insert(line.resource.as_str());
        keys.insert(format!("{} key {}", line.provider, line.key_name));
    }
    let join = |items: Vec<String>| items.join(", ");
    let resources = join(resources.into_iter().map(str::to_owned).collect());
    let keys = join(keys.into_iter().collect());
    (values > 0).then(|| format!("{values} values of {resources} are encrypted with {keys}"))
}

/// `encryption-partial`, one for each resource.
pub(super) fn partial(snapshot: &Snapshot) -> Vec<Finding> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for line in &snapshot.encryption {
        let (plain, sealed) = counts.entry(&line.resource).or_default();
        let count = if line.is_encrypted() { sealed } else { plain };
        *count = count.saturating_add(line.values);
    }
    let mixed = counts
        .into_iter()
        .filter(|(_, (plain, sealed))| *plain > 0 && *sealed > 0);
    let finding = |(resource, (plain, sealed)): (&str, (u64, u64))| {
        let message = format!(
            "{resource}: {sealed} values encrypted and {plain} plain: a migration was under way"
        );
        let remedy = "prefer a backup taken after the migration; the kube-apiserver operator's condition Encrypted tells";
        Finding::new(Code::EncryptionPartial, message)
            .with("resource", resource)
            .with("encrypted", sealed)
            .with("plain", plain)
            .remedy(remedy)
    };
    mixed.map(finding).collect()
}
