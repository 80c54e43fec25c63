//! What earlier runs left in the cluster: marked as theirs, and their last heartbeat long ago.

use super::types::{List, Marked};
use crate::monitor::Monitor;
use crate::oc::client::{Call, Oc, Patience, RunError, commands, is_name};
use chrono::{DateTime, TimeDelta, Utc};

/// A run renews its heartbeat every ten minutes, and at least after each stream of half an hour.
const OVER: TimeDelta = TimeDelta::hours(1);

/// Something that a run made and did not remove.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stale {
    /// `None` for a namespace.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) beat_at: DateTime<Utc>,
}

impl Stale {
    /// Removes it.
    pub(crate) fn delete(&self) -> Call {
        match &self.namespace {
            Some(namespace) => commands::delete_pod(namespace, &self.name),
            None => commands::delete_namespace(&self.name),
        }
    }
}

/// Asks for what runs mark: their namespaces, or their pods in a namespace that is not theirs.
pub(super) fn marked(namespace: &str, is_temporary: bool) -> Call {
    if is_temporary {
        commands::namespaces_of_runs()
    } else {
        commands::pods(namespace)
    }
}

/// Reads the answer. Whoever may not list them removes none, and takes a backup all the same.
pub(super) fn stale(
    oc: &Oc,
    call: &Call,
    answer: Result<String, RunError>,
    namespace: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<Stale>, RunError> {
    let list: List<Marked> = match answer {
        Err(RunError::Failed { .. }) => return Ok(Vec::new()),
        answer => oc.read_json(call, &answer?)?,
    };
    Ok(over(list, namespace, now))
}

/// Pods of earlier runs that read a claim. Whoever may not list them removes none.
pub(crate) fn volume_pods(
    oc: &Oc,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<Vec<Stale>, RunError> {
    let call = commands::volume_pods();
    let answer = oc.ask(&call, patience, monitor);
    let namespace = Some(commands::ETCD_NAMESPACE);
    stale(oc, &call, answer, namespace, crate::instant::now())
}

fn over(list: List<Marked>, namespace: Option<&str>, now: DateTime<Utc>) -> Vec<Stale> {
    let stale = list.items.into_iter().filter_map(|one| {
        let metadata = one.metadata;
        let beat = metadata.annotations.get(commands::HEARTBEAT)?;
        let beat_at = DateTime::parse_from_rfc3339(beat).ok()?.to_utc();
        let is_ours = namespace.is_some() || metadata.name.starts_with("etcd-cat-");
        let is_going = metadata.deletion_timestamp.is_some();
        let is_over = now.signed_duration_since(beat_at) > OVER;
        (is_ours && is_over && !is_going && is_name(&metadata.name)).then(|| Stale {
            namespace: namespace.map(str::to_owned),
            name: metadata.name,
            beat_at,
        })
    });
    stale.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &serde_json::Value, namespace: Option<&str>) -> Vec<String> {
        let now = DateTime::parse_from_rfc3339("2024-11-02T03:00:00Z").expect("an instant");
        let list = serde_json::from_value(list.clone()).expect("a list");
        let found = over(list, namespace, now.to_utc());
        found.into_iter().map(|one| one.name).collect()
    }

    #[test]
    fn only_what_is_marked_as_ours_and_long_without_a_heartbeat_is_stale() {
        let one = |name: &str, beat: &str| serde_json::json!({"metadata": {"name": name, "annotations": {"etcd-cat/heartbeat": beat}}});
        let list = serde_json::json!({"items": [
            one("etcd-cat-aaaaa", "2024-11-02T01:59:59Z"),
            one("etcd-cat-bbbbb", "2024-11-02T02:00:01Z"),
            one("etcd-cat-ccccc", "2024-11-03T00:00:00Z"),
            one("etcd-cat-ddddd", "yesterday"),
            one("openshift-etcd", "2024-11-01T00:00:00Z"),
            one("--all", "2024-11-01T00:00:00Z"),
            {"metadata": {"name": "etcd-cat-eeeee"}},
            {"metadata": {"name": "etcd-cat-fffff", "deletionTimestamp": "2024-11-02T02:59:00Z",
                          "annotations": {"etcd-cat/heartbeat": "2024-11-01T00:00:00Z"}}},
        ]});
        assert_eq!(names(&list, None), ["etcd-cat-aaaaa"]);
        assert_eq!(
            names(&list, Some("n")),
            ["etcd-cat-aaaaa", "openshift-etcd"]
        );
    }
}
