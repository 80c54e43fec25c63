//! What is made anew: the network's databases on each node, and the machines of hosts that are gone.

use super::hosts::Host;
use super::input::{PlanInput, Step};
use super::script::Script;
use super::steps::{HERE, OC, ssh};
use crate::openshift::BlockingWebhook;

const DROP_DATABASES: &str =
    "sudo sh -c 'rm -f /var/lib/ovn-ic/etc/*.db && systemctl restart ovs-vswitchd ovsdb-server'";

/// Lists webhooks that reject what they cannot be asked about.
const BLOCKING_WEBHOOKS: &str = r#"oc get validatingwebhookconfigurations,mutatingwebhookconfigurations -o go-template='{{range .items}}{{$kind := .kind}}{{$name := .metadata.name}}{{range .webhooks}}{{if eq .failurePolicy "Fail"}}{{$kind}} {{$name}}{{"\n"}}{{end}}{{end}}{{end}}' | sort -u"#;
/// So many of the webhooks that others brought are named.
const NAMED_WEBHOOKS: usize = 10;

/// Webhooks with `failurePolicy: Fail`, by name as far as others than OpenShift brought them.
pub(super) fn webhooks(input: &PlanInput<'_>) -> Step {
    let webhooks = input.webhooks.iter();
    let foreign: Vec<&BlockingWebhook> = webhooks
        .filter(|webhook| !webhook.is_of_openshift())
        .collect();
    let named: Vec<String> = foreign
        .iter()
        .take(NAMED_WEBHOOKS)
        .map(|webhook| format!("{} {}", webhook.kind, webhook.name))
        .collect();
    let more = foreign.len().saturating_sub(named.len());
    let known = match (named.as_slice(), more) {
        ([], _) => String::new(),
        (named, 0) => format!(" The backup has {}.", named.join(", ")),
        (named, more) => format!(" The backup has {} and {more} more.", named.join(", ")),
    };
    Step::run(
        OC,
        BLOCKING_WEBHOOKS,
        format!(
            "With the certificate-based kubeconfig of the installation (logins work only once OAuth does): these webhooks \
             have failurePolicy Fail and reject pods while what answers them is down.{known} If pods are rejected, keep \
             those that are not of OpenShift (oc get KIND NAME -o yaml), set their failurePolicy to Ignore, and set it \
             back at the end."
        ),
    )
}

/// OVN-Kubernetes keeps a copy of the network on each node since 4.14; the copy is newer than the restored objects.
pub(super) fn network(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let condition = match script {
        Script::AllPods { minor: 14.. } => "With OVN-Kubernetes",
        Script::EtcdOnly { .. } => "Only if pods stay without network under OVN-Kubernetes",
        _ => return Vec::new(),
    };
    let mut steps: Vec<Step> = input
        .hosts
        .living()
        .map(|host| {
            Step::run(
                HERE,
                format!(
                    "{} {} && {}",
                    ssh(host),
                    remote(DROP_DATABASES),
                    new_pod(&host.name)
                ),
                format!(
                    "{condition}, one node after the other: drop the databases of {}, which are newer than the backup \
                     and are built again, and start its pod anew.",
                    host.name
                ),
            )
        })
        .collect();
    if input.is_single_node() {
        return steps;
    }
    let (selector, whose) = if steps.is_empty() {
        ("", "every node")
    } else {
        ("-l '!node-role.kubernetes.io/master' ", "every other node")
    };
    steps.push(Step::run(
        HERE,
        format!(
            r#"oc get nodes {selector}-o jsonpath='{{range .items[*]}}{{.metadata.name}}{{" "}}{{.status.addresses[?(@.type=="InternalIP")].address}}{{"\n"}}{{end}}' | while read -r node address rest; do ssh -n core@"$address" {} && {}; done"#,
            remote(DROP_DATABASES),
            new_pod("$node"),
        ),
        format!("{condition}: the same on {whose}, one after the other."),
    ));
    steps
}

/// A command in one word for `ssh`.
fn remote(command: &str) -> String {
    format!("\"{command}\"")
}

/// Deletes the pod of one node and waits for the next one.
fn new_pod(node: &str) -> String {
    let pod = format!("pod -l app=ovnkube-node --field-selector=spec.nodeName==\"{node}\"");
    format!(
        "oc -n openshift-ovn-kubernetes delete {pod} && \
         oc -n openshift-ovn-kubernetes wait --for=condition=Ready --timeout=300s {pod}"
    )
}

/// Hosts that will not come back: their machines are deleted and made again, one after the other.
pub(super) fn lost_hosts(input: &PlanInput<'_>) -> Vec<Step> {
    let lost = &input.hosts.lost;
    if lost.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = lost.iter().map(|host| host.name.as_str()).collect();
    let mut steps = vec![Step::run(
        OC,
        "oc -n openshift-machine-api get machines,controlplanemachinesets -o wide",
        format!(
            "{} will not come back. If their machines are listed, replace them by the next steps, one after the other. \
             If none is listed, they were installed without Machine API: delete the node and install the host again as \
             it was installed at first.",
            names.join(" and ")
        ),
    )];
    for host in lost {
        steps.extend(replace(host));
    }
    steps
}

fn replace(host: &Host) -> Vec<Step> {
    let name = &host.name;
    vec![
        Step::run(
            OC,
            format!(
                r#"machine=$(oc -n openshift-machine-api get machines -o jsonpath='{{.items[?(@.status.nodeRef.name=="{name}")].metadata.name}}') && test -n "$machine" && oc -n openshift-machine-api get machine "$machine" -o yaml > machine-{name}.yaml && oc -n openshift-machine-api delete machine "$machine" --wait=false"#
            ),
            format!("Keep the description of the machine of {name} and delete it."),
        ),
        Step::run(
            OC,
            format!("oc delete node {name} --ignore-not-found"),
            "Only without a machine, or when the node stays after its machine is gone: delete the node.",
        ),
        Step::look(
            OC,
            format!(
                "With an active control plane machine set a new machine comes by itself. Otherwise make one of \
                 machine-{name}.yaml: another name, no status, no spec.providerID, then oc create -f. Approve its \
                 certificate requests (oc get csr)."
            ),
        ),
        Step::run(
            OC,
            "oc -n openshift-etcd get pods -l k8s-app=etcd -o wide",
            format!("Go on when the member that replaces {name} runs."),
        ),
    ]
}
