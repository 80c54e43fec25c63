//! Why there is no backup: a run of `oc` that went wrong, or a step of ours.

use super::lock::{LockError, LockHolder};
use super::script::ScriptFailure;
use crate::oc::client::RunError;
use crate::oc::cluster::{LookError, ReasonCode, RefusalReason};
use crate::source::IoError;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

const LOG_IN_AS_ANOTHER: &str = "log in as somebody who may, such as a cluster administrator";
const LOG_IN: &str = "log in with `oc login`, or set KUBECONFIG";

/// Why no backup was taken or brought here. The exit code is 2, or 130/143 when [`OcError::is_interrupted`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OcError {
    /// An `oc` run failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The look beforehand found reasons not to.
    #[error("no backup is taken: {}", join_reasons(reasons))]
    Refused {
        /// Every reason that was not forced.
        reasons: Vec<RefusalReason>,
    },
    /// Another run holds the lock of this cluster.
    #[error("already-running: another backup of this cluster is running, {holder}")]
    AlreadyRunning {
        /// Who.
        holder: LockHolder,
    },
    /// The script on the host did not finish its work.
    #[error(transparent)]
    Script(#[from] ScriptFailure),
    /// The debug pod did not start.
    #[error("the debug pod on {node} did not start within {} s: {state}", after.as_secs())]
    PodNotRunning {
        /// The host.
        node: String,
        /// Phase and reason as Kubernetes says them.
        state: String,
        /// How long was waited.
        after: Duration,
    },
    /// The files that the script named are not on the host, or not readable there.
    #[error("{path} on {node}: {problem}")]
    RemoteFile {
        /// The host.
        node: String,
        /// Path on the host.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// No earlier run left a whole pair there.
    #[error("no earlier run left a backup in {directory} on {node}")]
    NothingToResume {
        /// The host.
        node: String,
        /// Where was looked.
        directory: String,
    },
    /// No whole pair lies where the cluster's own backups are written.
    #[error(
        "the cluster's own policy left no backup that can be reached; looked in {}{}",
        looked.join("; "), not_looked(out_of_reach)
    )]
    NoPolicyBackup {
        /// Directories on hosts.
        looked: Vec<String>,
        /// Hosts and claims that could not be looked into, and why.
        out_of_reach: Vec<String>,
    },
    /// The newest is here, byte for byte.
    #[error("the newest backup of the cluster's own policy is here already: {}", path.display())]
    AlreadyHere {
        /// The snapshot here.
        path: PathBuf,
    },
    /// The stream broke more often than is retried.
    #[error("{path} could not be brought here: the stream broke {tries} times")]
    Transfer {
        /// Path on the host.
        path: String,
        /// Tries made.
        tries: u32,
        /// The last break; `None` when the bytes ended early without an error.
        source: Option<RunError>,
    },
    /// The script was ended before it was done, over and over.
    #[error("cluster-backup.sh was cut off {attempts} times before it was done")]
    CutOff {
        /// How often it was run.
        attempts: u32,
        /// What became of it the last time.
        source: RunError,
    },
    /// The script had done its work, and something kept its files from coming here.
    #[error(
        "the backup was taken, and could not be brought here: it stays in {directory} on {node}"
    )]
    NotBroughtHere {
        /// The host.
        node: String,
        /// Where it lies.
        directory: String,
        /// What stood in the way last.
        source: Box<Self>,
    },
    /// There is no room here for what is there.
    #[error("{}", join_reasons(reasons))]
    NoRoom {
        /// Where.
        reasons: Vec<RefusalReason>,
    },
    /// All bytes came and are not those on the host.
    #[error("SHA-256 of {path} is {found} here, expected {expected} as on the host")]
    Digest {
        /// Path on the host.
        path: String,
        /// Digest of the bytes received.
        found: String,
        /// Digest that the host printed.
        expected: String,
    },
    /// A final name is taken.
    #[error("{} exists already, expected no file of that name", path.display())]
    Exists {
        /// The local path.
        path: PathBuf,
    },
    /// A local file or directory.
    #[error(transparent)]
    Io(#[from] IoError),
    /// An option that cannot be used.
    #[error("{option} is {found:?}, expected {expected}")]
    Option {
        /// The flag.
        option: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The caller could not finish verifying; the files were put aside.
    #[error("the backup was brought here and could not be verified: {0}")]
    NotVerified(String),
    /// `--clean` could not remove all of it; what stays is told apart.
    #[error("not all that earlier runs left could be removed")]
    NotCleaned,
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl From<LockError> for OcError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(holder) => Self::AlreadyRunning { holder },
            LockError::Io(error) => Self::Io(error),
        }
    }
}

impl From<LookError> for OcError {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Run(error) => Self::Run(error),
            LookError::NoAccess(reasons) => Self::Refused { reasons },
        }
    }
}

