//! Removes everything that a run left in the cluster, on every way out, and goes on trying while the API is away.

use super::host;
use super::leftover::Leftover;
use super::options::Timeouts;
use crate::monitor::{Monitor, Silent};
use crate::oc::client::{Call, DebugProcess, HostAccess, Oc, Patience, RunError, Wait, commands};
use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

/// What fails for another reason than an API server that is away is tried so often: a directory may be filled while
/// it is removed, by a script that is still being ended.
const TRIES: u32 = 3;

/// What has to be removed again. Dropping it cleans up too, should a bug unwind past `clean_up`.
#[derive(Debug)]
pub(super) struct Remains<'o> {
    oc: &'o Oc,
    timeouts: Timeouts,
    node: String,
    namespace: String,
    /// The namespace is ours: it is removed after the rest.
    is_temporary: bool,
    /// The namespace is ours and exists (or may exist).
    pub(super) has_namespace: bool,
    /// Debug pods by name, once `oc` told them. One that got SIGTERM leaves its pod running: they are ours to delete.
    pub(super) pods: Vec<String>,
    /// Pods that read a claim, in the namespace of the claims.
    pub(super) volume_pods: Vec<String>,
    /// The `oc debug` that holds the pod.
    pub(super) process: Option<DebugProcess>,
    /// How the host is reached.
    pub(super) access: Option<HostAccess>,
    /// The fresh directory on the host.
    pub(super) directory: Option<String>,
    /// A directory whose files are worth more than tidiness.
    kept: Option<String>,
    /// Why the last try to remove something failed, by its name.
    reasons: BTreeMap<String, String>,
}

/// How one try to remove something ended.
enum Removal {
    Done,
    /// To be tried again: the API server is away.
    Away(RunError),
    /// Refused, and refused again.
    Refused(RunError),
}

impl<'o> Remains<'o> {
    pub(super) fn new(oc: &'o Oc, plan: &super::planned::BackupPlan) -> Self {
        Self {
            oc,
            timeouts: plan.options.timeouts,
            node: plan.node.clone(),
            namespace: plan.namespace.clone(),
            is_temporary: plan.is_temporary(),
            has_namespace: false,
            pods: Vec::new(),
            volume_pods: Vec::new(),
            process: None,
            access: None,
            directory: None,
            kept: None,
            reasons: BTreeMap::new(),
        }
    }

    fn is_empty(&self) -> bool {
        let has_pods = !self.pods.is_empty() || !self.volume_pods.is_empty();
        let has_pods = has_pods || self.process.is_some();
        !self.has_namespace && !has_pods && self.directory.is_none()
    }

    /// One try at all of it, not waiting for anything. True when nothing is worth another.
    pub(super) fn clean_up_once(&mut self, monitor: &dyn Monitor) -> bool {
        if self.is_empty() {
            return true;
        }
        monitor.note("removing what was made in the cluster");
        let is_done = self.try_all(&Uninterrupted(monitor)).is_ok();
        if is_done {
            self.process = None;
        }
        is_done
    }

    /// On to the next host: the pod on the last one is removed, now or in the end.
    pub(super) fn go_to(&mut self, node: &str, monitor: &dyn Monitor) {
        node.clone_into(&mut self.node);
        self.access = None;
        if let Some(process) = self.process.take() {
            self.pods.extend(process.end());
        }
        // What fails is tried again with the rest.
        self.pods.sort();
        self.pods.dedup();
        let _ = self.remove_pods(monitor);
    }

    /// Leaves the directory where it is: what lies in it can still be brought in.
    pub(super) fn keep_directory(&mut self) {
        self.kept = self.directory.take();
    }

    /// What is left stays: it has been told.
    pub(super) fn forget(&mut self) {
        self.has_namespace = false;
        self.pods.clear();
        self.volume_pods.clear();
        self.directory = None;
    }

