//! The plan of a run: listed once, grouped so that both halves meet, cut to what is due, spread over the workers.

use super::balance::balance;
use super::due::{Budget, due};
use super::error::FleetError;
use super::plan::{LeftOut, Plan, PlanHead, PlannedGroup, PlannedObject};
use super::plan_text;
use super::results::FleetRun;
use crate::catalogue::{CatalogueContents, Content};
use crate::discovery::{FoundObject, Group, Skipped, Walk, groups, is_checksum_list};
use crate::monitor::Monitor;
use crate::names::PutAside;
use crate::source::{Cause, Listing, ObjectId, ObjectIdentity, Store as _, Stores};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;

/// What is planned.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// What the run is called: the name of its directory.
    pub run: String,
    /// How many workers.
    pub shards: u32,
    /// What was proven within this time is left out.
    pub proven_within: Option<TimeDelta>,
    /// How much may be read.
    pub budget: Option<Budget>,
    /// Now.
    pub now: DateTime<Utc>,
    /// Where objects are listed.
    pub stores: Stores,
}

/// Plans a run over `locations` and writes it down among the results, once and for ever.
///
/// # Errors
///
/// A location cannot be listed, the run is there already, the results would lie among the backups, or `monitor` asked to
/// stop.
pub fn plan(
    locations: &[ObjectId],
    results: &ObjectId,
    known: &CatalogueContents,
    options: &PlanOptions,
    monitor: &dyn Monitor,
) -> Result<(FleetRun, Plan), FleetError> {
    let results = results.absolute();
    let locations: Vec<ObjectId> = locations.iter().map(ObjectId::absolute).collect();
    if let Some(location) = locations.iter().find(|one| one.contains(&results)) {
        let location = location.to_string();
        return Err(FleetError::ResultsInLocation { location });
    }
    if let Some(location) = locations.iter().find(|one| results.contains(one)) {
        let location = location.to_string();
        return Err(FleetError::ResultsAroundLocation { location });
    }
    let found = list(&locations, known, options, monitor)?;
    let plan = spread(groups(found), locations, known, options);
    let run = FleetRun::new(&results, &options.run, &options.stores);
    run.create(plan_text::write(&plan).as_bytes())?;
    Ok((run, plan))
}

/// Everything below the locations, each object once.
fn list(
    locations: &[ObjectId],
    known: &CatalogueContents,
    options: &PlanOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<FoundObject>, FleetError> {
    let mut found: BTreeMap<ObjectId, FoundObject> = BTreeMap::new();
    for location in locations {
        let listing = options.stores.list(location, monitor);
        let kinds = refusals(&listing);
        let walked = Walk::from(listing);
        if walked.is_interrupted {
            return Err(FleetError::Interrupted);
        }
        // A plan with a hole would say that everything was proven.
        if let Some(hole) = walked.skipped.iter().find(|one| one.is_error) {
            // A link that leads nowhere is refused by nobody.
            let kind = kinds.get(&hole.id).copied();
            return Err(hole_in(
                location,
                hole,
                kind.unwrap_or(ErrorKind::NotFound),
                known,
            ));
        }
        let objects = walked.objects.into_iter();
        let sound = objects.filter(|one| one.id.file_name().and_then(PutAside::of).is_none());
        found.extend(sound.map(|object| (object.id.clone(), object)));
    }
    Ok(found.into_values().collect())
}

/// What was said where a listing has holes.
fn refusals(listing: &Listing) -> HashMap<ObjectId, ErrorKind> {
    let refusals = listing.left_out.iter().filter_map(|one| match one.cause {
        Cause::Refused(kind) => Some((one.id.clone(), kind)),
        _ => None,
    });
    refusals.collect()
}

/// A location that is not there was mistyped, unless somebody has found something in it before: then it is not mounted.
fn hole_in(
    location: &ObjectId,
    hole: &Skipped,
    kind: ErrorKind,
    known: &CatalogueContents,
) -> FleetError {
    let was_there = || {
        known.locations.contains_key(location)
            || known.files.keys().any(|file| location.contains(file))
    };
    if kind == ErrorKind::NotFound && hole.id == *location && was_there() {
        let location = location.to_string();
        return FleetError::Away { location };
    }
    FleetError::NotListed {
        location: hole.id.to_string(),
        reason: hole.reason.clone(),
        kind,
    }
}

fn spread(
    groups: Vec<Group>,
    locations: Vec<ObjectId>,
    known: &CatalogueContents,
    options: &PlanOptions,
) -> Plan {
    let groups = groups.into_iter().filter_map(|group| {
        let group = without_foreign(group, known)?;
        let proven = proven_at(&group, known);
        Some((group, proven))
    });
    let since = options
        .proven_within
        .and_then(|within| options.now.checked_sub_signed(within));
    let budget = options.budget.map(|budget| budget.bytes(options.shards));
    let due = due(groups.collect(), since, budget);
    let sizes: Vec<u64> = due.groups.iter().map(Group::bytes).collect();
    let shards = balance(&sizes, options.shards);
    let groups = due.groups.into_iter().zip(shards).map(|(group, shard)| {
        let objects = group.objects.into_iter().map(|object| PlannedObject {
            id: object.id,
            identity: object.identity,
        });
        PlannedGroup {
            shard,
            objects: objects.collect(),
        }
    });
    Plan {
        groups: groups.collect(),
        head: PlanHead {
            run: options.run.clone(),
            created_at: options.now,
            shards: options.shards.max(1),
            locations,
            recent: LeftOut::of(&due.recent),
            over_budget: LeftOut::of(&due.over_budget),
        },
    }
}

/// Drops what was looked into before and is no part of a backup; `None` when nothing is left.
fn without_foreign(mut group: Group, known: &CatalogueContents) -> Option<Group> {
    group.objects.retain(|object| {
        let record = known.file(&object.id);
        let is_list = object.id.file_name().is_some_and(is_checksum_list);
        is_list
            || !record.is_some_and(|record| {
                record.content.is_foreign() && is_as_it_was(&record.identity, &object.identity)
            })
    });
    let mut objects = group.objects.iter();
    let is_more = objects.any(|one| !one.id.file_name().is_some_and(is_checksum_list));
    is_more.then_some(group)
}

/// When the one of the group that was read longest ago was read; `None` when one of them never was, as it is now.
fn proven_at(group: &Group, known: &CatalogueContents) -> Option<DateTime<Utc>> {
    let read_at = |object: &FoundObject| {
        let record = known.files.get(&object.id)?;
        let is_read = !matches!(record.content, Content::Unreadable { .. });
        (is_read && is_as_it_was(&record.identity, &object.identity)).then_some(record.read_at)
    };
    let times: Option<Vec<_>> = group.objects.iter().map(read_at).collect();
    times?.into_iter().min()
}

/// The same object, whatever number its device has on another machine.
pub(super) fn is_as_it_was(before: &ObjectIdentity, now: &ObjectIdentity) -> bool {
    match (before, now) {
        (ObjectIdentity::File(before), ObjectIdentity::File(now)) => {
            before.is_same_on_another_device(now)
        }
        _ => before == now,
    }
}
