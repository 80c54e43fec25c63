//! A debug pod with a bounded life: `oc debug node/N -- sleep 1800` in the background, waited for until it runs.

use super::cleanup::Remains;
use super::context::RunContext;
use super::error::OcError;
use super::heartbeat;
use super::pod_start::PodStart;
use crate::monitor::Step;
use crate::oc::client::{Call, HostAccess, RunError, Wait, commands};
use std::time::{Duration, Instant};

/// A namespace just made has no service account for a moment: admission refuses the pod until it has.
const STARTS: u32 = 5;

/// A debug pod that runs.
#[derive(Clone, Debug)]
pub(super) struct DebugPod {
    pub(super) access: HostAccess,
    /// The image that it runs in.
    pub(super) image: Option<String>,
}

/// Starts the pod and waits for it. What was made is in `remains` at every moment, for the way out.
pub(super) fn start(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<DebugPod, OcError> {
    let call = sleep(context);
    let mut wait = Wait::new(context.patience());
    let mut starts = 1;
    loop {
        remains.process = Some(context.oc.start_debug(&call)?);
        let error = match until_it_runs(context, remains, &mut wait) {
            Ok((pod, image)) => {
                wait.over(context.monitor);
                let namespace = context.plan.namespace.clone();
                let access = HostAccess::Exec { namespace, pod };
                if !context.plan.is_temporary() {
                    heartbeat::beat(context, &access)?;
                }
                return Ok(DebugPod { access, image });
            }
            Err(OcError::Run(error)) => error,
            Err(error) => return Err(error),
        };
        remains.process = None;
        if error.is_away() {
            wait.after(error, context.monitor)?;
            continue;
        }
        if starts >= STARTS {
            return Err(error.into());
        }
        starts += 1;
        if is_too_early(&error) || is_ended(&error) {
            context.pause(context.timeouts.retry_pause)?;
        } else if is_without_namespace(&error) && context.plan.is_temporary() {
            make_namespace_again(context, remains)?;
        } else {
            return Err(error.into());
        }
    }
}

fn sleep(context: &RunContext<'_>) -> Call {
    let life = context.timeouts.pod_life.as_secs();
    commands::debug_sleep(context.node, &context.plan.namespace, life)
}

/// ```text
/// Error from server (Forbidden): pods "n-debug" is forbidden: error looking up service account a/default: serviceaccount "default" not found
/// Error from server (Forbidden): pods "n-debug" is forbidden: unable to validate against any security context constraint
/// ```
fn is_too_early(error: &RunError) -> bool {
    let stderr = error.stderr();
    stderr.contains("serviceaccount \"default\" not found")
        || stderr.contains("error looking up service account")
        || stderr.contains("sa.scc.")
}

/// Somebody deleted the pod while it was waited for.
fn is_ended(error: &RunError) -> bool {
    error.stderr().contains("Starting pod/")
}

/// ```text
/// Error from server (NotFound): namespaces "n" not found
/// error: ... is forbidden: unable to create new content in namespace n because it is being terminated
/// ```
fn is_without_namespace(error: &RunError) -> bool {
    let stderr = error.stderr();
    stderr.contains("(NotFound): namespaces ") || stderr.contains("because it is being terminated")
}

fn until_it_runs(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
    wait: &mut Wait,
) -> Result<(String, Option<String>), OcError> {
    let what = format!("the debug pod on {}", context.node);
    let _step = Step::begin(context.monitor, what);
    let mut start = PodStart::new(context, "oc debug has not named its pod");
    while start.goes_on() {
        context.check_interrupted()?;
        let Some(pod) = listen(context, remains)? else {
            continue;
        };
        if !remains.pods.contains(&pod) {
            remains.pods.push(pod.clone());
        }
        if let Some(image) = start.look(&context.plan.namespace, &pod, wait)? {
            return Ok((pod, image));
        }
    }
    Err(start.in_vain())
}

/// Takes what `oc debug` says, and the pod that it named; it must not end while the pod is wanted.
fn listen(context: &RunContext<'_>, remains: &mut Remains<'_>) -> Result<Option<String>, OcError> {
    let Some(process) = &mut remains.process else {
        return Ok(None);
    };
    let time = context.timeouts.poll.min(Duration::from_millis(100));
    let ended = process.listen(time).map_err(|source| RunError::Spawn {
        program: "oc".into(),
        source,
    })?;
    if let Some(status) = ended {
        let pod = process.talk().pod();
        let known = |pod: &String| remains.pods.contains(pod);
        let error = RunError::Failed {
            command: commands::shell_line(&context.oc.argv(&sleep(context))),
            status: status.to_string(),
            code: status.code(),
            stderr: process.talk().text(),
        };
        // Perhaps it could not remove it any more.
        let pod = pod.filter(|pod| !known(pod));
        remains.pods.extend(pod);
        return Err(error.into());
    }
    Ok(process.talk().pod())
}

/// Makes the temporary namespace fit for a privileged pod.
pub(super) fn make_namespace(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<(), OcError> {
    let namespace = &context.plan.namespace;
    let request = |call| context.oc.ask(&call, context.patience(), context.monitor);
    remains.has_namespace = true;
    match request(commands::create_namespace(namespace)) {
        // The answer to an earlier try was lost: no other run has this name.
        Err(error) if error.stderr().contains("(AlreadyExists)") => {}
        made => drop(made?),
    }
    request(commands::label_namespace(namespace))?;
    request(commands::annotate_namespace(namespace, &heartbeat::at()))?;
    Ok(())
}

/// Somebody deleted the namespace in mid-run: it is made once more, when it has gone for good.
pub(super) fn make_namespace_again(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<(), OcError> {
    if !context.plan.is_temporary() {
        return Ok(());
    }
    let begun = Instant::now();
    loop {
        match make_namespace(context, remains) {
            Err(OcError::Run(error))
                if is_without_namespace(&error) && begun.elapsed() < context.timeouts.pod_start =>
            {
                context.pause(context.timeouts.poll)?;
            }
            result => return result,
        }
    }
}
