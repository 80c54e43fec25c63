//! What is to be proven in this run: the new at once, of the rest the oldest proof first, as far as the budget goes.

use crate::discovery::Group;
use chrono::{DateTime, TimeDelta, Utc};

/// How much a run may read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Budget {
    /// So many bytes.
    Bytes(u64),
    /// As long as this, at so many bytes a second for each worker.
    Time {
        /// How long.
        duration: TimeDelta,
        /// Bytes a second and worker.
        rate: u64,
    },
}

impl Budget {
    /// The bytes that `shards` workers read on it.
    pub(super) fn bytes(self, shards: u32) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Time { duration, rate } => {
                let seconds = u64::try_from(duration.num_seconds()).unwrap_or_default();
                seconds
                    .saturating_mul(rate)
                    .saturating_mul(u64::from(shards))
            }
        }
    }
}

/// What is read, and what is left out for which reason.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) groups: Vec<Group>,
    pub(super) recent: Vec<Group>,
    pub(super) over_budget: Vec<Group>,
}

/// Sorts groups with the time of their oldest proof; `None`: something in it has never been proven as it is now.
pub(super) fn due(
    groups: Vec<(Group, Option<DateTime<Utc>>)>,
    recent_since: Option<DateTime<Utc>>,
    budget: Option<u64>,
) -> Due {
    let mut due = Due::default();
    let is_recent = |proven: &Option<DateTime<Utc>>| {
        proven
            .zip(recent_since)
            .is_some_and(|(proven, since)| proven >= since)
    };
    let (recent, mut rest): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(_, proven)| is_recent(proven));
    due.recent = recent.into_iter().map(|(group, _)| group).collect();
    // None comes before every instant.
    rest.sort_by_key(|(_, proven)| *proven);
    let mut left = budget.unwrap_or(u64::MAX);
    for (group, _) in rest {
        let bytes = group.bytes();
        // One that is larger than all of the budget would never be read.
        if bytes <= left || due.groups.is_empty() {
            left = left.saturating_sub(bytes);
            due.groups.push(group);
        } else {
            left = 0;
            due.over_budget.push(group);
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::FoundObject;
    use crate::fixture::at;
    use crate::source::{FileIdentity, ObjectId};
    use std::path::Path;

    fn group(name: &str, size_bytes: u64) -> Group {
        let identity = FileIdentity {
            size_bytes,
            ..FileIdentity::default()
        };
        let object = FoundObject {
            id: ObjectId::from(Path::new(name)),
            name: None,
            identity: identity.into(),
        };
        Group {
            objects: vec![object],
        }
    }

    fn names(groups: &[Group]) -> Vec<String> {
        let objects = groups.iter().flat_map(|group| &group.objects);
        objects.map(|object| object.id.to_string()).collect()
    }

    #[test]
    fn the_new_comes_first_then_the_oldest_proof_as_far_as_the_budget_goes() {
        let groups = vec![
            (group("young", 10), Some(at("2024-11-09T00:00:00Z"))),
            (group("old", 10), Some(at("2024-09-01T00:00:00Z"))),
            (group("older", 10), Some(at("2024-08-01T00:00:00Z"))),
            (group("new", 10), None),
        ];
        let since = Some(at("2024-10-10T00:00:00Z"));
        let found = due(groups.clone(), since, Some(20));
        assert_eq!(names(&found.groups), ["new", "older"]);
        assert_eq!(names(&found.over_budget), ["old"]);
        assert_eq!(names(&found.recent), ["young"]);
        let found = due(groups, None, None);
        assert_eq!(names(&found.groups), ["new", "older", "old", "young"]);
    }

    #[test]
    fn what_is_larger_than_the_budget_is_read_all_the_same() {
        let found = due(
            vec![(group("huge", 100), None), (group("b", 1), None)],
            None,
            Some(5),
        );
        assert_eq!(names(&found.groups), ["huge"]);
        assert_eq!(names(&found.over_budget), ["b"]);
        let hour = Budget::Time {
            duration: TimeDelta::hours(1),
            rate: 100,
        };
        assert_eq!(hour.bytes(3), 1_080_000);
        assert_eq!(Budget::Bytes(7).bytes(3), 7);
    }
}
