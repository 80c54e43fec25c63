//! Up to the moment when the API answers again.

use super::input::{BACKUP_DIRECTORY, PlanInput, Step};
use super::script::Script;
use crate::openshift::COMPONENTS;
use std::path::Path;

/// Getting ready: nothing is changed yet.
pub(super) fn before(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let mut steps = vec![Step::run(
        "oc get --raw=/readyz",
        "Ask the API server first. If it answers, etcd works: go on only to undo a loss that nothing else can undo.",
    )];
    steps.extend(terminals(input));
    steps.extend(transfer(input));
    if matches!(script, Script::EtcdOnly { .. }) {
        steps.push(Step::run(
            "sudo ls -A /var/lib/etcd",
            "On the recovery host: only member and revision.json may be listed. Move anything else out of the directory.",
        ));
    }
    steps
}

/// The API is gone during the restore, so is `oc debug`: sessions must be open before.
fn terminals(input: &PlanInput<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    match input.recovery_host() {
        Some(host) => steps.push(Step::run(
            format!("ssh core@{host}"),
            "Open a terminal on the recovery host and leave it open: without the API server SSH is the only way in.",
        )),
        None => steps.push(Step::look(
            "Choose a healthy control plane node as the recovery host, open an SSH terminal on it and leave it open: \
             without the API server SSH is the only way in.",
        )),
    }
    if input.is_single_node() {
        return steps;
    }
    let others = input.other_hosts();
    for host in &others {
        steps.push(Step::run(
            format!("ssh core@{host}"),
            "Open a terminal on this other control plane node.",
        ));
    }
    if others.is_empty() {
        steps.push(Step::look(
            "Open an SSH terminal on every other control plane node.",
        ));
    }
    steps
}

fn transfer(input: &PlanInput<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if let (None, Some(id)) = (input.staged_directory, input.backup_id) {
        steps.push(Step::run(
            format!("etcd-cat stage {} --to restore-pair", quoted(id)),
            "On this machine: copy the verified pair, and nothing else, into an empty directory.",
        ));
    }
    if input.staged_directory == Some(Path::new(BACKUP_DIRECTORY)) {
        steps.push(Step::look(format!(
            "The staged pair must lie in {BACKUP_DIRECTORY} of the recovery host itself, with nothing else in it."
        )));
        return steps;
    }
    let staged = input.backup_id.map(|_| Path::new("restore-pair"));
    let from = input.staged_directory.or(staged).and_then(Path::to_str);
    // A name that is no text cannot be pasted.
    let Some((host, from)) = input.recovery_host().zip(from) else {
        steps.push(Step::look(format!(
            "Copy the staged directory to {BACKUP_DIRECTORY} of the recovery host; there must be nothing else in it."
        )));
        return steps;
    };
    steps.push(Step::run(
        format!("ssh core@{host} 'mkdir -p /home/core/assets && ! test -e {BACKUP_DIRECTORY}'"),
        format!(
            "On this machine: make room on the recovery host. If it fails, {BACKUP_DIRECTORY} exists there: \
             move it away, as the script takes the newest names it finds."
        ),
    ));
    steps.push(Step::run(
        format!("scp -rp -- {} core@{host}:{BACKUP_DIRECTORY}", quoted(from)),
        "On this machine: copy the staged pair to the recovery host.",
    ));
    steps
}

/// From the first change to the answer of the API server.
pub(super) fn restore(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let mut steps = Vec::new();
    if script != Script::TwoNodes && !input.is_single_node() {
        steps.extend(stop_others(input, script));
    }
    steps.push(Step::look(
        "On the recovery host: if the cluster uses a proxy, export HTTP_PROXY, HTTPS_PROXY and NO_PROXY now.",
    ));
    let where_ = match script {
        Script::TwoNodes => "On one of the two nodes; the other one joins and follows by itself.",
        _ if input.is_single_node() => "On the node.",
        _ => "On the recovery host only. It waits without a time limit for containers to stop.",
    };
    steps.push(Step::run(
        format!("sudo -E /usr/local/bin/cluster-restore.sh {BACKUP_DIRECTORY}"),
        where_,
    ));
    steps
}

fn stop_others(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let hosts = input.other_hosts();
    let place = if hosts.is_empty() {
        "On every control plane node but the recovery host".to_owned()
    } else {
        format!("On each of {}", hosts.join(", "))
    };
    if matches!(script, Script::EtcdOnly { .. }) {
        return vec![Step::run(
            "sudo -E /usr/local/bin/disable-etcd.sh",
            format!(
                "{place}: stop etcd, or the old members may keep a quorum beside the restored one. \
                 The recovery host is stopped by the restore script."
            ),
        )];
    }
    let mut steps = Vec::new();
    let mut components = COMPONENTS;
    components.sort_unstable();
    for component in components {
        steps.push(Step::run(
            format!("sudo mv -v /etc/kubernetes/manifests/{component}-pod.yaml /tmp"),
            format!("{place}: stop {component}."),
        ));
        steps.push(Step::run(
            format!("sudo crictl ps | grep {component} | grep -E -v 'operator|guard'"),
            format!("{place}: repeat until it prints nothing."),
        ));
    }
    steps.push(Step::run(
        "sudo mv -v /var/lib/etcd/ /tmp",
        format!("{place}: move the old data away."),
    ));
    steps.push(Step::look(format!(
        "{place}: if keepalived holds the API or ingress address there (/etc/keepalived/keepalived.conf exists), \
         move that file away so that the address goes to the recovery host."
    )));
    steps
}

/// A word for a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+:@%,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
