//! A pod that has the volume of a claim for reading, where no host has that as a directory.

use super::cleanup::Remains;
use super::context::{RunContext, Volume};
use super::debug_pod::DebugPod;
use super::error::OcError;
use super::heartbeat;
use super::pod_start::PodStart;
use crate::monitor::Step;
use crate::oc::client::{HostAccess, Wait, commands};

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
    let mut start = PodStart::new(context, "nobody has seen it");
    while start.goes_on() {
        context.check_interrupted()?;
        if let Some(image) = start.look(commands::ETCD_NAMESPACE, name, &mut wait)? {
            wait.over(context.monitor);
            return Ok(image);
        }
    }
    Err(start.in_vain())
}
