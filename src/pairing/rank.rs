//! How well two halves fit: the order in which candidates are served.

use super::compare::remarks;
use super::stamp::{Stamp, stamp_of};
use crate::backup::Located;
use crate::finding::has_error;
use crate::inventory::Inventory;
use chrono::{DateTime, TimeDelta, Utc};
use std::cmp::Reverse;

/// Local time is at most 14 h from UTC; an hour more for a slow run.
const ONE_RUN: TimeDelta = TimeDelta::hours(15);

/// How the stamps of two halves relate, worst first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Stamps {
    /// At least one half has no stamp in any of its names.
    OneIsMissing,
    /// Same digits, but only one says `__POSSIBLY_DIRTY__`.
    SuffixDiffers,
    /// One run gave both names.
    Equal,
}

/// How well a kuberesources fits a snapshot; greater is better, the first field decides first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rank {
    pub(super) stamps: Stamps,
    /// The kuberesources is on disk.
    pub(super) is_present: bool,
    /// The kuberesources has no error of its own.
    pub(super) is_sound: bool,
    /// Facts that no two clusters share and that agree.
    pub(super) cluster_facts: usize,
    /// Other facts that agree.
    pub(super) other_facts: usize,
    /// Whether the snapshot is there and sound: a damaged copy must not be served first.
    snapshot_is_sound: bool,
    /// Some place of one lies beside some place of the other.
    pub(super) is_beside: bool,
    /// Seconds between content and stamp, when the names cannot tell.
    pub(super) apart: Reverse<i64>,
    /// Steps from one directory to the other.
    pub(super) steps: Reverse<usize>,
}

/// A possible pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) snapshot: usize,
    pub(super) kuberesources: usize,
    pub(super) rank: Rank,
    pub(super) contradicts: bool,
}

/// How much two halves must be measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Measure {
    /// Nothing competes: places decide nothing.
    Facts,
    /// Places decide between rivals.
    Places,
}

/// Weighs one candidate; `None` when the two cannot be one backup.
pub(super) fn weigh(
    (inventory, names): (&Inventory, &Names),
    snapshot: usize,
    kuberesources: usize,
    measure: Measure,
) -> Option<Edge> {
    let half = inventory.snapshots.get(snapshot)?;
    let other = inventory.kuberesources.get(kuberesources)?;
    let of_other = names.kuberesources.get(kuberesources)?;
    let stamps = relate(names.snapshots.get(snapshot)?, of_other)?;
    let proven = inventory.proofs.find(&half.facts, &other.facts);
    let (mut cluster_facts, mut other_facts, mut contradicts) = (0, 0, false);
    for remark in remarks(&half.facts, &other.facts, proven) {
        contradicts |= !remark.agrees;
        cluster_facts += usize::from(remark.agrees && remark.is_about_cluster());
        other_facts += usize::from(remark.agrees && !remark.is_about_cluster());
    }
    let is_compared = measure == Measure::Places || stamps == Stamps::OneIsMissing;
    let is_beside = is_compared && are_beside(half, other);
    if stamps == Stamps::OneIsMissing && cluster_facts == 0 && !is_beside {
        return None;
    }
    let apart = if stamps == Stamps::OneIsMissing {
        seconds_apart(half.facts.newest_lease_at, of_other)
    } else {
        0
    };
    if apart > ONE_RUN.num_seconds() {
        return None;
    }
    let rank = Rank {
        stamps,
        is_present: other.is_present,
        is_sound: !has_error(&other.facts.findings),
        cluster_facts,
        other_facts,
        snapshot_is_sound: half.is_present && !has_error(&half.facts.findings),
        is_beside,
        apart: Reverse(apart),
        steps: Reverse(if is_compared {
            half.path.steps_to(&other.path)
        } else {
            0
        }),
    };
    Some(Edge {
        snapshot,
        kuberesources,
        rank,
        contradicts,
    })
}

/// The stamps of every half, read from the names once.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) snapshots: Vec<Vec<Stamp>>,
    pub(super) kuberesources: Vec<Vec<Stamp>>,
}

impl Names {
    pub(super) fn new(inventory: &Inventory) -> Self {
        Self {
            snapshots: inventory
                .snapshots
                .iter()
                .map(|half| stamps(half).collect())
                .collect(),
            kuberesources: inventory
                .kuberesources
                .iter()
                .map(|half| stamps(half).collect())
                .collect(),
        }
    }
}

/// Stamps of all places, the shown one first.
pub(super) fn stamps<T>(half: &Located<T>) -> impl Iterator<Item = Stamp> {
    half.places().filter_map(stamp_of)
}

/// `None` when both carry stamps and none is common.
fn relate(half: &[Stamp], other: &[Stamp]) -> Option<Stamps> {
    if half.is_empty() || other.is_empty() {
        return Some(Stamps::OneIsMissing);
    }
    let pairs = half
        .iter()
        .flat_map(|stamp| other.iter().map(move |other| (stamp, other)));
    let common = pairs.filter(|(stamp, other)| stamp.at == other.at);
    let related = common.map(|(stamp, other)| match stamp.is_dirty == other.is_dirty {
        true => Stamps::Equal,
        false => Stamps::SuffixDiffers,
    });
    related.max()
}

/// Between the newest lease and the nearest stamp of the archive; zero when either is unknown.
fn seconds_apart(taken_at: Option<DateTime<Utc>>, stamps: &[Stamp]) -> i64 {
    let Some(taken_at) = taken_at else { return 0 };
    let distances = stamps
        .iter()
        .map(|stamp| (taken_at - stamp.at).num_seconds().abs());
    distances.min().unwrap_or(0)
}

fn are_beside<A, B>(half: &Located<A>, other: &Located<B>) -> bool {
    let mut places = half.places();
    places.any(|place| {
        other
            .places()
            .any(|candidate| place.directory() == candidate.directory())
    })
}
