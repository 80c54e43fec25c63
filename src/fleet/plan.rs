//! A plan: who reads what.

use crate::discovery::Group;
use crate::source::{ObjectId, ObjectIdentity};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Who reads what.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it is.
    pub head: PlanHead,
    /// All that is to be read.
    pub groups: Vec<PlannedGroup>,
}

/// What a plan is, without what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanHead {
    /// What the run is called.
    pub run: String,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// How many workers; they are counted from 0.
    pub shards: u32,
    /// What was listed.
    pub locations: Vec<ObjectId>,
    /// What was proven recently.
    pub recent: LeftOut,
    /// What goes beyond the budget.
    pub over_budget: LeftOut,
}

/// What is not read in this run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LeftOut {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What one worker reads together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlannedGroup {
    /// Whose it is.
    pub shard: u32,
    /// Archives, then snapshots.
    pub objects: Vec<PlannedObject>,
}

/// One object, as it was when it was listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlannedObject {
    /// What it is called.
    pub id: ObjectId,
    /// What it looked like.
    pub identity: ObjectIdentity,
}

impl LeftOut {
    pub(super) fn of(groups: &[Group]) -> Self {
        let objects: BTreeSet<&ObjectId> = groups
            .iter()
            .flat_map(|group| group.objects.iter().map(|object| &object.id))
            .collect();
        Self {
            objects: u64::try_from(objects.len()).unwrap_or(u64::MAX),
            bytes: groups.iter().map(Group::bytes).fold(0, u64::saturating_add),
        }
    }
}

impl Plan {
    /// Bytes that will be read.
    pub fn bytes(&self) -> u64 {
        let objects = self.groups.iter().flat_map(|group| &group.objects);
        let sizes = objects.map(|object| object.identity.size_bytes());
        sizes.fold(0, u64::saturating_add)
    }

    /// Objects that will be read, each counted once.
    pub fn objects(&self) -> u64 {
        let objects: BTreeSet<&ObjectId> = self
            .groups
            .iter()
            .flat_map(|group| group.objects.iter().map(|object| &object.id))
            .collect();
        u64::try_from(objects.len()).unwrap_or(u64::MAX)
    }
}
