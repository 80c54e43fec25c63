//! From the moment when the API answers again.

use super::input::{PlanInput, Step, quoted};
use super::rebuild;
use super::script::Script;
use super::steps::{HERE, OC, others, recovery};

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
    let mut steps = vec![
        Step::run(
            recovery(input),
            "sudo crictl ps --name etcd",
            "Repeat until the etcd container is running.",
        ),
        rebuild::webhooks(input),
    ];
    match script {
        Script::AllPods { minor } => {
            steps.push(restart_kubelets(input));
            steps.extend(nodes());
            steps.extend(rebuild::network(input, script));
            steps.extend(rebuild::lost_hosts(input));
            steps.extend(redeploy(input, minor));
            steps.extend(keepalived_back(input));
        }
        Script::EtcdOnly { .. } => {
            steps.extend(settle(input));
            steps.extend(nodes());
            steps.extend(rebuild::network(input, script));
            steps.push(Step::run(
                OC,
                force("etcd"),
                "Only if the etcd pods do not roll out: force them.",
            ));
        }
        _ => {
            steps.push(stable());
            steps.push(Step::run(
                "either node",
                "sudo pcs status",
                "etcd must be Started on both.",
            ));
            steps.extend(nodes());
        }
    }
    steps.extend(verify());
    steps.extend(clean_up(input));
    steps
}

fn settle(input: &PlanInput<'_>) -> Vec<Step> {
    if input.is_single_node() {
        return vec![stable()];
    }
    let mut steps = vec![Step::run(
        OC,
        QUORUM_GUARD_OFF,
        "When the API answers: turn the etcd quorum guard off, so that members can be replaced.",
    )];
    steps.extend(rebuild::lost_hosts(input));
    steps.push(stable());
    steps.push(Step::run(
        OC,
        QUORUM_GUARD_ON,
        "Turn the quorum guard on again.",
    ));
    steps
}

fn stable() -> Step {
    Step::run(
        OC,
        "oc adm wait-for-stable-cluster",
        "Wait for the control plane; allow 15 minutes.",
    )
}

fn restart_kubelets(input: &PlanInput<'_>) -> Step {
    let place = if input.has_others() {
        "every control-plane host that lives".to_owned()
    } else {
        recovery(input)
    };
    Step::run(
        place,
        "sudo systemctl restart kubelet.service",
        "Restart the kubelet.",
    )
}

/// Certificates of nodes: needed for certain after some weeks, looked at always.
fn nodes() -> Vec<Step> {
    vec![
        Step::run(
            OC,
            "oc get nodes",
            "All nodes that live should become Ready within some minutes.",
        ),
        Step::run(
            "each node that stays NotReady",
            "sudo sh -c 'rm -f /var/lib/kubelet/pki/*.pem && systemctl restart kubelet.service'",
            "Its certificate is newer than the backup or has expired: make it ask for another.",
        ),
        Step::run(
            OC,
            "oc get csr",
            "Look for Pending requests, and again after each approval: a node asks twice (client, then serving).",
        ),
        Step::run(
            OC,
            r#"oc get csr -o go-template='{{range .items}}{{if not .status}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}' | xargs --no-run-if-empty oc adm certificate approve"#,
            "Only when every pending request is of a node you know (oc describe csr): approve them.",
        ),
    ]
}

fn redeploy(input: &PlanInput<'_>, minor: u64) -> Vec<Step> {
    let has_guard = minor >= 12 && !input.is_single_node();
    let mut steps = Vec::new();
    if has_guard {
        steps.push(Step::run(
            OC,
            QUORUM_GUARD_OFF,
            "Turn the etcd quorum guard off, so that members can be replaced.",
        ));
    }
    for operator in OPERATORS {
        steps.push(Step::run(
            OC,
            force(operator),
            format!("Force {operator} to redeploy its pods on all nodes."),
        ));
        steps.push(Step::run(
            OC,
            format!(
                r#"oc get {operator} -o=jsonpath='{{range .items[0].status.conditions[?(@.type=="NodeInstallerProgressing")]}}{{.reason}}{{"\n"}}{{.message}}{{"\n"}}{{end}}'"#
            ),
            "Repeat until it prints AllNodesAtLatestRevision.",
        ));
        if operator == "etcd" && has_guard {
            steps.push(Step::run(
                OC,
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

/// What was stopped for the time of the restore.
fn keepalived_back(input: &PlanInput<'_>) -> Option<Step> {
    input.has_others().then(|| {
        Step::run(
            others(input),
            "if [ -e /home/core/keepalived.yaml ]; then sudo mv -v /home/core/keepalived.yaml /etc/kubernetes/manifests/; fi",
            "Where keepalived was stopped and the host stays, start it again.",
        )
    })
}

fn verify() -> Vec<Step> {
    vec![
        Step::run(
            OC,
            "oc -n openshift-etcd get pods -l k8s-app=etcd",
            "One running etcd pod for each control-plane host.",
        ),
        Step::run(
            OC,
            "oc get clusteroperators",
            "All must be Available and none Degraded.",
        ),
        Step::look(
            OC,
            "Restart workloads that keep a copy of Kubernetes objects (routers, operators, third-party controllers). \
             Take a new backup.",
        ),
    ]
}

/// The copies hold the cluster's secrets.
fn clean_up(input: &PlanInput<'_>) -> Vec<Step> {
    let text = "Delete the copy: it holds the cluster's secrets.";
    let remote = format!("sudo rm -r {}", input.remote_directory());
    let mut steps = vec![Step::run(recovery(input), remote, text)];
    let name = input.directory_name();
    let staged = match input.staged_directory {
        Some(staged) => staged.to_str(),
        None => Some(name.as_str()),
    };
    steps.push(match staged {
        Some(staged) => Step::run(HERE, format!("rm -r -- {}", quoted(staged)), text),
        None => Step::look(HERE, text),
    });
    steps
}
