//! What every step of a run needs, and waiting that wakes up for Ctrl-C.

use super::error::OcError;
use super::options::Timeouts;
use super::plan::BackupPlan;
use crate::monitor::Monitor;
use crate::oc::client::{HostAccess, Oc, RunError, RunLimits};
use std::thread;
use std::time::{Duration, Instant};

/// What every step needs.
#[derive(Clone, Copy)]
pub(super) struct RunContext<'r> {
    pub(super) oc: &'r Oc,
    pub(super) plan: &'r BackupPlan,
    pub(super) timeouts: &'r Timeouts,
    pub(super) monitor: &'r dyn Monitor,
}

impl RunContext<'_> {
    pub(super) fn check_interrupted(&self) -> Result<(), OcError> {
        if self.monitor.is_interrupted() {
            Err(OcError::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Sleeps, and wakes up for Ctrl-C.
    pub(super) fn pause(&self, pause: Duration) -> Result<(), OcError> {
        let until = Instant::now() + pause;
        loop {
            self.check_interrupted()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// A short command on the host.
    pub(super) fn command(&self, access: &HostAccess, words: &[&str]) -> Result<String, RunError> {
        self.command_within(access, words, self.timeouts.command)
    }

    /// A command on the host that may read whole files.
    pub(super) fn command_within(
        &self,
        access: &HostAccess,
        words: &[&str],
        deadline: Duration,
    ) -> Result<String, RunError> {
        let mut deadline = deadline;
        if !access.is_binary_safe() {
            deadline += self.timeouts.pod_start;
        }
        let limits = RunLimits {
            deadline,
            silence: None,
        };
        self.oc.capture(&access.run(words), limits, self.monitor)
    }
}
