//! The heartbeat in the cluster: that a run is at work, for the next one to know what nobody will remove any more.

use super::context::RunContext;
use super::error::OcError;
use crate::instant::{now, rfc3339_seconds};
use crate::oc::client::{Call, HostAccess, Patience, RunError, commands};

/// Renews it. A run that cannot goes on without: the one in its directory on the host stands for the files.
pub(super) fn beat(context: &RunContext<'_>, access: &HostAccess) -> Result<(), OcError> {
    for call in calls(context, access, &at()) {
        let beaten = context.oc.ask(&call, Patience::NONE, context.monitor);
        if let Err(error @ RunError::Interrupted { .. }) = beaten {
            return Err(error.into());
        }
    }
    Ok(())
}

/// The instant of a heartbeat as it is written.
pub(super) fn at() -> String {
    rfc3339_seconds(now())
}

/// On the namespace if it is ours, else on the pod that is kept; on a pod that is elsewhere in any case.
fn calls(context: &RunContext<'_>, access: &HostAccess, at: &str) -> Vec<Call> {
    let plan = context.plan;
    let is_temporary = plan.is_temporary();
    let namespace = is_temporary.then(|| commands::beat_namespace(&plan.namespace, at));
    let pod = match access {
        HostAccess::Volume { namespace, pod } => Some(commands::beat_pod(namespace, pod, at)),
        HostAccess::Exec { namespace, pod } if plan.may_mark && !is_temporary => {
            Some(commands::beat_pod(namespace, pod, at))
        }
        _ => None,
    };
    namespace.into_iter().chain(pod).collect()
}
