//! When halves came to their stores, told by the clock of this machine: that of a store may be another one.

use super::place::KnownObject;
use crate::backup::Located;
use crate::inventory::Inventory;
use crate::source::{ObjectId, Store as _, Stores};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

type Files = BTreeMap<ObjectId, KnownObject>;

/// Says it of every half.
pub(super) fn tell(inventory: &mut Inventory, files: &Files, stores: &Stores) {
    for half in &mut inventory.snapshots {
        half.arrived_at = arrived_at(half, files, stores);
    }
    for half in &mut inventory.kuberesources {
        half.arrived_at = arrived_at(half, files, stores);
    }
}

/// When the first of its copies came.
fn arrived_at<T>(half: &Located<T>, files: &Files, stores: &Stores) -> Option<DateTime<Utc>> {
    if !half.is_present {
        return None;
    }
    let received = half.places().map(|place| {
        let there = files.get(place)?.identity.received_at()?;
        let ahead = stores.clock_ahead(place).unwrap_or_default();
        there.checked_sub_signed(ahead)
    });
    let received: Option<Vec<DateTime<Utc>>> = received.collect();
    received?.into_iter().min()
}
