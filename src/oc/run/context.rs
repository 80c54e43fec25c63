//! What every step of a run needs, and waiting that wakes up for Ctrl-C.

use super::error::OcError;
use super::options::Timeouts;
use super::planned::BackupPlan;
use crate::monitor::Monitor;
use crate::oc::client::{Oc, Patience};
use std::thread;
use std::time::{Duration, Instant};

/// A claim, and the image of the pod that reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume<'r> {
    pub(super) claim: &'r str,
    pub(super) image: &'r str,
}

/// What every step needs.
#[derive(Clone, Copy)]
pub(super) struct RunContext<'r> {
    pub(super) oc: &'r Oc,
    pub(super) plan: &'r BackupPlan,
    /// The host; how the claim is called where that is looked into.
    pub(super) node: &'r str,
    /// The claim that is looked into, and no host.
    pub(super) volume: Option<Volume<'r>>,
    pub(super) timeouts: &'r Timeouts,
    pub(super) monitor: &'r dyn Monitor,
}

impl<'r> RunContext<'r> {
    pub(super) fn new(oc: &'r Oc, plan: &'r BackupPlan, monitor: &'r dyn Monitor) -> Self {
        Self {
            oc,
            plan,
            node: &plan.node,
            volume: None,
            timeouts: &plan.options.timeouts,
            monitor,
        }
    }

    /// The same on another host.
    pub(super) fn on<'n>(&self, node: &'n str) -> RunContext<'n>
    where
        'r: 'n,
    {
        RunContext { node, ..*self }
    }

    /// The same in the volume of a claim.
    pub(super) fn in_volume<'n>(&self, place: &'n str, volume: Volume<'n>) -> RunContext<'n>
    where
        'r: 'n,
    {
        RunContext {
            node: place,
            volume: Some(volume),
            ..*self
        }
    }

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

    /// How long each call is tried again while the API server is away.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            limit: self.timeouts.patience,
            pause: self.timeouts.retry_pause,
        }
    }
}
