//! From the moment when the API answers again.

use super::input::{PlanInput, Step};
use super::script::Script;

const QUORUM_GUARD_OFF: &str = r#"oc patch etcd/cluster --type=merge -p '{"spec": {"unsupportedConfigOverrides": {"useUnsupportedUnsafeNonHANonProductionUnstableEtcd": true}}}'"#;
const QUORUM_GUARD_ON: &str =
    r#"oc patch etcd/cluster --type=merge -p '{"spec": {"unsupportedConfigOverrides": null}}'"#;
/// Operators to be pushed up to 4.17, in this order.
const OPERATORS: [&str; 4] = [
    "etcd",
    "kubeapiserver",
    "kubecontrollermanager",
    "kubescheduler",
];

/// Everything after the script, verification last.
pub(super) fn steps(input: &PlanInput<'_>, script: Script) -> Vec<Step> {
    let mut steps = vec![Step::run(
        "sudo crictl ps --name etcd",
        "On the recovery host: repeat until the etcd container is running. From here on use the certificate-based \
         kubeconfig of the installation: logins work only once OAuth does.",
    )];
    match script {
        Script::AllPods { minor } => {
            steps.push(restart_kubelets(input));
            steps.extend(nodes(input));
            steps.extend(ovn_databases(script));
            steps.extend(redeploy(input, minor));
        }
        Script::EtcdOnly { .. } => {
            steps.extend(settle(input));
            steps.extend(nodes(input));
            steps.extend(ovn_databases(script));
            steps.push(Step::run(
                force("etcd"),
                "Only if the etcd pods do not roll out: force them.",
            ));
        }
        _ => {
            steps.push(stable());
            steps.push(Step::run(
                "sudo pcs status",
                "On either node: etcd must be Started on both.",
            ));
            steps.extend(nodes(input));
        }
    }
    steps.extend(verify());
    steps
}

fn settle(input: &PlanInput<'_>) -> Vec<Step> {
    if input.is_single_node() {
        return vec![stable()];
    }
    vec![
        Step::run(
            QUORUM_GUARD_OFF,
            "When the API answers: turn the etcd quorum guard off, so that members can be replaced.",
        ),
        stable(),
        Step::run(QUORUM_GUARD_ON, "Turn the quorum guard on again."),
    ]
}

fn stable() -> Step {
    Step::run(
        "oc adm wait-for-stable-cluster",
        "Wait for the control plane; allow 15 minutes.",
    )
}

fn restart_kubelets(input: &PlanInput<'_>) -> Step {
    let place = if input.is_single_node() {
        "On the node"
    } else {
        "On every control plane node"
    };
    Step::run(
        "sudo systemctl restart kubelet.service",
        format!("{place}: restart the kubelet."),
    )
}

/// Certificates of nodes: needed after some weeks, a look at them always.
fn nodes(input: &PlanInput<'_>) -> Vec<Step> {
    let mut steps = vec![Step::run(
        "oc get nodes",
        "All nodes should become Ready within some minutes.",
    )];
    if input.has_renewed_certificates() {
        steps.push(Step::run(
            "sudo sh -c 'rm -f /var/lib/kubelet/pki/*.pem && systemctl restart kubelet.service'",
            "On each node that stays NotReady: its certificate is newer than the backup; make it ask for another.",
        ));
    }
    steps.push(Step::run(
        "oc get csr",
        "Look for Pending requests, and again after each approval: a node asks twice (client, then serving).",
    ));
    steps.push(Step::run(
        r#"oc get csr -o go-template='{{range .items}}{{if not .status}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}' | xargs --no-run-if-empty oc adm certificate approve"#,
        "Only when every pending request is of a node you know (oc describe csr): approve them.",
    ));
    steps
}

/// OVN-Kubernetes keeps a copy of the network on each node since 4.14; the copy is newer than the restored objects.
fn ovn_databases(script: Script) -> Vec<Step> {
    let condition = match script {
        Script::AllPods { minor: 14.. } => {
            "With OVN-Kubernetes, on every node, one after the other"
        }
        Script::EtcdOnly { .. } => {
            "Only if pods stay without network under OVN-Kubernetes, on each node concerned"
        }
        _ => return Vec::new(),
    };
    vec![
        Step::run(
            "sudo sh -c 'rm -f /var/lib/ovn-ic/etc/*.db && systemctl restart ovs-vswitchd ovsdb-server'",
            format!(
                "{condition}: drop the databases, which are newer than the backup. They are built again."
            ),
        ),
        Step::run(
            "oc -n openshift-ovn-kubernetes delete pod -l app=ovnkube-node",
            "Then start its pods anew.",
        ),
    ]
}

fn redeploy(input: &PlanInput<'_>, minor: u64) -> Vec<Step> {
    let has_guard = minor >= 12 && !input.is_single_node();
    let mut steps = Vec::new();
    if has_guard {
        steps.push(Step::run(
            QUORUM_GUARD_OFF,
            "Turn the etcd quorum guard off, so that members can be replaced.",
        ));
    }
    for operator in OPERATORS {
        steps.push(Step::run(
            force(operator),
            format!("Force {operator} to redeploy its pods on all nodes."),
        ));
        steps.push(Step::run(
            format!(
                r#"oc get {operator} -o=jsonpath='{{range .items[0].status.conditions[?(@.type=="NodeInstallerProgressing")]}}{{.reason}}{{"\n"}}{{.message}}{{"\n"}}{{end}}'"#
            ),
            "Repeat until it prints AllNodesAtLatestRevision.",
        ));
        if operator == "etcd" && has_guard {
            steps.push(Step::run(
                QUORUM_GUARD_ON,
                "Turn the quorum guard on again.",
            ));
        }
    }
    steps
}

fn force(operator: &str) -> String {
    format!(
        r#"oc patch {operator} cluster -p='{{"spec": {{"forceRedeploymentReason": "recovery-'"$(date --rfc-3339=ns)"'"}}}}' --type=merge"#
    )
}

fn verify() -> Vec<Step> {
    vec![
        Step::run(
            "oc -n openshift-etcd get pods -l k8s-app=etcd",
            "One running etcd pod for each control plane node.",
        ),
        Step::run(
            "oc get clusteroperators",
            "All must be Available and none Degraded.",
        ),
        Step::look(
            "Restart workloads that keep a copy of Kubernetes objects (routers, operators, third-party controllers). \
             Then delete the staged copies: they hold the cluster's secrets. Take a new backup.",
        ),
    ]
}
