//! Why `cluster-backup.sh` made no backup, as its own lines tell. Pure.

use crate::oc::client::is_talk;
use crate::oc::cluster::ReasonCode;

/// How podman and registries speak of an image that they do not give.
const ABOUT_IMAGES: [&str; 12] = [
    "initializing source",
    "container registry",
    "unable to pull",
    "unable to copy from source",
    "reading manifest",
    "manifest unknown",
    "copying system image",
    "parsing image",
    "image not known",
    "toomanyrequests",
    "unauthorized:",
    "authentication required",
];

/// A line longer than this is not repeated in full.
const SHOWN_LINE_CHARS: usize = 300;

/// Why the script made no backup.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptFailure {
    /// Not run as root.
    #[error("cluster-backup.sh was not run as root")]
    NotRoot,
    /// Called without a directory, or with a file.
    #[error("cluster-backup.sh refused its arguments")]
    Usage,
    /// The script is not there.
    #[error("there is no /usr/local/bin/cluster-backup.sh on the host")]
    ScriptMissing,
    /// No etcd on this host.
    #[error(
        "cluster-backup.sh found no etcd scripts on the host, expected a functional etcd static pod"
    )]
    NoEtcd,
    /// A static pod is not running here.
    #[error("cluster-backup.sh found no running {component} pod on the host")]
    PodNotRunning {
        /// Such as `kube-apiserver`.
        component: String,
    },
    /// No kubeconfig to ask the API server with.
    #[error("cluster-backup.sh found no valid kubeconfig in kube-apiserver-certs")]
    NoKubeconfig,
    /// The API server did not answer the script.
    #[error("cluster-backup.sh could not read the status of {component}")]
    OperatorUnknown {
        /// Such as `kube-apiserver`.
        component: String,
    },
    /// A rollout began after the look beforehand.
    #[error("cluster-backup.sh aborted: the {component} operator is progressing")]
    OperatorProgressing {
        /// Such as `kube-apiserver`.
        component: String,
    },
    /// A certificate of etcd's client is in neither directory.
    #[error("cluster-backup.sh found no certificate {path}")]
    CertificateMissing {
        /// On the host.
        path: String,
    },
    /// No etcdctl to be had.
    #[error("cluster-backup.sh could neither pull etcdctl nor find it in its cache")]
    NoEtcdctl,
    /// The snapshot was saved and its status could not be read.
    #[error("cluster-backup.sh says that the snapshot is corrupt")]
    Corrupt,
    /// The host's disk is full.
    #[error("the host has no space left: {line}")]
    NoSpace {
        /// The system's words.
        line: String,
    },
    /// The image that etcdctl is taken from could not be had.
    #[error("the host could not pull the image that holds etcdctl: {line}")]
    Image {
        /// Words of podman or of the registry.
        line: String,
    },
    /// etcdctl could not save.
    #[error("etcdctl could not save the snapshot: {line}")]
    Save {
        /// Its words.
        line: String,
    },
    /// It ended, or was cut off, without its final line.
    #[error(
        "cluster-backup.sh ended with {status} and without its final line; its last words were: {last_line}"
    )]
    Unfinished {
        /// Exit status in words.
        status: String,
        /// Last line of output.
        last_line: String,
    },
    /// The final line is there and the names are not as any known script gives them.
    #[error("cluster-backup.sh finished and named no snapshot in {directory}")]
    NoSnapshotName {
        /// Where the backup was to be.
        directory: String,
    },
}

impl ScriptFailure {
    /// The failure that the lines tell of: the explicit ones come on stdout, those of the commands that the script
    /// runs on stderr.
    pub(super) fn of(stdout: &str, stderr: &str, status: &str) -> Self {
        // oc's own words come behind the script's.
        let lines = || {
            let lines = stdout.lines().chain(stderr.lines()).map(str::trim);
            lines.filter(|line| !is_talk(line))
        };
        let mut failures = lines().filter_map(failure_of_a_command);
        match lines().find_map(explicit_failure) {
            // Why it could not, where podman says so.
            Some(Self::NoEtcdctl) => {
                let image = failures.find(|failure| matches!(failure, Self::Image { .. }));
                return image.unwrap_or(Self::NoEtcdctl);
            }
            Some(failure) => return failure,
            None => {}
        }
        if let Some(failure) = lines().find_map(failure_of_a_command) {
            return failure;
        }
        Self::Unfinished {
            status: status.to_owned(),
            last_line: lines()
                .rfind(|line| !line.is_empty())
                .map(shorten)
                .unwrap_or_default(),
        }
    }

