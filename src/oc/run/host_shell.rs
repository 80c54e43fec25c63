//! The way to the host: commands go through a debug pod, and through another one when that has gone.

use super::cleanup::Remains;
use super::context::RunContext;
use super::debug_pod::{self, DebugPod};
use super::error::OcError;
use super::heartbeat;
use super::host;
use super::options::BackupTask;
use super::volume_pod;
use crate::oc::client::{DebugTalk, HostAccess, OutputChunk, RunError, RunLimits, Wait};
use std::time::{Duration, Instant};

/// So many pods in a row may go before a single command was run in them.
const PODS_IN_A_ROW: u32 = 5;

/// The reason of a failure is in the last words of a command.
const LAST_WORDS_BYTES: usize = 1024;

/// Runs commands on the host, each again while the API server is away.
pub(super) struct HostShell<'r, 'o> {
    pub(super) context: RunContext<'r>,
    pub(super) remains: &'r mut Remains<'o>,
    access: HostAccess,
    /// The pod that carried the last command, and its image where somebody told it.
    pod: Option<String>,
    image: Option<String>,
    lost_pods: u32,
    heartbeat: Instant,
}

impl<'r, 'o> HostShell<'r, 'o> {
    /// Starts the debug pod, where one is kept.
    pub(super) fn open(
        context: RunContext<'r>,
        remains: &'r mut Remains<'o>,
    ) -> Result<Self, OcError> {
        let plan = context.plan;
        let pod = if plan.is_exec {
            let node = context.node;
            let what = match context.volume {
                Some(_) => "a pod that reads",
                None => "a debug pod on",
            };
            context.monitor.note(&format!("starting {what} {node}"));
            start(&context, remains)?
        } else {
            context.monitor.note("oc exec is not allowed: a debug pod for each command, the files as text through its log");
            DebugPod {
                access: plan.access(context.node, ""),
                image: None,
            }
        };
        Ok(Self::through(pod, context, remains))
    }

    /// Through a pod that runs already.
    pub(super) fn through(
        pod: DebugPod,
        context: RunContext<'r>,
        remains: &'r mut Remains<'o>,
    ) -> Self {
        remains.access = Some(pod.access.clone());
        Self {
            context,
            remains,
            pod: pod.access.pod().map(str::to_owned),
            access: pod.access,
            image: pod.image,
            lost_pods: 0,
            heartbeat: Instant::now(),
        }
    }

    /// True when stdout carries exactly the bytes that the command wrote there.
    pub(super) fn is_binary_safe(&self) -> bool {
        self.access.is_binary_safe()
    }

    pub(super) fn access(&self) -> &HostAccess {
        &self.access
    }

    /// The pod that carried the last command.
    pub(super) fn pod(&self) -> Option<&str> {
        self.pod.as_deref()
    }

    /// The pod that commands go through.
    pub(super) fn debug_pod(&self) -> DebugPod {
        DebugPod {
            access: self.access.clone(),
            image: self.image.clone(),
        }
    }

    /// The image that it ran in.
    pub(super) fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// Renews the heartbeats, in the cluster and beside the files, when their time has come.
    pub(super) fn beat(&mut self, path: &str) -> Result<(), OcError> {
        let Some((directory, _)) = path.rsplit_once('/') else {
            return Ok(());
        };
        if self.heartbeat.elapsed() < self.context.timeouts.heartbeat {
            return Ok(());
        }
        self.heartbeat = Instant::now();
        heartbeat::beat(&self.context, &self.access)?;
        // What the cluster's own policy left is only read.
        if self.context.plan.options.task != BackupTask::FromPolicy {
            self.beat_beside_files(directory)?;
        }
        Ok(())
    }

    /// Renews the heartbeat beside the files. A host that refuses it keeps nobody from bringing them here.
    pub(super) fn beat_beside_files(&mut self, directory: &str) -> Result<(), OcError> {
        match self.command(&host::heartbeat(directory)) {
            Err(OcError::Run(error)) if error.is_of_the_command() => {
                let reason = error.reason();
                let note = format!("the heartbeat in {directory} is not renewed: {reason}");
                self.context.monitor.note(&note);
                Ok(())
            }
            beaten => beaten.map(drop),
        }
    }

