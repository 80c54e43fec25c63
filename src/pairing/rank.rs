//! How well two halves fit: the order in which candidates are served.

use super::compare::remarks;
use super::rows::Rows;
use super::stamp::{RunStamp, stamp_of};
use crate::backup::Located;
use crate::finding::has_error;
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::kuberesources::Kuberesources;
use crate::parallel::{self, PIECE};
use crate::snapshot::Snapshot;
use chrono::{DateTime, TimeDelta, Utc};
use std::cmp::Reverse;

/// Local time is at most 14 h from UTC; an hour more for a slow run.
const ONE_RUN: TimeDelta = TimeDelta::hours(15);

/// Stamps of one run that asked for the time twice are at most so far apart.
pub(super) const NEAR_SECONDS: i64 = 60;

/// How the stamps of two halves relate, worst first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum StampMatch {
    /// At least one half has no stamp in any of its names.
    OneIsMissing,
    /// Less than a minute apart: a job that asked for the time twice. Only content makes a pair of them.
    Near,
    /// Same digits, but only one says `__POSSIBLY_DIRTY__`.
    SuffixDiffers,
    /// One run gave both names.
    Equal,
}

/// How well a kuberesources fits a snapshot; greater is better, the first field decides first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct PairRank {
    pub(super) stamps: StampMatch,
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
pub(super) struct PossiblePair {
    pub(super) snapshot: SnapshotIndex,
    pub(super) kuberesources: KuberesourcesIndex,
    pub(super) rank: PairRank,
    pub(super) contradicts: bool,
}

/// What names and places decide of two halves, before their contents are held against each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ByPlace {
    /// They are no backup.
    Impossible,
    /// They may be one, and are one when neither has another choice: even when the contents contradict each other, as the
    /// person should see both.
    Possible,
    /// Their contents decide.
    Undecided,
}

/// Looks at names and places only.
pub(super) fn by_place(
    (snapshot_index, kuberesources_index): (SnapshotIndex, KuberesourcesIndex),
    (inventory, names): (&Inventory, &PlaceStamps),
) -> ByPlace {
    let of_kuberesources = names.of_kuberesources(kuberesources_index);
    match relate(names.of_snapshot(snapshot_index), of_kuberesources) {
        None => return ByPlace::Impossible,
        Some(StampMatch::Near) => return ByPlace::Undecided,
        Some(StampMatch::SuffixDiffers | StampMatch::Equal) => return ByPlace::Possible,
        Some(StampMatch::OneIsMissing) => {}
    }
    let both = snapshot_index
        .of(&inventory.snapshots)
        .zip(kuberesources_index.of(&inventory.kuberesources));
    let Some((snapshot, kuberesources)) = both else {
        return ByPlace::Impossible;
    };
    let apart = seconds_apart(snapshot.facts.newest_lease_at, of_kuberesources);
    match apart > ONE_RUN.num_seconds() {
        true => ByPlace::Impossible,
        false if are_beside(snapshot, kuberesources) => ByPlace::Possible,
        false => ByPlace::Undecided,
    }
}

/// Weighs one candidate; `None` when the two cannot be one backup.
pub(super) fn weigh(
    (snapshot_index, kuberesources_index): (SnapshotIndex, KuberesourcesIndex),
    (inventory, names): (&Inventory, &PlaceStamps),
) -> Option<PossiblePair> {
    let snapshot = snapshot_index.of(&inventory.snapshots)?;
    let kuberesources = kuberesources_index.of(&inventory.kuberesources)?;
    let of_snapshot = names.of_snapshot(snapshot_index);
    let of_kuberesources = names.of_kuberesources(kuberesources_index);
    let stamps = relate(of_snapshot, of_kuberesources)?;
    let proven = inventory.proofs.find(&snapshot.facts, &kuberesources.facts);
    let (mut cluster_facts, mut other_facts, mut contradicts) = (0, 0, false);
    let key_proof = proven.map(|proven| &proven.key_proof);
    for remark in remarks(&snapshot.facts, &kuberesources.facts, key_proof) {
        contradicts |= !remark.agrees;
        cluster_facts += usize::from(remark.agrees && remark.is_about_cluster());
        other_facts += usize::from(remark.agrees && !remark.is_about_cluster());
    }
    let is_beside = are_beside(snapshot, kuberesources);
    if stamps == StampMatch::OneIsMissing && cluster_facts == 0 && !is_beside {
        return None;
    }
    if stamps == StampMatch::Near && (cluster_facts == 0 || contradicts) {
        return None;
    }
    let apart = match stamps {
        StampMatch::OneIsMissing => seconds_apart(snapshot.facts.newest_lease_at, of_kuberesources),
        StampMatch::Near => nearest(of_snapshot, of_kuberesources)?,
        StampMatch::SuffixDiffers | StampMatch::Equal => 0,
    };
    if apart > ONE_RUN.num_seconds() {
        return None;
    }
    let rank = PairRank {
        stamps,
        is_present: kuberesources.is_present,
        is_sound: !has_error(&kuberesources.facts.findings),
        cluster_facts,
        other_facts,
        snapshot_is_sound: snapshot.is_present && !has_error(&snapshot.facts.findings),
        is_beside,
        apart: Reverse(apart),
        steps: Reverse(snapshot.path.steps_to(&kuberesources.path)),
    };
    Some(PossiblePair {
        snapshot: snapshot_index,
        kuberesources: kuberesources_index,
        rank,
        contradicts,
    })
}

