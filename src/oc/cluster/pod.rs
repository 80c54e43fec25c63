//! One pod as the API server sees it: does it run, and if not, why not?

use super::types::Pod;
use crate::monitor::Monitor;
use crate::oc::client::{Oc, Patience, RunError, commands};

/// How far a pod came; where it does not run, phase and reason in words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PodPhase {
    /// It runs, in this image.
    Running(Option<String>),
    /// It may come to run.
    Waiting(String),
    /// It will not run any more.
    Ended(String),
}

/// Looks at the pod once.
pub(crate) fn pod_phase(
    oc: &Oc,
    namespace: &str,
    name: &str,
    monitor: &dyn Monitor,
) -> Result<PodPhase, RunError> {
    let pod: Pod = match oc.json(&commands::pod(namespace, name), Patience::NONE, monitor) {
        Ok(pod) => pod,
        // Announced, and not there yet for this API server; if it is gone, `oc debug` ends by itself.
        Err(error) if error.is_missing_object() => {
            return Ok(PodPhase::Waiting("the pod is not there".to_owned()));
        }
        Err(error) => return Err(error),
    };
    Ok(match pod.status.phase.as_str() {
        "Running" => PodPhase::Running(image(&pod)),
        "Failed" | "Succeeded" => PodPhase::Ended(describe(&pod)),
        _ => PodPhase::Waiting(describe(&pod)),
    })
}

/// The image by its digest, or by its name where the runtime does not tell that.
fn image(pod: &Pod) -> Option<String> {
    let container = pod.status.container_statuses.first()?;
    let names = [&container.image_id, &container.image].into_iter();
    names
        .map(|name| name.rsplit("://").next().unwrap_or(name))
        .find(|name| !name.is_empty())
        .map(str::to_owned)
}

/// Phase, and the most telling reason there is: `Pending, ImagePullBackOff`.
fn describe(pod: &Pod) -> String {
    let status = &pod.status;
    let container = status.container_statuses.iter().find_map(|container| {
        let state = &container.state;
        state.waiting.as_ref().or(state.terminated.as_ref())
    });
    let condition = status
        .conditions
        .iter()
        .find(|condition| condition.status == "False");
    let reasons = [
        status.phase.as_str(),
        status.reason.as_str(),
        status.message.as_str(),
        container.map_or("", |found| found.reason.as_str()),
        condition.map_or("", |found| found.reason.as_str()),
        condition.map_or("", |found| found.message.as_str()),
    ];
    let mut said: Vec<&str> = Vec::new();
    for reason in reasons {
        if !reason.is_empty() && !said.contains(&reason) {
            said.push(reason);
        }
    }
    said.join(", ")
}
