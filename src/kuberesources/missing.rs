//! What is not in an archive, or there twice, once everything in it was seen.

use super::collect::Collector;
use super::file_facts::FileFacts;
use super::interest::ENCRYPTION_CONFIG;
use super::member::ROOT;
use crate::finding::{Artifact, Code, Finding};
use crate::openshift::COMPONENTS;

/// One finding for each thing that the restore would look for; of what was not seen whole none says that it is missing.
pub(super) fn missing(found: &Collector, told: &FileFacts, is_seen_whole: bool) -> Vec<Finding> {
    let components = COMPONENTS.iter().filter(|_| is_seen_whole);
    let mut findings: Vec<Finding> = components
        .filter_map(|component| missing_of(found, component))
        .collect();
    findings.extend(several(found));
    if found.has_dot {
        findings.push(dot_names());
    }
    if told.encryption_expected && !told.has_encryption_config && is_seen_whole {
        findings.push(no_keys());
    }
    findings
}

fn missing_of(found: &Collector, component: &str) -> Option<Finding> {
    let message = match found.directories.get(component) {
        None if found.has_snapshot && component != "kube-apiserver" => return None,
        None => format!("{ROOT}/{component}-pod-<revision> is not in the archive"),
        Some(directories) if directories.values().any(|directory| directory.has_manifest) => {
            return None;
        }
        Some(directories) => {
            let revision = directories.keys().next_back()?;
            format!(
                "{ROOT}/{component}-pod-{revision}/{component}-pod.yaml is not in the archive, or not readable"
            )
        }
    };
    Some(Finding::new(Code::KuberesourcesIncomplete, message).with("component", component))
}

/// Up to 4.17 the restore looks for one member by a pattern that two would match.
fn several(found: &Collector) -> impl Iterator<Item = Finding> {
    found.directories.iter().filter(|(_, found)| found.len() > 1).map(|(component, found)| {
        let revisions: Vec<String> = found.keys().take(10).map(i64::to_string).collect();
        let message = format!(
            "{} revision directories of {component} ({}), expected one: cluster-restore.sh up to 4.17 stops at this \
            after etcd's data was moved away",
            found.len(),
            revisions.join(", ")
        );
        let finding = Finding::new(Code::KuberesourcesIncomplete, message);
        finding.with("component", *component).with("revisions", revisions)
    })
}

fn dot_names() -> Finding {
    let message = format!(
        "names of members begin with ./: tar -xzf FILE {ROOT}, as cluster-restore.sh runs it, finds none of them and \
        stops after etcd's data was moved away"
    );
    let remedy = "unpack the archive and pack it again from the directory above: tar -czf FILE static-pod-resources";
    Finding::new(Code::KuberesourcesIncomplete, message).remedy(remedy)
}

fn no_keys() -> Finding {
    let path = ENCRYPTION_CONFIG.join("/");
    let message =
        format!("the kube-apiserver is configured to encrypt, but {path} is not in the archive");
    Finding::new(Code::EncryptionConfigMissing, message).artifact(Artifact::Kuberesources)
}
