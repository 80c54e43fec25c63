//! A pod that is waited for until it runs.

use super::context::RunContext;
use super::error::OcError;
use crate::oc::client::Wait;
use crate::oc::cluster::{PodPhase, pod_phase};
use std::time::Instant;

/// How long it has been waited for, and what was seen of it last.
pub(super) struct PodStart<'c, 'r> {
    context: &'c RunContext<'r>,
    begun: Instant,
    state: String,
}

impl<'c, 'r> PodStart<'c, 'r> {
    /// Waits from now on; `state` is told if nothing else is seen.
    pub(super) fn new(context: &'c RunContext<'r>, state: &str) -> Self {
        Self {
            context,
            begun: Instant::now(),
            state: state.to_owned(),
        }
    }

    /// Is there time left?
    pub(super) fn goes_on(&self) -> bool {
        self.begun.elapsed() < self.context.timeouts.pod_start
    }

    /// Looks once and pauses; the image, if it is told, when it runs.
    pub(super) fn look(
        &mut self,
        namespace: &str,
        pod: &str,
        wait: &mut Wait,
    ) -> Result<Option<Option<String>>, OcError> {
        let context = self.context;
        let asked = Instant::now();
        match pod_phase(context.oc, namespace, pod, context.monitor) {
            Ok(PodPhase::Running(image)) => return Ok(Some(image)),
            Ok(PodPhase::Waiting(found)) => self.state = found,
            Ok(PodPhase::Ended(state)) => return Err(not_running(context, state)),
            // While nobody answers nobody starts pods either: that time does not count.
            Err(error) if error.is_away() => {
                wait.after(error, context.monitor)?;
                self.begun += asked.elapsed();
            }
            Err(error) => return Err(error.into()),
        }
        context.pause(context.timeouts.poll)?;
        Ok(None)
    }

    /// It did not run in time.
    pub(super) fn in_vain(self) -> OcError {
        not_running(self.context, self.state)
    }
}

fn not_running(context: &RunContext<'_>, state: String) -> OcError {
    OcError::PodNotRunning {
        node: context.node.to_owned(),
        state,
        after: context.timeouts.pod_start,
    }
}
