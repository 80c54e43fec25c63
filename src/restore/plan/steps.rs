//! Up to the moment when the API answers again.

use super::hosts::Host;
use super::input::{PlanInput, Step, quoted};
use super::script::Script;
use crate::openshift::COMPONENTS;

/// Where the staged pair lies.
pub(super) const HERE: &str = "this machine";
/// Where the cluster is administered.
pub(super) const OC: &str = "a terminal with oc";

/// Getting ready: nothing is changed yet.
pub(super) fn before(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let mut steps = vec![Step::run(
        OC,
        "oc get --raw=/readyz",
        "Ask the API server first. If it answers, etcd works: go on only to undo a loss that nothing else can undo.",
    )];
    steps.extend(terminals(input));
    steps.extend(transfer(input));
    if script.wants_empty_directory() {
        steps.push(Step::run(
            recovery(input),
            "sudo ls -A /var/lib/etcd",
            "Only member and revision.json may be listed. Move anything else out of the directory.",
        ));
    }
    steps
}

/// The recovery host in words.
pub(super) fn recovery(input: &PlanInput<'_>) -> String {
    match &input.hosts.recovery {
        _ if input.is_single_node() => "the node".to_owned(),
        Some(host) => format!("recovery host {}", host.name),
        None => "the recovery host".to_owned(),
    }
}

/// The other hosts that live, in words.
pub(super) fn others(input: &PlanInput<'_>) -> String {
    let names: Vec<&str> = input
        .hosts
        .others
        .iter()
        .map(|host| host.name.as_str())
        .collect();
    match names.as_slice() {
        [] => "every other control-plane host that lives".to_owned(),
        [name] => (*name).to_owned(),
        names => format!("each of {}", names.join(", ")),
    }
}

/// The API is gone during the restore, so is `oc debug`: sessions must be open before.
fn terminals(input: &PlanInput<'_>) -> Vec<Step> {
    let any = if input.is_single_node() {
        ""
    } else {
        " Any healthy control-plane host will do: name another with --recovery-host."
    };
    let mut steps = vec![match &input.hosts.recovery {
        Some(host) => Step::run(
            HERE,
            ssh(host),
            format!(
                "Open a terminal on {}, the recovery host, and leave it open: without the API server SSH is the only \
                 way in.{any}",
                host.name
            ),
        ),
        None => Step::look(
            HERE,
            format!(
                "Choose the recovery host, open an SSH terminal on it and leave it open: without the API server SSH \
                 is the only way in.{any}"
            ),
        ),
    }];
    for host in &input.hosts.others {
        let text = format!("Open a terminal on {}, too.", host.name);
        steps.push(Step::run(HERE, ssh(host), text));
    }
    if input.has_others() && input.hosts.others.is_empty() {
        steps.push(Step::look(
            HERE,
            "Open an SSH terminal on every other control-plane host that lives.",
        ));
    }
    steps
}

pub(super) fn ssh(host: &Host) -> String {
    format!("ssh core@{}", host.target())
}

/// Staging and copying; staged or not, there are as many steps.
fn transfer(input: &PlanInput<'_>) -> Vec<Step> {
    let remote = input.remote_directory();
    let staged = input.staged_directory.map(|staged| staged.to_str());
    let directory = input.directory_name();
    let mut steps = vec![match (input.staged_directory, &input.stage_command) {
        (Some(directory), _) => Step::look(
            HERE,
            format!(
                "Done: the verified pair, and nothing else, lies in {}.",
                directory.display()
            ),
        ),
        (None, Some(words)) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            Step::run(
                HERE,
                format!("{} --to {directory}", words.join(" ")),
                "Copy the verified pair, and nothing else, into an empty directory.",
            )
        }
        (None, None) => Step::look(
            HERE,
            "Copy the verified pair, and nothing else, into an empty directory with etcd-cat stage.",
        ),
    }];
    // A name that is no text cannot be pasted.
    let from = staged.unwrap_or(Some(directory.as_str()));
    let Some((host, from)) = input.hosts.recovery.as_ref().zip(from) else {
        steps.push(Step::look(
            HERE,
            format!("Make the directory {remote} on the recovery host; it must not exist before."),
        ));
        steps.push(Step::look(
            HERE,
            "Copy the two staged files into it; there must be nothing else in it.",
        ));
        return steps;
    };
    steps.push(Step::run(
        HERE,
        format!("{} mkdir {remote}", ssh(host)),
        "Make a fresh directory on the recovery host, where the user core may write. If it exists, another attempt \
         made it: remove it first, as the script takes the newest names it finds.",
    ));
    steps.push(Step::run(
        HERE,
        format!(
            "scp -p -- {}/* core@{}:{remote}/",
            quoted(from),
            host.copy_target()
        ),
        "Copy the staged pair to the recovery host.",
    ));
    steps
}

/// From the first change to the answer of the API server.
pub(super) fn restore(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let mut steps = Vec::new();
    if script != Script::TwoNodes && input.has_others() {
        steps.extend(stop_others(input, script));
    }
    steps.push(Step::look(
        recovery(input),
        "If the cluster uses a proxy, export HTTP_PROXY, HTTPS_PROXY and NO_PROXY now.",
    ));
    let text = match script {
        Script::TwoNodes => "Here only: the other node joins and follows by itself.",
        _ if input.is_single_node() => {
            "Restore. The script waits without a time limit for containers to stop."
        }
        _ => {
            "Restore, on this host only. The script waits without a time limit for containers to stop."
        }
    };
    steps.push(Step::run(
        recovery(input),
        format!(
            "sudo -E /usr/local/bin/cluster-restore.sh {}",
            input.remote_directory()
        ),
        text,
    ));
    steps
}

fn stop_others(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let place = others(input);
    if matches!(script, Script::EtcdOnly { .. }) {
        return vec![Step::run(
            place,
            "sudo -E /usr/local/bin/disable-etcd.sh",
            "Stop etcd, or the old members may keep a quorum beside the restored one. \
             The recovery host is stopped by the restore script.",
        )];
    }
    let mut steps = Vec::new();
    let mut components = COMPONENTS;
    components.sort_unstable();
    for component in components {
        steps.push(Step::run(
            &place,
            format!("sudo mv -v /etc/kubernetes/manifests/{component}-pod.yaml /tmp"),
            format!("Stop {component}."),
        ));
        steps.push(Step::run(
            &place,
            format!("sudo crictl ps | grep {component} | grep -E -v 'operator|guard'"),
            "Repeat until it prints nothing.",
        ));
    }
    steps.push(Step::run(
        &place,
        "sudo mv -v /var/lib/etcd/ /tmp",
        "Move the old data away.",
    ));
    steps.push(Step::run(
        &place,
        "if [ -e /etc/kubernetes/manifests/keepalived.yaml ]; then sudo mv -v /etc/kubernetes/manifests/keepalived.yaml /home/core/; fi",
        "Where keepalived runs, stop it, so that the API and ingress addresses go to the recovery host.",
    ));
    steps.push(Step::run(
        place,
        "ip -o address",
        "If keepalived was stopped and the API or ingress address is still listed, take it off: \
         sudo ip address del ADDRESS dev DEVICE.",
    ));
    steps
}