    /// A short command, which may be run more than once.
    pub(super) fn command(&mut self, words: &[&str]) -> Result<String, OcError> {
        self.command_within(words, self.context.timeouts.command)
    }

    /// A command that may read whole files, and may be run more than once.
    pub(super) fn command_within(
        &mut self,
        words: &[&str],
        deadline: Duration,
    ) -> Result<String, OcError> {
        let mut wait = Wait::new(self.context.patience());
        loop {
            let mut stdout = Vec::new();
            let limits = RunLimits {
                deadline: self.context.oc.patient(deadline),
                silence: None,
            };
            let result = self.stream_once(words, limits, &mut |chunk| {
                if let OutputChunk::Stdout(bytes) = chunk {
                    stdout.extend_from_slice(bytes);
                }
                Ok(())
            });
            match result {
                Ok(()) => {
                    wait.over(self.context.monitor);
                    return Ok(String::from_utf8_lossy(&stdout).into_owned());
                }
                Err(error) => self.mend(error, &mut wait)?,
            }
        }
    }

    /// Runs a command once.
    pub(super) fn stream_once(
        &mut self,
        words: &[&str],
        mut limits: RunLimits,
        sink: &mut dyn FnMut(OutputChunk<'_>) -> Result<(), String>,
    ) -> Result<(), RunError> {
        if !self.is_binary_safe() {
            // The pod has to start before the first byte comes.
            limits.deadline += self.context.timeouts.pod_start;
            limits.silence = limits
                .silence
                .map(|silence| silence + self.context.timeouts.pod_start);
        }
        let call = self.access.run(words);
        let is_merged = !self.is_binary_safe();
        let mut last_words = Vec::new();
        let mut talk = DebugTalk::default();
        let monitor = self.context.monitor;
        let result = self
            .context
            .oc
            .stream(&call, limits, monitor, &mut |chunk| {
                if let (true, OutputChunk::Stdout(bytes)) = (is_merged, &chunk) {
                    keep_last(&mut last_words, bytes);
                }
                if let (true, OutputChunk::Stderr(bytes)) = (is_merged, &chunk) {
                    talk.hear(bytes);
                }
                sink(chunk)
            });
        if result.is_ok() {
            self.lost_pods = 0;
        }
        if is_merged {
            self.pod = talk.pod();
        }
        let last_words = String::from_utf8_lossy(&last_words);
        result
            .map(drop)
            .map_err(|error| error.with_words(&last_words))
    }

    /// Waits while the API server is away, and makes a new pod where the old one has gone. What neither helps against
    /// comes back.
    pub(super) fn mend(&mut self, error: RunError, wait: &mut Wait) -> Result<(), OcError> {
        if error.is_away() {
            return Ok(wait.after(error, self.context.monitor)?);
        }
        if !error.is_pod_gone() || self.lost_pods >= PODS_IN_A_ROW {
            return Err(error.into());
        }
        self.lost_pods += 1;
        let monitor = self.context.monitor;
        if self.is_binary_safe() {
            monitor.note("the debug pod has gone: starting another one");
            let pod = start(&self.context, self.remains)?;
            self.pod = pod.access.pod().map(str::to_owned);
            self.image = pod.image;
            self.access = pod.access;
            self.remains.access = Some(self.access.clone());
        } else {
            debug_pod::make_namespace_again(&self.context, self.remains)?;
        }
        Ok(())
    }
}

/// The pod that commands go through, on a host or beside a volume.
fn start(context: &RunContext<'_>, remains: &mut Remains<'_>) -> Result<DebugPod, OcError> {
    match context.volume {
        Some(volume) => volume_pod::start(context, volume, remains),
        None => debug_pod::start(context, remains),
    }
}

fn keep_last(kept: &mut Vec<u8>, bytes: &[u8]) {
    let from = bytes.len().saturating_sub(LAST_WORDS_BYTES);
    kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
    let excess = kept.len().saturating_sub(LAST_WORDS_BYTES);
    kept.drain(..excess);
}