impl OcError {
    /// True when the user or the system asked to stop.
    pub fn is_interrupted(&self) -> bool {
        match self {
            Self::Interrupted | Self::Run(RunError::Interrupted { .. }) => true,
            Self::Transfer { source, .. } => {
                matches!(source, Some(RunError::Interrupted { .. }))
            }
            _ => false,
        }
    }

    /// True when the script had done its work: its files are worth keeping on the host.
    pub(super) fn is_kept_on_host(&self) -> bool {
        matches!(self, Self::NotBroughtHere { .. })
    }

    /// The same of a run whose script had done its work. Whatever came then, a disk without room or a way that stayed
    /// away, the files are whole; only those that are not there, and who asked to stop, leave nothing to keep.
    pub(super) fn behind_the_script(self, node: &str, directory: &str) -> Self {
        if self.is_interrupted() || matches!(self, Self::RemoteFile { .. }) {
            return self;
        }
        Self::NotBroughtHere {
            node: node.to_owned(),
            directory: directory.to_owned(),
            source: Box::new(match self {
                Self::Refused { reasons } => Self::NoRoom { reasons },
                error => error,
            }),
        }
    }

    /// True when nothing was heard of the API server for too long.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Run(error) if error.is_away())
    }

    /// Why in a few words.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Run(error) => error.reason(),
            error => error.to_string(),
        }
    }

    /// What has to be seen to before the files can be brought here.
    fn obstacle(&self) -> &'static str {
        match self {
            Self::Io(error) if is_without_room(&error.source) => "make room here, then ",
            Self::Io(_) => "see to the directory here, then ",
            Self::Exists { .. } => "move the file that is here out of the way, then ",
            Self::NoRoom { .. } => "make room here, then ",
            _ => "when it can be reached again, ",
        }
    }

    /// What to do about it, where there is one thing to do.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Run(error) => remedy_of_run(error).map(str::to_owned),
            Self::Script(failure) => Some(failure.remedy().to_owned()),
            Self::Refused { reasons } => remedy_of(reasons),
            Self::NotBroughtHere { node, source, .. } => Some(format!(
                "the backup still lies on the node; {}bring it in: the same command with --resume --node {node}",
                source.obstacle()
            )),
            Self::NoPolicyBackup { .. } => Some(
                "take one: etcd-cat backup --to DIRECTORY; a claim whose volume is on no host is read through a pod: that needs \
                 `create`, `get` and `delete` of pods and `create` of pods/exec in openshift-etcd"
                    .to_owned(),
            ),
            Self::RemoteFile { .. } => Some(
                "run again; if it comes back, take it from another host with --node, and look at this one".to_owned(),
            ),
            Self::NothingToResume { .. } => {
                Some("name the node that it was taken on: --node NODE".to_owned())
            }
            Self::PodNotRunning { .. } => Some(
                "look at the events of the pod: image pull, admission and kubelet problems are named there".to_owned(),
            ),
            _ => None,
        }
    }
}

fn remedy_of_run(error: &RunError) -> Option<&'static str> {
    if error.is_not_logged_in() {
        return Some(LOG_IN);
    }
    if error.is_forbidden() {
        return Some(LOG_IN_AS_ANOTHER);
    }
    if error.is_certificate_refused() {
        return Some(
            "the certificate of the API server is not one that the kubeconfig trusts: get a new kubeconfig, or log in with \
             `oc login --certificate-authority=FILE`",
        );
    }
    if error.is_unknown_kind()
        || error
            .stderr()
            .contains("clusterversions.config.openshift.io")
    {
        return Some(
            "this is no OpenShift cluster, or no API server of one: name it with --context or --kubeconfig",
        );
    }
    error.is_away().then_some(
        "see whether the API server can be reached from here: `oc whoami --show-server`, `oc get --raw /readyz`",
    )
}

/// What a full disk says, a quota, and a limit of file sizes.
fn is_without_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn not_looked(out_of_reach: &[String]) -> String {
    match out_of_reach {
        [] => String::new(),
        some => format!("; not in {}", some.join("; ")),
    }
}

fn remedy_of(reasons: &[RefusalReason]) -> Option<String> {
    let has = |code| reasons.iter().any(|reason| reason.code == code);
    if has(ReasonCode::NotLoggedIn) {
        return Some(LOG_IN.to_owned());
    }
    if has(ReasonCode::Forbidden) {
        return Some(LOG_IN_AS_ANOTHER.to_owned());
    }
    let forceable: Option<Vec<String>> = reasons
        .iter()
        .map(|reason| {
            let is_forceable = reason.code.is_forceable();
            is_forceable.then(|| format!("--force {}", reason.code))
        })
        .collect();
    let forced = forceable?.join(" ");
    (!forced.is_empty()).then(|| format!("wait until it is over, or override with {forced}"))
}

fn join_reasons(reasons: &[RefusalReason]) -> String {
    reasons.iter().fold(String::new(), |mut text, reason| {
        let separator = if text.is_empty() { "" } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{reason}");
        text
    })
}
