//! Why there is no backup: a run of `oc` that went wrong, or a step of ours.

use super::lock::{LockError, LockHolder};
use super::script::ScriptFailure;
use crate::oc::client::RunError;
use crate::oc::cluster::{LookError, ReasonCode, RefusalReason};
use crate::source::IoError;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

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
    /// The stream broke more often than is retried.
    #[error("{path} could not be brought here: the stream broke {tries} times")]
    Transfer {
        /// Path on the host.
        path: String,
        /// Tries made.
        tries: u32,
        /// The way to it stayed away, and may come back.
        is_out_of_reach: bool,
        /// The last break; `None` when the bytes ended early without an error.
        source: Option<RunError>,
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
            LookError::NoAccess(reason) => Self::Refused {
                reasons: vec![reason],
            },
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

    /// True when the script had done its work and the way to its files stays away: they are worth keeping there.
    pub(super) fn is_out_of_reach(&self) -> bool {
        matches!(
            self,
            Self::Transfer {
                is_out_of_reach: true,
                ..
            }
        )
    }

    /// What to do about it, where there is one thing to do.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Run(error) if error.is_not_logged_in() => Some(LOG_IN.to_owned()),
            Self::Script(failure) => Some(failure.remedy().to_owned()),
            Self::Refused { reasons } => remedy_of(reasons),
            Self::Transfer { .. } if self.is_out_of_reach() => Some(
                "the backup still lies on the node; when it can be reached again: etcd-cat backup --resume".to_owned(),
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

fn remedy_of(reasons: &[RefusalReason]) -> Option<String> {
    let has = |code| reasons.iter().any(|reason| reason.code == code);
    if has(ReasonCode::NotLoggedIn) {
        return Some(LOG_IN.to_owned());
    }
    if has(ReasonCode::Forbidden) {
        return Some("log in as somebody who may, such as a cluster administrator".to_owned());
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
