//! Every `oc` command line that is ever run, as pure functions. `--dry-run` prints what they return.

use crate::openshift::COMPONENTS;
use std::fmt::Write as _;

/// Label of every namespace that a run makes.
const OURS: &str = "app.kubernetes.io/managed-by=etcd-cat";

/// Annotation of what a run makes in the cluster: when it was last at work.
pub(crate) const HEARTBEAT: &str = "etcd-cat/heartbeat";

/// One `oc` call: the words after the global flags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Call {
    pub(crate) args: Vec<String>,
    /// Runs as long as the work it carries: no request timeout, our deadline holds instead.
    pub(crate) is_stream: bool,
}

impl Call {
    fn request(args: &[&str]) -> Self {
        Self {
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            is_stream: false,
        }
    }

    fn stream(args: &[&str]) -> Self {
        Self {
            is_stream: true,
            ..Self::request(args)
        }
    }

    /// A debug pod of its own carries it.
    pub(crate) fn is_debug(&self) -> bool {
        self.args.first().is_some_and(|verb| verb == "debug")
    }
}

/// How a command reaches the host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum HostAccess {
    /// `oc exec` into a debug pod that is kept: separate streams, true exit codes, binary-safe.
    Exec { namespace: String, pod: String },
    /// A debug pod for each command, its output through pod logs: merged, text only, exit code 1 or none at all.
    Logs { namespace: String, node: String },
    /// `oc exec` into a pod that has a volume and nothing of a host.
    Volume { namespace: String, pod: String },
}

impl HostAccess {
    /// A command on the host, or beside the volume.
    pub(crate) fn run(&self, command: &[&str]) -> Call {
        let mut call = match self {
            Self::Exec { namespace, pod } => {
                Call::stream(&["exec", "-n", namespace, pod, "--", "chroot", "/host"])
            }
            Self::Logs { namespace, node } => {
                let node = format!("node/{node}");
                let namespace = format!("--to-namespace={namespace}");
                Call::stream(&["debug", &node, &namespace, "--", "chroot", "/host"])
            }
            Self::Volume { namespace, pod } => Call::stream(&["exec", "-n", namespace, pod, "--"]),
        };
        call.args
            .extend(command.iter().map(|&word| word.to_owned()));
        call
    }

    /// The debug pod that is kept.
    pub(crate) fn pod(&self) -> Option<&str> {
        match self {
            Self::Exec { pod, .. } | Self::Volume { pod, .. } => Some(pod),
            Self::Logs { .. } => None,
        }
    }

    /// True when stdout carries exactly the bytes that the command wrote there.
    pub(crate) fn is_binary_safe(&self) -> bool {
        !matches!(self, Self::Logs { .. })
    }
}

pub(crate) fn client_version() -> Call {
    Call::request(&["version", "--client", "-o", "json"])
}

pub(crate) fn cluster_version() -> Call {
    Call::request(&[
        "get",
        "clusterversions.config.openshift.io",
        "version",
        "-o",
        "json",
    ])
}

pub(crate) fn infrastructure() -> Call {
    Call::request(&[
        "get",
        "infrastructures.config.openshift.io",
        "cluster",
        "-o",
        "json",
    ])
}

pub(crate) fn proxy() -> Call {
    Call::request(&[
        "get",
        "proxies.config.openshift.io",
        "cluster",
        "-o",
        "json",
    ])
}

/// The operators whose rollout would tear a backup.
pub(crate) fn cluster_operators() -> Call {
    let [apiserver, controller_manager, scheduler, etcd] = COMPONENTS;
    let kind = "clusteroperators.config.openshift.io";
    Call::request(&[
        "get",
        kind,
        apiserver,
        controller_manager,
        scheduler,
        etcd,
        "-o",
        "json",
    ])
}

/// What can be listed, as `plural.group`.
pub(crate) fn api_resources() -> Call {
    Call::request(&["api-resources", "--verbs=list", "-o", "name"])
}

/// One line for each object of these kinds, names written as in a URL: they may hold spaces and line ends.
const NAMES: &str = "go-template={{range .items}}{{.apiVersion}} {{.kind}} {{with .metadata.namespace}}{{urlquery .}}{{end}} {{urlquery .metadata.name}} {{.metadata.resourceVersion}}{{\"\\n\"}}{{end}}";

