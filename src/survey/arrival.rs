//! What stores say of halves: how they keep them, and when they came, told by the clock of this machine. That of a store may
//! be another one.

use super::place::KnownObject;
use crate::backup::Located;
use crate::catalogue::{CatalogueChange, CatalogueContents};
use crate::inventory::Inventory;
use crate::source::{Custody, ObjectId, Store as _, Stores};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

type Files = BTreeMap<ObjectId, KnownObject>;

/// What came so long before or after is on its way by no clock.
const LATELY: TimeDelta = TimeDelta::days(2);
/// Clocks that are apart by less are as they were.
const SAME: TimeDelta = TimeDelta::minutes(1);

/// Says it of every half.
pub(super) fn tell(inventory: &mut Inventory, files: &Files, stores: &Stores) {
    for half in &mut inventory.snapshots {
        tell_of(half, files, stores);
    }
    for half in &mut inventory.kuberesources {
        tell_of(half, files, stores);
    }
}

fn tell_of<T>(half: &mut Located<T>, files: &Files, stores: &Stores) {
    // Of what lies on a disk there is nothing to be told.
    if half.places().all(|place| place.scheme().is_none()) {
        return;
    }
    half.arrived_at = arrived_at(half, files, stores);
    let told = half.places().filter_map(|place| {
        let custody = files.get(place)?.custody.as_ref()?;
        let is_about_itself = custody.is_about_the_object();
        is_about_itself.then(|| (place.clone(), custody.clone()))
    });
    half.custody = told.collect();
}

/// When the first of its copies came.
fn arrived_at<T>(half: &Located<T>, files: &Files, stores: &Stores) -> Option<DateTime<Utc>> {
    if !half.is_present {
        return None;
    }
    let received = half.places().map(|place| {
        let file = files.get(place)?;
        let there = file.identity.received_at()?;
        there.checked_sub_signed(clock_ahead(place, file, stores))
    });
    let received: Option<Vec<DateTime<Utc>>> = received.collect();
    received?.into_iter().min()
}

/// By whole seconds, whether the store was heard now or is remembered: both are to come to the same.
fn clock_ahead(place: &ObjectId, file: &KnownObject, stores: &Stores) -> TimeDelta {
    let heard = stores.custody(place);
    let heard = heard.as_ref().and_then(Custody::clock_ahead);
    let remembered = || file.custody.as_ref().and_then(Custody::clock_ahead);
    heard.or_else(remembered).unwrap_or_default()
}

/// Whose store shows another time by now than when it was read, for one of both clocks was set right: lists are to judge what
/// came lately as this survey does.
pub(super) fn clock_changes(
    files: &Files,
    contents: &CatalogueContents,
    stores: &Stores,
    now: DateTime<Utc>,
) -> Vec<CatalogueChange> {
    let came_lately = files.iter().filter(|(_, file)| {
        let received = file.identity.received_at();
        let since = received.map(|at| now.signed_duration_since(at).abs());
        file.is_present && since.is_some_and(|since| since < LATELY)
    });
    let changes = came_lately.filter_map(|(id, file)| {
        let record = contents.file(id)?;
        let heard = stores.custody(id)?.clock_ahead_seconds?;
        let before = record.custody.as_deref().cloned().unwrap_or_default();
        let remembered = before.clock_ahead().unwrap_or_default();
        let apart = TimeDelta::try_seconds(heard)?.checked_sub(&remembered)?;
        let is_unread = record.identity == file.identity && record.content == file.content;
        (is_unread && apart.abs() >= SAME).then(|| CatalogueChange::File {
            path: id.clone(),
            identity: record.identity.clone(),
            content: record.content.clone(),
            read_at: record.read_at,
            custody: Some(Box::new(Custody {
                clock_ahead_seconds: Some(heard),
                ..before
            })),
        })
    });
    changes.collect()
}
