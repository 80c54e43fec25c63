//! What a backup run is asked to do.

use super::error::OcError;
use crate::oc::client::{Patience, is_name};
use crate::oc::cluster::{ReasonCode, Window, is_plain};
use std::path::PathBuf;
use std::time::Duration;

/// Where the fresh directory on the host is made: on the partition of etcd's own data, present on every RHCOS host.
pub(super) const DEFAULT_HOST_DIRECTORY: &str = "/home/core";

/// In which namespace the debug pod runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum DebugNamespace {
    /// One of our own, made for this run and removed after it.
    #[default]
    Temporary,
    /// One that exists and enforces the pod security level `privileged`.
    Existing(String),
}

/// What is to be done on the host.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BackupTask {
    /// Take a new backup.
    #[default]
    Take,
    /// `--resume`: bring in one that an earlier run left there.
    Resume,
    /// `--from-policy`: bring in the newest that the cluster's own automated backups left.
    FromPolicy,
    /// `--clean`: remove what earlier runs left there.
    Clean,
}

/// Options of `etcd-cat backup`.
#[derive(Clone, Debug)]
pub struct BackupOptions {
    /// `--node`; `None` chooses a healthy one.
    pub node: Option<String>,
    /// `--to`: where the snapshot goes. Made when absent.
    pub to: PathBuf,
    /// `--keys-to`: where the kuberesources goes; `None` is beside the snapshot.
    pub keys_to: Option<PathBuf>,
    /// `--force`, as [`parse_forced`](crate::oc::parse_forced) reads it.
    pub forced: Vec<ReasonCode>,
    /// `--not-during`, repeatable.
    pub not_during: Vec<Window>,
    /// What is to be done on the host.
    pub task: BackupTask,
    /// `--keep-on-node`: the directory on the host stays after a success.
    pub keep_on_node: bool,
    /// `--debug-namespace`.
    pub debug_namespace: DebugNamespace,
    /// `--host-directory`: an absolute path on the host in which the fresh directory is made.
    pub host_directory: String,
    /// Directory of the lock files, private to this user or to root; `None` is beside the default catalogue. Made
    /// when absent.
    pub lock_directory: Option<PathBuf>,
    /// How long each step may take.
    pub timeouts: Timeouts,
}

impl BackupOptions {
    /// Options with every default but the destination.
    pub fn new(to: PathBuf) -> Self {
        Self {
            node: None,
            to,
            keys_to: None,
            forced: Vec::new(),
            not_during: Vec::new(),
            task: BackupTask::default(),
            keep_on_node: false,
            debug_namespace: DebugNamespace::default(),
            host_directory: DEFAULT_HOST_DIRECTORY.to_owned(),
            lock_directory: None,
            timeouts: Timeouts::default(),
        }
    }

    pub(super) fn keys_directory(&self) -> &PathBuf {
        self.keys_to.as_ref().unwrap_or(&self.to)
    }

    /// How long the look beforehand is tried again while the API server is away.
    pub(super) fn look_patience(&self) -> Patience {
        Patience {
            limit: self.timeouts.look_patience,
            pause: self.timeouts.retry_pause,
        }
    }

    /// Values that end up in commands are plain words: the script on the host does not quote its argument.
    pub(super) fn check(&self) -> Result<(), OcError> {
        let refuse = |option, found: &str, expected| {
            Err(OcError::Option {
                option,
                found: found.to_owned(),
                expected,
            })
        };
        let directory = &self.host_directory;
        if !is_plain(directory) {
            let expected =
                "an absolute path of letters, digits, `_`, `-`, `.` and `/`, without `..`";
            return refuse("--host-directory", directory, expected);
        }
        if let Some(node) = self.node.as_deref().filter(|node| !is_name(node)) {
            return refuse("--node", node, "the name of a node");
        }
        match &self.debug_namespace {
            DebugNamespace::Existing(name) if !is_name(name) => {
                refuse("--debug-namespace", name, "the name of a namespace")
            }
            _ => Ok(()),
        }
    }
}

/// How long each step may take, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// How long a call is tried again while the API server is away.
    pub patience: Duration,
    /// The same for the look beforehand: nothing is lost yet.
    pub look_patience: Duration,
    /// From asking for the debug pod until it runs. An image may have to be pulled.
    pub pod_start: Duration,
    /// Life of the debug pod: it ends by itself after this, whatever became of us.
    pub pod_life: Duration,
    /// The script. It usually takes less than a minute; `oc debug` itself gives up after 15 minutes.
    pub script: Duration,
    /// A short command on the host.
    pub command: Duration,
    /// Longest silence of a stream before it counts as broken.
    pub stream_silence: Duration,
    /// How often a broken stream is taken up again.
    pub stream_retries: u32,
    /// First pause before a retry; doubled each time.
    pub retry_pause: Duration,
    /// Pause between two looks at a pod that is not running yet.
    pub poll: Duration,
    /// How long cleaning up is tried while the API server is away.
    pub cleanup: Duration,
    /// The same from the moment a signal asks to stop: systemd and Kubernetes kill what lingers.
    pub cleanup_after_signal: Duration,
    /// How often the heartbeats are renewed: over an hour old, one is of a run that is no more.
    pub heartbeat: Duration,
    /// How much longer than a request one command on the host may take that cleans up: a pod may have to start.
    pub cleanup_step: Duration,
}

impl Timeouts {
    /// Goes on for so long while the API server is away, with cleaning up as well; the look beforehand no longer than
    /// it would by default.
    pub fn be_patient_for(&mut self, patience: Duration) {
        self.patience = patience;
        self.cleanup = patience;
        self.look_patience = self.look_patience.min(patience);
        self.cleanup_after_signal = self.cleanup_after_signal.min(patience);
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(900),
            look_patience: Duration::from_secs(60),
            pod_start: Duration::from_secs(180),
            pod_life: Duration::from_secs(1800),
            script: Duration::from_secs(900),
            command: Duration::from_secs(120),
            stream_silence: Duration::from_secs(60),
            stream_retries: 5,
            retry_pause: Duration::from_secs(1),
            poll: Duration::from_secs(1),
            cleanup: Duration::from_secs(900),
            cleanup_after_signal: Duration::from_secs(120),
            heartbeat: Duration::from_secs(600),
            cleanup_step: Duration::from_secs(30),
        }
    }
}