/// Names and resourceVersions of all objects of some kinds.
pub(crate) fn names(resources: &[String], namespace: Option<&str>) -> Call {
    let mut call = Call::request(&["get", &resources.join(",")]);
    match namespace {
        Some(namespace) => call.args.extend(["-n".to_owned(), namespace.to_owned()]),
        None => call.args.push("--all-namespaces".to_owned()),
    }
    call.args.extend(["-o", NAMES].map(str::to_owned));
    call
}

pub(crate) fn nodes() -> Call {
    Call::request(&["get", "nodes", "-o", "json"])
}

pub(crate) fn etcd_pods() -> Call {
    pods_beside_etcd("k8s-app=etcd")
}

fn pods_beside_etcd(label: &str) -> Call {
    Call::request(&[
        "get",
        "pods",
        "-n",
        ETCD_NAMESPACE,
        "-l",
        label,
        "-o",
        "json",
    ])
}

/// What the operator's backups were asked for, one object for each.
pub(crate) fn etcd_backups() -> Call {
    Call::request(&["get", "etcdbackups.operator.openshift.io", "-o", "json"])
}

/// By which schedule they are taken.
pub(crate) fn backup_policies() -> Call {
    Call::request(&["get", "backups.config.openshift.io", "-o", "json"])
}

/// Where the claims of the policy are, and pods that read one.
pub(crate) const ETCD_NAMESPACE: &str = "openshift-etcd";

/// Where a pod has the volume.
pub(crate) const VOLUME_PATH: &str = "/backups";

/// A pod that has a claim's volume for reading, waits, and ends by itself. With its first heartbeat.
///
/// As privileged as a debug pod: the files are root's, and their labels are of no pod's.
pub(crate) fn run_volume_pod(name: &str, claim: &str, image: &str, seconds: u64, at: &str) -> Call {
    let spec = serde_json::json!({
        "apiVersion": "v1",
        "metadata": {"annotations": {HEARTBEAT: at}},
        "spec": {
            "activeDeadlineSeconds": seconds,
            "automountServiceAccountToken": false,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "volume",
                "image": image,
                "command": ["sleep", seconds.to_string()],
                "securityContext": {"privileged": true, "runAsUser": 0},
                "volumeMounts": [{"name": "backups", "mountPath": VOLUME_PATH, "readOnly": true}],
            }],
            "volumes": [{
                "name": "backups",
                "persistentVolumeClaim": {"claimName": claim, "readOnly": true},
            }],
        },
    });
    Call::request(&[
        "run",
        name,
        "-n",
        ETCD_NAMESPACE,
        &format!("--image={image}"),
        "--restart=Never",
        &format!("--labels={OURS}"),
        &format!("--overrides={spec}"),
    ])
}

/// Pods of runs that read a claim, this one's among them.
pub(crate) fn volume_pods() -> Call {
    pods_beside_etcd(OURS)
}

/// The claim that they are written to.
pub(crate) fn etcd_claim(name: &str) -> Call {
    let namespace = ["-n", ETCD_NAMESPACE, "-o", "json"];
    let mut call = Call::request(&["get", "persistentvolumeclaims", name]);
    call.args.extend(namespace.map(str::to_owned));
    call
}

pub(crate) fn volume(name: &str) -> Call {
    Call::request(&["get", "persistentvolumes", name, "-o", "json"])
}

/// `resource` as `pods/exec`; the namespace is where it would be done, `None` for the whole cluster.
pub(crate) fn can_i(verb: &str, resource: &str, namespace: Option<&str>) -> Call {
    let (resource, subresource) = match resource {
        "pods/exec" => ("pods", Some("--subresource=exec")),
        "pods/log" => ("pods", Some("--subresource=log")),
        other => (other, None),
    };
    let mut call = Call::request(&["auth", "can-i", verb, resource]);
    call.args.extend(subresource.map(ToOwned::to_owned));
    match namespace {
        Some(namespace) => call.args.extend(["-n".to_owned(), namespace.to_owned()]),
        None => call.args.push("--all-namespaces".to_owned()),
    }
    call
}

/// All that this user may do in a namespace and cluster-wide, in one question (a SelfSubjectRulesReview).
pub(crate) fn rights(namespace: &str) -> Call {
    Call::request(&["auth", "can-i", "--list", "-n", namespace])
}

pub(crate) fn create_namespace(namespace: &str) -> Call {
    Call::request(&["create", "namespace", namespace])
}

