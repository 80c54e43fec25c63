//! Will the keys of the kuberesources open what the snapshot holds encrypted?

use crate::backup::Backup;
use crate::finding::{Code, Finding};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::proof::is_inner;
use crate::kubernetes::encryption::{KeyOutcome, KeyProofLine};
use crate::openshift::Topology;
use crate::snapshot::{EncryptionUse, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// Values stored in the clear.
const IDENTITY: &str = "identity";

/// Kinds of use that are encrypted.
pub(super) fn encrypted(snapshot: &Snapshot) -> impl Iterator<Item = &EncryptionUse> {
    snapshot
        .encryption
        .iter()
        .filter(|line| line.provider != IDENTITY && line.values > 0)
}

/// All findings on keys, one for each problem and key.
pub(super) fn keys(backup: &Backup) -> Vec<Finding> {
    let Some(snapshot) = &backup.snapshot else {
        return Vec::new();
    };
    let Some(kuberesources) = &backup.kuberesources else {
        return kept_elsewhere(&snapshot.facts).into_iter().collect();
    };
    let outcomes: Vec<(KeyOutcome, &EncryptionUse)> = encrypted(&snapshot.facts)
        .map(|line| (outcome(backup, &kuberesources.facts, line), line))
        .collect();
    let behind = locked_in(&outcomes);
    let mut problems = Problems::new();
    for (outcome, line) in outcomes {
        let is_inner = is_inner(&line.resource);
        if is_inner && behind.is_some() && outcome == KeyOutcome::ConfigMissing {
            continue;
        }
        // A key service has one name for each resource: one problem all the same.
        let key_name = match outcome {
            KeyOutcome::External => "",
            _ => line.key_name.as_str(),
        };
        let key = (outcome, is_inner, line.provider.as_str(), key_name);
        problems.entry(key).or_default().push(line);
    }
    let path = kuberesources.path.display().to_string();
    let mut findings: Vec<Finding> = problems
        .iter()
        .filter_map(|(&(outcome, is_inner, provider, key_name), lines)| {
            problem(outcome, is_inner, provider, key_name, lines, &path)
        })
        .collect();
    let locked = findings
        .iter_mut()
        .find(|finding| finding.severity == crate::finding::Severity::Error);
    if let Some((finding, behind)) = locked.zip(behind) {
        finding.message.push_str("; behind it ");
        finding.message.push_str(&behind);
    }
    findings
}

type Problems<'a> = BTreeMap<(KeyOutcome, bool, &'a str, &'a str), Vec<&'a EncryptionUse>>;

fn outcome(backup: &Backup, kuberesources: &Kuberesources, line: &EncryptionUse) -> KeyOutcome {
    let proof = backup
        .key_proof
        .as_ref()
        .and_then(|proof| proof.lines.iter().find(|proof| is_about(proof, line)));
    proof.map_or_else(|| untried(line, kuberesources), |proof| proof.outcome)
}

/// What cannot be opened only because its keys lie in Secrets that cannot be opened: one problem, not several.
fn locked_in(outcomes: &[(KeyOutcome, &EncryptionUse)]) -> Option<String> {
    let is_lost = |outcome| {
        matches!(
            outcome,
            KeyOutcome::ConfigMissing | KeyOutcome::KeyMissing | KeyOutcome::KeyWrong
        )
    };
    let mut secrets = outcomes
        .iter()
        .filter(|(_, line)| line.resource == "secrets");
    if !secrets.any(|(outcome, _)| is_lost(*outcome)) {
        return None;
    }
    let locked = outcomes.iter().filter(|(outcome, line)| {
        is_inner(&line.resource) && *outcome == KeyOutcome::ConfigMissing
    });
    let (mut values, mut resources) = (0_u64, BTreeSet::new());
    for (_, line) in locked {
        values = values.saturating_add(line.values);
        resources.insert(line.resource.as_str());
    }
    let resources: Vec<&str> = resources.into_iter().collect();
    (values > 0).then(|| {
        format!(
            "{} lost too: their keys are among these Secrets",
            values_are(values, &resources.join(", "))
        )
    })
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

fn problem(
    outcome: KeyOutcome,
    is_inner: bool,
    provider: &str,
    key_name: &str,
    lines: &[&EncryptionUse],
    path: &str,
) -> Option<Finding> {
    let values: u64 = lines
        .iter()
        .fold(0, |sum, line| sum.saturating_add(line.values));
    let resources: BTreeSet<&str> = lines.iter().map(|line| line.resource.as_str()).collect();
    let resources: Vec<String> = resources.into_iter().map(str::to_owned).collect();
    let what = values_are(values, &resources.join(", "));
    let key_names: BTreeSet<&str> = lines.iter().map(|line| line.key_name.as_str()).collect();
    let key_names: Vec<String> = key_names.into_iter().map(str::to_owned).collect();
    let (code, message, remedy) = match outcome {
        KeyOutcome::Decrypted => return None,
        KeyOutcome::ConfigMissing if is_inner => (
            Code::EncryptionConfigMissing,
            format!("{what} encrypted with {provider} key {key_name}, and no Secret in the snapshot holds their keys"),
            "use another backup: without these keys the routes or tokens cannot be read after a restore".to_owned(),
        ),
        KeyOutcome::ConfigMissing => (
            Code::EncryptionConfigMissing,
            format!("{what} encrypted with {provider} key {key_name}, and {path} holds no encryption configuration for them"),
            "find the kuberesources of the same run; while the cluster lives, its newest keys are Secrets \
             encryption-key-* in namespace openshift-config-managed".to_owned(),
        ),
        KeyOutcome::KeyMissing => (
            Code::EncryptionKeyMissing,
            format!("key {key_name} not in the kuberesources: {what} encrypted with {provider} key {key_name}, {path} has no key of this name"),
            format!("find a kuberesources of this cluster that holds key {key_name}; while the cluster lives, see \
             Secrets encryption-key-* in namespace openshift-config-managed"),
        ),
        KeyOutcome::KeyWrong => (
            Code::EncryptionKeyWrong,
            format!("{provider} key {key_name} in {path} does not open the values of {} that name it", resources.join(", ")),
            "this kuberesources is of another cluster or another time: find the one of the same run".to_owned(),
        ),
        KeyOutcome::External => (
            Code::EncryptionExternal,
            format!("{what} encrypted by a key service ({provider}: {}), so nobody can prove offline that they open", key_names.join(", ")),
            "make sure that the key service and its key of that time can be reached from the restored control plane".to_owned(),
        ),
        KeyOutcome::Unproven => (
            Code::EncryptionExternal,
            format!("{what} encrypted with {provider} key {key_name}, which was not tried on any of them"),
            "read both halves again with etcd-cat verify".to_owned(),
        ),
    };
    let finding = Finding::new(code, message)
        .with("provider", provider)
        .with("key", key_names.join(", "));
    Some(
        finding
            .with("resources", resources)
            .with("values", values)
            .with("kuberesources", path)
            .remedy(remedy),
    )
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
    (values > 0).then(|| format!("{} encrypted with {keys}", values_are(values, &resources)))
}

/// `12 values of secrets are`, `1 value of secrets is`.
fn values_are(values: u64, resources: &str) -> String {
    match values {
        1 => format!("1 value of {resources} is"),
        values => format!("{values} values of {resources} are"),
    }
}

/// `encryption-partial`, one for each resource.
pub(super) fn partial(snapshot: &Snapshot) -> Vec<Finding> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for line in &snapshot.encryption {
        let (plain, sealed) = counts.entry(&line.resource).or_default();
        let count = if line.provider == IDENTITY {
            plain
        } else {
            sealed
        };
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
