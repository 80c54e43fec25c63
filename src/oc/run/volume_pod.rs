//! A pod that has the volume of a claim for reading, where no host has that as a directory.

use super::cleanup::Remains;
use super::context::{RunContext, Volume};
use super::debug_pod::{DebugPod, not_running};
use super::error::OcError;
use super::heartbeat;
use crate::monitor::Step;
use crate::oc::client::{HostAccess, Wait, commands};
use crate::oc::cluster::{PodPhase, pod_phase};
use std::time::Instant;

/// Makes the pod and waits for it. It is in `remains` before it is made, for the way out.
pub(super) fn start(
    context: &RunContext<'_>,
    volume: Volume<'_>,
    remains: &mut Remains<'_>,
) -> Result<DebugPod, OcError> {
    let name = context.plan.volume_pod(remains.volume_pods.len());
    remains.volume_pods.push(name.clone());
    let life = context.timeouts.pod_life.as_secs();
    let Volume { claim, image } = volume;
    let call = commands::run_volume_pod(&name, claim, image, life, &heartbeat::at());
    match context.oc.ask(&call, context.patience(), context.monitor) {
        // The answer to an earlier try was lost: no other run has this name.
        Err(error) if error.stderr().contains("(AlreadyExists)") => {}
        made => drop(made?),
    }
    let image = until_it_runs(context, &name)?;
    let access = HostAccess::Volume {
        namespace: commands::ETCD_NAMESPACE.to_owned(),
        pod: name,
    };
    Ok(DebugPod { access, image })
}

fn until_it_runs(context: &RunContext<'_>, name: &str) -> Result<Option<String>, OcError> {
    let what = format!("the pod that reads {}", context.node);
    let _step = Step::begin(context.monitor, what);
    let mut wait = Wait::new(context.patience());
    let mut begun = Instant::now();
    let mut state = "nobody has seen it".to_owned();
    while begun.elapsed() < context.timeouts.pod_start {
        context.check_interrupted()?;
        let asked = Instant::now();
        match pod_phase(context.oc, commands::ETCD_NAMESPACE, name, context.monitor) {
            Ok(PodPhase::Running(image)) => {
                wait.over(context.monitor);
                return Ok(image);
            }
            Ok(PodPhase::Waiting(found)) => state = found,
            Ok(PodPhase::Ended(state)) => return Err(not_running(context, state)),
            // While nobody answers nobody starts pods either: that time does not count.
            Err(error) if error.is_away() => {
                wait.after(error, context.monitor)?;
                begun += asked.elapsed();
            }
            Err(error) => return Err(error.into()),
        }
        context.pause(context.timeouts.poll)?;
    }
    Err(not_running(context, state))
}