    /// True when no line tells of a failure: it may have been cut off.
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(self, Self::Unfinished { .. })
    }

    /// The reason under which it can be overridden: the script refuses for these unless it is forced.
    pub(super) fn reason(&self) -> Option<ReasonCode> {
        match self {
            Self::OperatorUnknown { .. } => Some(ReasonCode::OperatorUnknown),
            Self::OperatorProgressing { .. } => Some(ReasonCode::RolloutInProgress),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotRoot => {
                "the debug pod must run as root: check the security context constraints it was given"
            }
            Self::Usage | Self::NoSnapshotName { .. } => {
                "the script on the host differs from every known one: run it by hand and compare"
            }
            Self::ScriptMissing | Self::NoEtcd => {
                "choose a control-plane host that runs etcd with --node"
            }
            Self::PodNotRunning { .. } => {
                "choose another host with --node, or find out why the static pod does not run there"
            }
            Self::NoKubeconfig => {
                "the host's kube-apiserver files are incomplete: choose another host with --node"
            }
            Self::OperatorUnknown { .. } => {
                "the API server on the host does not answer: choose another host with --node, \
                 or have the script forced with --force operator-unknown"
            }
            Self::OperatorProgressing { .. } => {
                "wait until the rollout is over (oc get clusteroperators), then run again, \
                 or override with --force rollout-in-progress"
            }
            Self::CertificateMissing { .. } => {
                "etcd's client certificates are not on the host: choose another with --node"
            }
            Self::NoEtcdctl | Self::Image { .. } => {
                "the host can neither reach the registry nor find the etcd image: check its proxy"
            }
            Self::Corrupt | Self::Save { .. } => {
                "check etcd on that host (oc -n openshift-etcd get pods), then take the backup from another with --node"
            }
            Self::NoSpace { .. } => "free space on the host, or choose another with --node",
            Self::Unfinished { .. } => "run again; the lines above say how far it came",
        }
    }
}

fn explicit_failure(line: &str) -> Option<ScriptFailure> {
    let between = |before: &str, after: &str| {
        let (inside, _) = line.strip_prefix(before)?.split_once(after)?;
        Some(shorten(inside))
    };
    if line.starts_with("This script must be run as root") {
        return Some(ScriptFailure::NotRoot);
    }
    if line.starts_with("Path to backup dir required") {
        return Some(ScriptFailure::Usage);
    }
    if line.starts_with("required dependencies not found") {
        return Some(ScriptFailure::NoEtcd);
    }
    if line.starts_with("Valid kubeconfig is not found") {
        return Some(ScriptFailure::NoKubeconfig);
    }
    if line.starts_with("Could neither pull etcdctl nor find it locally") {
        return Some(ScriptFailure::NoEtcdctl);
    }
    if line.starts_with("Backup integrity verification failed") {
        return Some(ScriptFailure::Corrupt);
    }
    if let Some(component) = between("error finding manifests for the ", " pod")
        .or_else(|| between("error finding static-pod-resources for the ", " pod"))
    {
        return Some(ScriptFailure::PodNotRunning { component });
    }
    // Scripts of 4.4 and 4.5.
    if let Some(component) = line.strip_prefix("error finding static-pod-resource ") {
        let component = component
            .strip_suffix("-pod")
            .unwrap_or(component)
            .to_owned();
        return Some(ScriptFailure::PodNotRunning { component });
    }
    if let Some(component) = between("Could not find the status of the ", ".") {
        return Some(ScriptFailure::OperatorUnknown { component });
    }
    if let Some(component) = between("Currently the ", " operator is progressing") {
        return Some(ScriptFailure::OperatorProgressing { component });
    }
    between("Certificate ", " is also missing in the second directory")
        .map(|path| ScriptFailure::CertificateMissing { path })
}

fn failure_of_a_command(line: &str) -> Option<ScriptFailure> {
    if line.ends_with("No space left on device") || line.contains("no space left on device") {
        return Some(ScriptFailure::NoSpace {
            line: shorten(line),
        });
    }
    let is_script = line.contains("cluster-backup.sh");
    if is_script
        && (line.starts_with("chroot:") || line.starts_with("env:") || line.contains("not found"))
    {
        return Some(ScriptFailure::ScriptMissing);
    }
    let is_error = line.starts_with("Error: ") || line.starts_with("error: ");
    if is_error && ABOUT_IMAGES.iter().any(|text| line.contains(text)) {
        return Some(ScriptFailure::Image {
            line: shorten(line),
        });
    }
    line.starts_with("Error: ").then(|| ScriptFailure::Save {
        line: shorten(line),
    })
}

fn shorten(line: &str) -> String {
    line.chars()
        .filter(|character| !character.is_control())
        .take(SHOWN_LINE_CHARS)
        .collect()
}
