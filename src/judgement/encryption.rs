//! Will the keys of the kuberesources open what the snapshot holds encrypted?

use super::key_problem::{KeyProblem, KeyStage};
use super::kind::ClusterKind;
use crate::backup::Backup;
use crate::finding::{Artifact, Code, Finding};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::{
    EncryptionUse, KeyOutcome, KeyProof, KeyProofLine, NamedValues,
};
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
        return without_archive(&snapshot.facts, backup.key_proof.as_ref());
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
            KeyOutcome::External => KeyStage::Archive,
            _ => KeyStage::of(&line.resource),
        };
        let key = (outcome, stage, line.provider.as_str(), key_name);
        problems.entry(key).or_default().push(line);
    }
    drop_consequences(&mut problems);
    let path = kuberesources.path.to_string();
    problems
        .iter()
        .filter_map(|(&(outcome, stage, provider, key_name), lines)| {
            KeyProblem {
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

/// Values that their own key does not open, or opens to another object.
pub(super) fn odd_values(backup: &Backup) -> Vec<Finding> {
    let lines = backup.key_proof.iter().flat_map(|proof| &proof.lines);
    let mut findings = Vec::new();
    for line in lines {
        let KeyProofLine {
            resource,
            provider,
            key_name,
            tried,
            damaged,
            mismatched,
            ..
        } = line;
        let finding = |code, message, odd: &NamedValues| {
            Finding::new(code, message)
                .with("resource", resource.as_str())
                .with("provider", provider.as_str())
                .with("key", key_name.as_str())
                .with("tried", *tried)
                .with("count", odd.count)
                .with("objects", odd.keys.clone())
        };
        if damaged.count > 0 {
            let message = format!(
                "{} of {tried} values of {resource} do not open with {provider} key {key_name}, which opens the others: {}",
                damaged.count,
                named(damaged)
            );
            findings.push(finding(Code::ValueDamaged, message, damaged));
        }
        if mismatched.count > 0 {
            let message = format!(
                "{} of {tried} encrypted values of {resource} hold another object than their key says: {}",
                mismatched.count,
                named(mismatched)
            );
            findings.push(finding(Code::ObjectMismatch, message, mismatched));
        }
    }
    findings
}

/// The storage keys that are told, and how many are not.
fn named(values: &NamedValues) -> String {
    let told = u64::try_from(values.keys.len()).unwrap_or(u64::MAX);
    let keys = values.keys.join(", ");
    match values.count.saturating_sub(told) {
        0 => keys,
        more => format!("{keys} and {more} more"),
    }
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
        .any(|(outcome, stage, ..)| *stage == KeyStage::Archive && is_lost(*outcome));
    if has_cause {
        problems
            .retain(|(outcome, stage, ..), _| *stage == KeyStage::Archive || !is_lost(*outcome));
    }
}

type Problems<'a> = BTreeMap<(KeyOutcome, KeyStage, &'a str, &'a str), Vec<&'a EncryptionUse>>;

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

/// Clusters whose backups have no archive keep their keys outside, unless they lie beside the snapshot.
fn without_archive(snapshot: &Snapshot, beside: Option<&KeyProof>) -> Vec<Finding> {
    let outcome = |line: &EncryptionUse| {
        let proof = beside?.lines.iter().find(|proof| is_about(proof, line))?;
        Some(proof.outcome)
    };
    let of = |wanted: KeyOutcome| -> Vec<&EncryptionUse> {
        let lines = encrypted(snapshot);
        lines.filter(|line| outcome(line) == Some(wanted)).collect()
    };
    let shut = lost(of(KeyOutcome::KeyWrong).into_iter()).map(|what| {
        let message = format!("{what}, and the key of that name that lies beside the snapshot does not open them");
        let remedy = "snapshot and key are of two clusters or two times: look for the key that was saved with this snapshot";
        Finding::new(Code::EncryptionKeyWrong, message)
            .artifact(Artifact::Snapshot)
            .remedy(remedy)
    });
    let open_or_shut = [KeyOutcome::Decrypted, KeyOutcome::KeyWrong].map(Some);
    let unproven = encrypted(snapshot).filter(|line| !open_or_shut.contains(&outcome(line)));
    let elsewhere = kept_elsewhere(snapshot, lost(unproven));
    shut.into_iter().chain(elsewhere).collect()
}

/// `what` is encrypted with keys that are not here: nothing here can prove them.
fn kept_elsewhere(snapshot: &Snapshot, what: Option<String>) -> Option<Finding> {
    let place = match ClusterKind::of(snapshot) {
        ClusterKind::Hosted => {
            "Secrets (see the HostedCluster's spec.secretEncryption) or the key service of the management cluster"
        }
        ClusterKind::FencedCopy => {
            "/etc/kubernetes/static-pod-resources/kube-apiserver-pod-*/secrets/encryption-config on the nodes"
        }
        ClusterKind::OpenShift3 | ClusterKind::KubernetesIo | ClusterKind::Kubernetes => {
            "the file that --encryption-provider-config of the API servers names"
        }
        _ => return None,
    };
    let what = what?;
    let message = format!("{what}; the keys are kept in {place}, so this cannot be proven offline");
    let remedy = format!("make sure that {place} will be there for the restore");
    Some(Finding::new(Code::EncryptionExternal, message).remedy(remedy))
}

/// `12 values of secrets are encrypted with key 7`; `None` when nothing is encrypted.
pub(super) fn lost_without_keys(snapshot: &Snapshot) -> Option<String> {
    lost(encrypted(snapshot))
}

/// The same of some kinds of use.
fn lost<'s>(encrypted: impl Iterator<Item = &'s EncryptionUse>) -> Option<String> {
    let mut values = 0_u64;
    let (mut resources, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for line in encrypted {
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