/// A debug pod is privileged: without these labels pod security admission (4.12 and later) refuses it.
pub(crate) fn label_namespace(namespace: &str) -> Call {
    Call::request(&[
        "label",
        "namespace",
        namespace,
        // The cluster labels namespaces as well, and may be first.
        "--overwrite",
        "security.openshift.io/scc.podSecurityLabelSync=false",
        "pod-security.kubernetes.io/enforce=privileged",
        "pod-security.kubernetes.io/audit=privileged",
        "pod-security.kubernetes.io/warn=privileged",
        OURS,
    ])
}

/// A cluster-wide default node selector would keep the pod off control-plane hosts. With the first heartbeat.
pub(crate) fn annotate_namespace(namespace: &str, at: &str) -> Call {
    let mut call = beat_namespace(namespace, at);
    call.args
        .insert(3, "openshift.io/node-selector=".to_owned());
    call
}

/// The run that made the namespace is at work.
pub(crate) fn beat_namespace(namespace: &str, at: &str) -> Call {
    let beat = format!("{HEARTBEAT}={at}");
    Call::request(&["annotate", "namespace", namespace, &beat, "--overwrite"])
}

/// The same of a pod in a namespace that is not ours.
pub(crate) fn beat_pod(namespace: &str, pod: &str, at: &str) -> Call {
    let beat = format!("{HEARTBEAT}={at}");
    Call::request(&[
        "annotate",
        "pod",
        pod,
        "-n",
        namespace,
        &beat,
        "--overwrite",
    ])
}

/// Namespaces that runs made, this one's among them.
pub(crate) fn namespaces_of_runs() -> Call {
    Call::request(&["get", "namespaces", "-l", OURS, "-o", "json"])
}

/// Pods of one namespace, whoever made them.
pub(crate) fn pods(namespace: &str) -> Call {
    Call::request(&["get", "pods", "-n", namespace, "-o", "json"])
}

pub(crate) fn delete_namespace(namespace: &str) -> Call {
    Call::request(&[
        "delete",
        "namespace",
        namespace,
        "--ignore-not-found",
        "--wait=false",
    ])
}

/// The debug pod that waits: it ends by itself when nobody is left to delete it.
pub(crate) fn debug_sleep(node: &str, namespace: &str, seconds: u64) -> Call {
    let node = format!("node/{node}");
    let namespace = format!("--to-namespace={namespace}");
    Call::stream(&[
        "debug",
        &node,
        &namespace,
        "--",
        "sleep",
        &seconds.to_string(),
    ])
}

/// For somebody who removes a directory of ours by hand: without a namespace `oc debug` finds or makes one that will do.
pub(crate) fn remove_directory(node: &str, directory: &str, namespace: Option<&str>) -> Call {
    let mut call = Call::stream(&["debug", &format!("node/{node}")]);
    let namespace = namespace.map(|name| format!("--to-namespace={name}"));
    call.args.extend(namespace);
    let words = ["--", "chroot", "/host", "rm", "-rf", "--", directory];
    call.args.extend(words.map(str::to_owned));
    call
}

pub(crate) fn pod(namespace: &str, name: &str) -> Call {
    Call::request(&["get", "pod", name, "-n", namespace, "-o", "json"])
}

pub(crate) fn delete_pod(namespace: &str, name: &str) -> Call {
    Call::request(&[
        "delete",
        "pod",
        name,
        "-n",
        namespace,
        "--ignore-not-found",
        "--wait=false",
    ])
}

/// Writes a command line so that a POSIX shell reads the same words back.
pub fn shell_line(words: &[String]) -> String {
    words.iter().fold(String::new(), |mut line, word| {
        let separator = if line.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(line, "{separator}{}", quote(word));
        line
    })
}

/// One word for a POSIX shell.
pub(crate) fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        let words = ["oc", "", "a b", "it's", "K=v", "--x=*"].map(str::to_owned);
        assert_eq!(shell_line(&words), r"oc '' 'a b' 'it'\''s' K=v '--x=*'");
    }

    #[test]
    fn exec_has_no_terminal_and_no_shell() {
        let access = HostAccess::Exec {
            namespace: "n".to_owned(),
            pod: "p".to_owned(),
        };
        let line = shell_line(&access.run(&["cat", "/home/core/x"]).args);
        assert_eq!(line, "exec -n n p -- chroot /host cat /home/core/x");
    }
}
