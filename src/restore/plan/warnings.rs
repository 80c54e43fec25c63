//! What to know before anything is typed.

use super::input::PlanInput;
use super::script::Script;
use chrono::TimeDelta;

/// Half of the life of a 30-day certificate: from then on some have been renewed.
const RENEWED_DAYS: i64 = 15;
/// Life of the kubelets' and most control plane certificates.
const EXPIRED_DAYS: i64 = 30;

/// All warnings, most important first.
pub(super) fn warnings(input: &PlanInput<'_>, script: Script) -> Vec<String> {
    let mut warnings = vec![
        "A restore is destructive and the last resort: everything written since the backup is lost. \
         If data can still be read through the API server, etcd works: do not restore."
            .to_owned(),
    ];
    warnings.extend(of_script(script));
    warnings.extend(of_hosts(input));
    warnings.extend(of_halves(input, script));
    if !script.is_known() {
        return warnings;
    }
    warnings.push(same_cluster(input));
    warnings.extend(of_age(input));
    warnings.extend(of_encryption(input, script));
    warnings.extend(of_revisions(script));
    warnings.push(
        "Contents of persistent volumes are not in the backup: volumes created, moved or deleted since \
         do not match the restored objects."
            .to_owned(),
    );
    warnings
}

fn of_script(script: Script) -> Option<String> {
    let text = match script {
        Script::AllPods { .. } | Script::EtcdOnly { .. } => return None,
        Script::TwoNodes => {
            "Two nodes with fencing: cluster-restore.sh stops etcd on both nodes through Pacemaker, tries the \
             snapshot before it changes anything, does not check its SHA-256, and does not use the kuberesources. \
             Do not touch the etcd quorum guard."
        }
        Script::TwoNodesTooOld => {
            "Two nodes with fencing have a restore script from OpenShift 4.22 on: for this version ask Red Hat support."
        }
        Script::Hosted => {
            "Hosted control plane: there is no cluster-restore.sh. Restore on the management cluster by the \
             HyperShift procedure (restoreSnapshotURL of the HostedCluster's etcd); the kuberesources is not used."
        }
        Script::TooOld => {
            "OpenShift 4.1 to 4.3 restore with etcd-snapshot-restore.sh of the Machine Config Operator: \
             follow the documentation of exactly that release."
        }
        Script::Unknown => {
            "The version of the backup cannot be told: it must be exactly that of the cluster."
        }
    };
    Some(text.to_owned())
}

fn of_halves(input: &PlanInput<'_>, script: Script) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_standard = matches!(script, Script::AllPods { .. } | Script::EtcdOnly { .. });
    if is_standard && input.kuberesources_bytes.is_none() {
        warnings.push(
            "There is no kuberesources: cluster-restore.sh would stop etcd, move its data away and only then fail. \
             Do not run it."
                .to_owned(),
        );
    }
    if is_standard && !input.has_trailer {
        warnings.push(
            "The snapshot is a raw copy without SHA-256: the restore pod refuses it after etcd was stopped. \
             Only the documented manual procedure takes it, with --skip-hash-check=true."
                .to_owned(),
        );
    }
    warnings
}

fn same_cluster(input: &PlanInput<'_>) -> String {
    format!(
        "Restore only onto the cluster the backup was taken from, running exactly {version}: the images come from \
         the installed release.",
        version = input.version
    )
}

fn of_age(input: &PlanInput<'_>) -> Option<String> {
    let Some(age) = input.age() else {
        return Some(
            "It is not known when the backup was taken, so neither is which certificates expired."
                .to_owned(),
        );
    };
    let days = age.num_days();
    if age < TimeDelta::zero() {
        return Some(
            "The backup says that it was taken in the future: check the clock of this machine."
                .to_owned(),
        );
    }
    if age > TimeDelta::days(EXPIRED_DAYS) {
        return Some(format!(
            "The backup is {days} days old: every 30-day certificate in it has expired and the kubelets have new \
             ones. Nodes will be NotReady until their certificates are renewed by hand (below)."
        ));
    }
    (age > TimeDelta::days(RENEWED_DAYS)).then(|| {
        format!(
            "The backup is {days} days old: some certificates have been renewed since. \
             Be ready to approve certificate requests of nodes (below)."
        )
    })
}

fn of_encryption(input: &PlanInput<'_>, script: Script) -> Vec<String> {
    let mut warnings = Vec::new();
    if input.encryption.has_kms {
        warnings.push(
            "Values are encrypted with a KMS: it must answer, with the key of that time, or they cannot be read."
                .to_owned(),
        );
    }
    if input.encryption.has_keys {
        let text = match script {
            Script::AllPods { .. } => {
                "Values are encrypted: the keys come back with the kuberesources. Keep the staged directory private \
                 and delete it afterwards."
            }
            _ => {
                "Values are encrypted and the kube-apiserver keeps running with its present encryption-config: if the \
                 keys were rotated since and the old one pruned, Secrets stay unreadable until the kube-apiserver runs \
                 with the encryption-config of the backup (secrets/encryption-config in the kuberesources)."
            }
        };
        warnings.push(text.to_owned());
    }
    warnings
}

/// What the loss of hosts means.
fn of_hosts(input: &PlanInput<'_>) -> Option<String> {
    input.hosts.has_quorum().then(|| {
        "Most control-plane hosts live: etcd keeps its quorum without the lost ones. Replace their members instead of \
         restoring, unless data was lost as well."
            .to_owned()
    })
}

fn of_revisions(script: Script) -> Option<String> {
    let text = match script {
        Script::AllPods { minor: 11.. } => {
            "The revision goes back (the bump is off by default up to 4.17): what watches the API may keep stale \
             data until it is restarted. Restart kubelets as below, then operators that misbehave."
        }
        Script::AllPods { .. } => {
            "The revision goes back: what watches the API may keep stale data until it is restarted."
        }
        Script::EtcdOnly { .. } if !script.wants_empty_directory() => {
            "Other files in /var/lib/etcd than member and revision.json are moved to \
             /var/lib/etcd-backup/extra-data-dir-contents by the restore."
        }
        Script::EtcdOnly { .. } => {
            "/var/lib/etcd must be empty but for member and revision.json: other files make the restore fail after \
             etcd was stopped."
        }
        _ => return None,
    };
    Some(text.to_owned())
}