    /// Removes all of it: directory, pods, namespace, each tried once more while the API server is away, until the
    /// deadline: a short one from the moment a signal asks to stop. What is left then is told by [`Self::leftovers`].
    pub(super) fn clean_up(&mut self, monitor: &dyn Monitor) {
        let mut wait = Wait::new(Patience {
            limit: self.timeouts.cleanup,
            pause: self.timeouts.retry_pause,
        });
        let mut stopped = None;
        let uninterrupted = Uninterrupted(monitor);
        let mut is_node_away = false;
        while let Err(error) = self.try_all(&uninterrupted) {
            is_node_away = error.is_node_away();
            let limit = self.timeouts.cleanup_after_signal;
            if monitor.is_interrupted() {
                let since = *stopped.get_or_insert_with(Instant::now);
                if since.elapsed() >= limit {
                    break;
                }
            }
            if wait.after(error, &uninterrupted).is_err() {
                break;
            }
        }
        wait.over(monitor);
        if self.directory.is_some() && is_node_away {
            // Nobody can use the way to the directory any more; what fails now stays, and is told.
            let _ = self.remove_the_way(&uninterrupted);
        }
        // An `oc debug` without its pod ends by itself; dropped, it is ended.
        self.process = None;
    }

    /// What is still there.
    pub(super) fn leftovers(&self) -> Vec<Leftover> {
        let own = (!self.is_temporary).then_some(self.namespace.as_str());
        let why = |name: &str| self.reasons.get(name).cloned();
        let at = |directory: &str| Leftover::directory(self.oc, &self.node, directory, own);
        let kept = self.kept.iter().map(|directory| {
            let reason = format!(
                "a finished backup lies in it: `etcd-cat backup --resume --node {}` brings it in",
                self.node
            );
            at(directory).because(Some(reason))
        });
        let directory = self.directory.iter();
        let directory = directory.map(|directory| at(directory).because(why(directory)));
        let pods = self.pods.iter();
        let pods = pods.map(|pod| Leftover::pod(self.oc, &self.namespace, pod).because(why(pod)));
        let namespace = self.has_namespace.then(|| {
            let namespace = &self.namespace;
            Leftover::namespace(self.oc, namespace).because(why(namespace))
        });
        let volume_pods = self.volume_pods.iter();
        let volume_pods = volume_pods
            .map(|pod| Leftover::pod(self.oc, commands::ETCD_NAMESPACE, pod).because(why(pod)));
        let pods = pods.chain(volume_pods);
        let all = kept.chain(directory).chain(pods).chain(namespace);
        all.collect()
    }

    /// Notes why something is still there.
    fn failed(&mut self, name: &str, error: &RunError) {
        self.reasons.insert(name.to_owned(), error.reason());
    }

    /// One try of each; `Err` when another may succeed.
    fn try_all(&mut self, monitor: &dyn Monitor) -> Result<(), RunError> {
        // Before the pod is known it cannot be removed, and afterwards nobody needs the process.
        if self.pods.is_empty()
            && let Some(process) = self.process.take()
        {
            self.pods.extend(process.end());
        }
        // The directory first: the pod and the namespace are the way to it.
        if let Some(directory) = self.directory.clone() {
            match self.remove_directory(&directory, monitor) {
                Removal::Done => self.directory = None,
                Removal::Away(error) => {
                    self.failed(&directory, &error);
                    return Err(error);
                }
                Removal::Refused(error) => self.failed(&directory, &error),
            }
        }
        self.remove_the_way(monitor)
    }

    /// One try of the pods and of the namespace.
    fn remove_the_way(&mut self, monitor: &dyn Monitor) -> Result<(), RunError> {
        let mut away = self.remove_pods(monitor);
        if self.has_namespace {
            let namespace = self.namespace.clone();
            match self.remove(&commands::delete_namespace(&namespace), monitor) {
                Removal::Done => {
                    self.has_namespace = false;
                    // They go with it.
                    self.pods.clear();
                }
                Removal::Away(error) => {
                    self.failed(&namespace, &error);
                    away = Some(error);
                }
                Removal::Refused(error) => self.failed(&namespace, &error),
            }
        }
        away.map_or(Ok(()), Err)
    }

