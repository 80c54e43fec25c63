//! A debug pod with a bounded life: `oc debug node/N -- sleep 1800` in the background, waited for until it runs.

use super::cleanup::Remains;
use super::context::RunContext;
use super::error::OcError;
use crate::oc::client::{HostAccess, Process, ProcessEvent, RunError, commands};
use crate::oc::cluster::{PodPhase, pod_phase};
use std::time::Instant;

/// A namespace just made has no service account for a moment: admission refuses the pod until it has.
const STARTS: u32 = 5;

/// oc's own talk is short; more is not kept.
const TALK_LIMIT_BYTES: usize = 16 * 1024;

/// Starts the pod and waits for it. What was made is in `remains` at every moment, for the way out.
pub(super) fn start(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<HostAccess, OcError> {
    let plan = context.plan;
    let call = commands::debug_sleep(
        &plan.node,
        &plan.namespace,
        context.timeouts.pod_life.as_secs(),
    );
    let mut starts = 1;
    loop {
        remains.process = Some(context.oc.start(&call)?);
        match wait(context, remains) {
            Ok(pod) => {
                return Ok(HostAccess::Exec {
                    namespace: plan.namespace.clone(),
                    pod,
                });
            }
            Err(OcError::Run(error)) if starts < STARTS && is_too_early(&error) => {
                starts += 1;
                remains.process = None;
                context.pause(context.timeouts.retry_pause)?;
            }
            Err(error) => return Err(error),
        }
    }
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

fn wait(context: &RunContext<'_>, remains: &mut Remains<'_>) -> Result<String, OcError> {
    let begun = Instant::now();
    let mut talk = String::new();
    let mut state = "oc debug has not named its pod".to_owned();
    while begun.elapsed() < context.timeouts.pod_start {
        context.check_interrupted()?;
        if let Some(process) = &mut remains.process {
            listen(context, process, &mut talk)?;
        }
        if remains.pod.is_none() {
            remains.pod = pod_name(&talk);
        }
        let Some(pod) = remains.pod.clone() else {
            continue;
        };
        match pod_phase(context.oc, &context.plan.namespace, &pod, context.monitor)? {
            PodPhase::Running => return Ok(pod),
            PodPhase::Waiting(found) => state = found,
            PodPhase::Ended(state) => return Err(not_running(context, state)),
        }
        context.pause(context.timeouts.poll)?;
    }
    Err(not_running(context, state))
}

fn not_running(context: &RunContext<'_>, state: String) -> OcError {
    OcError::PodNotRunning {
        node: context.plan.node.clone(),
        state,
        after: context.timeouts.pod_start,
    }
}

/// Takes what `oc debug` says; it must not end while the pod is wanted.
fn listen(
    context: &RunContext<'_>,
    process: &mut Process,
    talk: &mut String,
) -> Result<(), OcError> {
    let plan = context.plan;
    let call = commands::debug_sleep(
        &plan.node,
        &plan.namespace,
        context.timeouts.pod_life.as_secs(),
    );
    let command = || commands::shell_line(&context.oc.argv(&call));
    loop {
        let event = process.next(
            context
                .timeouts
                .poll
                .min(std::time::Duration::from_millis(100)),
        );
        match event.map_err(|source| RunError::Spawn {
            program: "oc".into(),
            source,
        })? {
            ProcessEvent::Stdout(_) => {}
            ProcessEvent::Stderr(bytes) => {
                if talk.len() < TALK_LIMIT_BYTES {
                    talk.push_str(&String::from_utf8_lossy(&bytes));
                }
            }
            ProcessEvent::Nothing => return Ok(()),
            ProcessEvent::Ended(status) => {
                return Err(RunError::Failed {
                    command: command(),
                    status: status.to_string(),
                    code: status.code(),
                    stderr: talk.trim().to_owned(),
                }
                .into());
            }
        }
    }
}

/// The pod's name in oc's talk on stderr (every version since 4.1).
///
/// ```text
/// Starting pod/master-0-debug-x7k2p ...
/// Starting pod/master-0-debug, command was: sleep 1800
/// ```
fn pod_name(stderr: &str) -> Option<String> {
    stderr.lines().find_map(|line| {
        let rest = line.strip_prefix("Starting pod/")?;
        let (name, _) = rest.split_once([' ', ','])?;
        super::options::is_name(name).then(|| name.to_owned())
    })
}

/// Makes the temporary namespace fit for a privileged pod.
pub(super) fn make_namespace(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<(), OcError> {
    let namespace = &context.plan.namespace;
    let request = |call| {
        context
            .oc
            .capture(&call, context.oc.request_limits(), context.monitor)
    };
    remains.has_namespace = true;
    request(commands::create_namespace(namespace))?;
    request(commands::label_namespace(namespace))?;
    request(commands::annotate_namespace(namespace))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pods_name_is_read_from_old_and_new_oc() {
        let rows = [
            (
                "Starting pod/master-0-debug-x7k2p ...\nTo use host binaries, run `chroot /host`\n",
                Some("master-0-debug-x7k2p"),
            ),
            (
                "Warning: x\nStarting pod/m-debug, command was: sleep 1800\n",
                Some("m-debug"),
            ),
            ("Starting pod/m-de", None),
            ("Starting pod/--all ...", None),
            ("error: nodes \"x\" not found", None),
        ];
        for (text, expected) in rows {
            assert_eq!(pod_name(text).as_deref(), expected, "{text}");
        }
    }
}
