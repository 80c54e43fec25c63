//! Removes everything that a run left in the cluster, on every way out.

use super::host;
use crate::monitor::{Monitor, Silent};
use crate::oc::client::{Call, HostAccess, Oc, Process, RunError, RunLimits, commands, shell_line};
use std::time::Duration;

/// A directory may be filled while it is removed: by a script that is still being ended.
const REMOVE_TRIES: u32 = 3;

/// Something of ours that is still in the cluster, and how to remove it by hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leftover {
    /// What, and where.
    pub what: String,
    /// The command that removes it.
    pub command: String,
}

/// What has to be removed again. Dropping it cleans up too, should a bug unwind past `clean_up`.
#[derive(Debug)]
pub(super) struct Remains<'o> {
    oc: &'o Oc,
    timeout: Duration,
    node: String,
    namespace: String,
    /// The namespace is ours and exists (or may exist).
    pub(super) has_namespace: bool,
    /// The debug pod by name, once `oc` told it.
    pub(super) pod: Option<String>,
    /// The `oc debug` that holds the pod.
    pub(super) process: Option<Process>,
    /// How the host is reached.
    pub(super) access: Option<HostAccess>,
    /// The fresh directory on the host.
    pub(super) directory: Option<String>,
}

impl<'o> Remains<'o> {
    pub(super) fn new(oc: &'o Oc, node: &str, namespace: &str, timeout: Duration) -> Self {
        Self {
            oc,
            timeout,
            node: node.to_owned(),
            namespace: namespace.to_owned(),
            has_namespace: false,
            pod: None,
            process: None,
            access: None,
            directory: None,
        }
    }

    /// Removes all of it: directory, pod, namespace. Not interruptible, and short.
    pub(super) fn clean_up(&mut self, monitor: &dyn Monitor) -> Vec<Leftover> {
        if self.has_namespace || self.process.is_some() || self.directory.is_some() {
            monitor.note("removing what was made in the cluster");
        }
        [
            self.remove_directory(),
            self.remove_pod(),
            self.remove_namespace(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn call(&self, call: &Call) -> Result<(), RunError> {
        let limits = RunLimits {
            deadline: self.timeout,
            silence: None,
        };
        self.oc.capture(call, limits, &Silent).map(drop)
    }

    fn remove_directory(&mut self) -> Option<Leftover> {
        let directory = self.directory.take()?;
        let words = host::remove(&directory);
        let by_logs = HostAccess::Logs {
            namespace: self.namespace.clone(),
            node: self.node.clone(),
        };
        let is_removed = self
            .access
            .as_ref()
            .is_some_and(|access| self.is_removed_by(&access.run(&words)));
        // The pod may have gone before us: a fresh one does it.
        if is_removed || self.call(&by_logs.run(&words)).is_ok() {
            return None;
        }
        let mut command = vec![
            "oc".to_owned(),
            "debug".to_owned(),
            format!("node/{}", self.node),
        ];
        command.extend(["--", "chroot", "/host"].map(str::to_owned));
        command.extend(words.iter().map(|&word| word.to_owned()));
        Some(Leftover {
            what: format!("directory {directory} on {}", self.node),
            command: shell_line(&command),
        })
    }

    fn is_removed_by(&self, call: &Call) -> bool {
        for _ in 0..REMOVE_TRIES {
            match self.call(call) {
                Ok(()) => return true,
                Err(error) if error.stderr().contains("Directory not empty") => {}
                Err(_) => return false,
            }
        }
        false
    }

    fn remove_pod(&mut self) -> Option<Leftover> {
        let process = self.process.take();
        let pod = self.pod.take();
        let leftover = pod.and_then(|pod| {
            let call = commands::delete_pod(&self.namespace, &pod);
            let error = self.call(&call).err()?;
            let is_gone = error.is_missing_object();
            (!is_gone)
                .then(|| self.leftover(format!("pod {pod} in namespace {}", self.namespace), &call))
        });
        // Its own removal of the pod comes second and finds nothing left to do.
        drop(process);
        leftover
    }

    fn remove_namespace(&mut self) -> Option<Leftover> {
        if !std::mem::take(&mut self.has_namespace) {
            return None;
        }
        let call = commands::delete_namespace(&self.namespace);
        self.call(&call).err()?;
        Some(self.leftover(format!("namespace {}", self.namespace), &call))
    }

    fn leftover(&self, what: String, call: &Call) -> Leftover {
        Leftover {
            what,
            command: shell_line(&self.oc.argv(call)),
        }
    }
}

impl Drop for Remains<'_> {
    fn drop(&mut self) {
        self.clean_up(&Silent);
    }
}