    /// One try of each pod; why another may succeed.
    fn remove_pods(&mut self, monitor: &dyn Monitor) -> Option<RunError> {
        let mut away = None;
        self.pods.extend(self.oc.take_abandoned_pods());
        let namespace = self.namespace.clone();
        let pods = std::mem::take(&mut self.pods);
        self.pods = self.remove_those(&namespace, pods, &mut away, monitor);
        let pods = std::mem::take(&mut self.volume_pods);
        self.volume_pods = self.remove_those(commands::ETCD_NAMESPACE, pods, &mut away, monitor);
        away
    }

    /// The pods that stay.
    fn remove_those(
        &mut self,
        namespace: &str,
        pods: Vec<String>,
        away: &mut Option<RunError>,
        monitor: &dyn Monitor,
    ) -> Vec<String> {
        let mut stay = Vec::new();
        for pod in pods {
            match self.remove(&commands::delete_pod(namespace, &pod), monitor) {
                Removal::Done => continue,
                Removal::Away(error) => {
                    self.failed(&pod, &error);
                    *away = Some(error);
                }
                Removal::Refused(error) => self.failed(&pod, &error),
            }
            stay.push(pod);
        }
        stay
    }

    /// Through the pod that is there; if it has gone before us, through a fresh one.
    fn remove_directory(&mut self, directory: &str, monitor: &dyn Monitor) -> Removal {
        let words = host::remove(directory);
        let through_pod = self.access.as_ref().map(|access| access.run(&words));
        let first = match through_pod {
            Some(call) => self.remove(&call, monitor),
            // Nobody came as far as the host: there is no directory either.
            None => return Removal::Done,
        };
        let is_pod_gone = matches!(&first, Removal::Refused(error) if error.is_pod_gone());
        if matches!(self.access, Some(HostAccess::Logs { .. })) || !is_pod_gone {
            return first;
        }
        self.access = Some(HostAccess::Logs {
            namespace: self.namespace.clone(),
            node: self.node.clone(),
        });
        self.remove_directory(directory, monitor)
    }

    fn remove(&self, call: &Call, monitor: &dyn Monitor) -> Removal {
        let mut tries = 1;
        loop {
            match self.call(call, monitor) {
                Ok(()) => return Removal::Done,
                Err(error) if error.is_missing_object() && !call.is_stream => return Removal::Done,
                Err(error) if error.is_away() => return Removal::Away(error),
                Err(error) if tries >= TRIES || error.is_pod_gone() || error.is_forbidden() => {
                    return Removal::Refused(error);
                }
                Err(_) => tries += 1,
            }
            thread::sleep(self.timeouts.retry_pause);
        }
    }

    /// A request gets all the time that it may take; a command on the host that, and the start of a pod.
    fn call(&self, call: &Call, monitor: &dyn Monitor) -> Result<(), RunError> {
        let mut limits = self.oc.request_limits();
        if call.is_stream {
            limits.deadline += self.timeouts.cleanup_step;
        }
        let said = self.oc.capture(call, limits, monitor)?;
        // An old `oc debug` ends with 0 whatever became of the command; what was said tells.
        match said.lines().find(|line| line.starts_with("rm: ")) {
            Some(line) => Err(self.oc.failure(call, line)),
            None => Ok(()),
        }
    }
}

impl Drop for Remains<'_> {
    fn drop(&mut self) {
        self.clean_up(&Silent);
    }
}

/// Listens on, and lets nobody interrupt: what is ours must go.
struct Uninterrupted<'m>(&'m dyn Monitor);

impl Monitor for Uninterrupted<'_> {
    fn begin_step(&self, what: &str) {
        self.0.begin_step(what);
    }

    fn finish_step(&self, what: &str) {
        self.0.finish_step(what);
    }

    fn note(&self, text: &str) {
        self.0.note(text);
    }
}