/// The stamps of every half, read from the names once.
#[derive(Debug)]
pub(super) struct PlaceStamps {
    pub(super) snapshots: Rows<RunStamp>,
    pub(super) kuberesources: Rows<RunStamp>,
}

impl PlaceStamps {
    pub(super) fn new(inventory: &Inventory) -> Self {
        Self {
            snapshots: rows(&inventory.snapshots),
            kuberesources: rows(&inventory.kuberesources),
        }
    }

    pub(super) fn of_snapshot(&self, index: SnapshotIndex) -> &[RunStamp] {
        self.snapshots.row(index.0)
    }

    pub(super) fn of_kuberesources(&self, index: KuberesourcesIndex) -> &[RunStamp] {
        self.kuberesources.row(index.0)
    }
}

/// The stamps of each half in a row.
fn rows<T: Send + Sync>(halves: &[Located<T>]) -> Rows<RunStamp> {
    let pieces = parallel::share(halves.chunks(PIECE), |(), halves| {
        let mut rows = Rows::with_capacity(halves.len());
        for half in halves {
            rows.push(stamps(half));
        }
        rows
    });
    let mut all = Rows::with_capacity(halves.len());
    for piece in pieces {
        all.append(piece);
    }
    all
}

/// Stamps of all places, the shown one first.
pub(super) fn stamps<T>(located: &Located<T>) -> impl Iterator<Item = RunStamp> {
    located.places().filter_map(stamp_of)
}

/// `None` when both carry stamps and they are of different runs.
fn relate(snapshot: &[RunStamp], kuberesources: &[RunStamp]) -> Option<StampMatch> {
    if snapshot.is_empty() || kuberesources.is_empty() {
        return Some(StampMatch::OneIsMissing);
    }
    let pairs = snapshot
        .iter()
        .flat_map(|one| kuberesources.iter().map(move |two| (one, two)));
    let common = pairs.filter(|(one, two)| one.at == two.at);
    let related = common.map(|(one, two)| match one.is_dirty == two.is_dirty {
        true => StampMatch::Equal,
        false => StampMatch::SuffixDiffers,
    });
    related.max().or_else(|| {
        let is_near = nearest(snapshot, kuberesources)? <= NEAR_SECONDS;
        is_near.then_some(StampMatch::Near)
    })
}

/// Seconds between the two stamps that lie nearest to each other.
pub(super) fn nearest(snapshot: &[RunStamp], kuberesources: &[RunStamp]) -> Option<i64> {
    let pairs = snapshot
        .iter()
        .flat_map(|one| kuberesources.iter().map(move |two| (one, two)));
    pairs
        .map(|(one, two)| (one.at - two.at).num_seconds().abs())
        .min()
}

/// Between the newest lease and the nearest stamp of the archive; zero when either is unknown.
fn seconds_apart(taken_at: Option<DateTime<Utc>>, stamps: &[RunStamp]) -> i64 {
    let Some(taken_at) = taken_at else { return 0 };
    let distances = stamps
        .iter()
        .map(|stamp| (taken_at - stamp.at).num_seconds().abs());
    distances.min().unwrap_or(0)
}

fn are_beside(snapshot: &Located<Snapshot>, kuberesources: &Located<Kuberesources>) -> bool {
    let mut places = snapshot.places();
    places.any(|place| {
        kuberesources
            .places()
            .any(|candidate| place.directory() == candidate.directory())
    })
}
