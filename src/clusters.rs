//! How each cluster stands: is there a backup that restores the version it runs, how old is it, is one missing?

use crate::backup::{Backup, Verdict};
use crate::selection::{Candidate, KnownCluster, by_cluster, known_clusters};
use chrono::{DateTime, TimeDelta, Utc};

/// Backups of other hosts within this time are of one run.
const ONE_RUN: TimeDelta = TimeDelta::minutes(30);

/// Intervals that show a rhythm.
const FEWEST_INTERVALS: usize = 3;

/// Intervals looked at for the rhythm: older ones were of another schedule.
const INTERVALS: usize = 30;

/// A running cluster, and the version that it has now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunningCluster {
    /// Its id.
    pub id: String,
    /// The version that is to be restored.
    pub version: String,
}

/// One cluster and its backups.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterStanding<'b, B = Backup> {
    /// Which one; `None` stands for backups that name none.
    pub cluster: Option<KnownCluster>,
    /// The version to restore: of the running cluster, else of the newest backup that has one.
    pub version: Option<String>,
    /// The newest backup that restores this version.
    pub newest_usable: Option<&'b B>,
    /// When a backup was taken last, whatever came of it.
    pub last_attempt: Option<DateTime<Utc>>,
    /// How many backups have which verdict.
    pub counts: VerdictCounts,
    /// The usual time between two backups; `None` when none can be seen.
    pub rhythm: Option<TimeDelta>,
    /// Where backups are missing against the rhythm, the newest first.
    pub gaps: Vec<Gap>,
    /// When the first certificate ends that the newest usable backup cannot be restored without.
    pub certificates_until: Option<DateTime<Utc>>,
    /// What it comes to.
    pub state: ClusterState,
}

/// How many backups have which verdict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VerdictCounts {
    /// `valid`
    pub valid: usize,
    /// `warning`
    pub warning: usize,
    /// `invalid`
    pub invalid: usize,
    /// `unknown`
    pub unknown: usize,
}

/// A time without a backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gap {
    /// The last backup before it.
    pub from: DateTime<Utc>,
    /// The first after it; `None` while it lasts.
    pub to: Option<DateTime<Utc>>,
    /// How many backups the rhythm has in it.
    pub missing: usize,
}

/// What a cluster's backups come to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ClusterState {
    /// No backup can be restored from.
    NoUsable,
    /// None restores the version that is wanted.
    NoneForVersion,
    /// The newest is older than allowed.
    Overdue,
    /// A backup of the right version is young enough.
    Ok,
}

impl ClusterState {
    /// The words in tables and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoUsable => "no usable",
            Self::NoneForVersion => "none for this version",
            Self::Overdue => "overdue",
            Self::Ok => "ok",
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClustersQuestion {
    /// The running cluster, if it was asked.
    pub running: Option<RunningCluster>,
    /// How old the newest usable backup may be; without it, the rhythm decides.
    pub max_age: Option<TimeDelta>,
}

/// Every cluster that the backups name, the worst first, then by name.
pub fn standings<'b, B: Candidate>(
    backups: &'b [B],
    question: &ClustersQuestion,
    now: DateTime<Utc>,
) -> Vec<ClusterStanding<'b, B>> {
    let mut clusters = known_clusters(backups);
    if let Some(running) = &question.running
        && !clusters
            .iter()
            .any(|known| known.id.as_deref() == Some(&running.id))
    {
        clusters.push(KnownCluster {
            name: None,
            id: Some(running.id.clone()),
        });
    }
    let mut own = by_cluster(&clusters, backups, B::cluster);
    let mut nameless = own.pop().unwrap_or_default();
    // Half a backup names no cluster often enough, and is none by itself.
    nameless.retain(|backup| backup.halves().snapshot.is_some());
    let named = clusters.into_iter().map(Some).zip(own);
    let nameless = (!nameless.is_empty()).then_some((None, nameless));
    let mut standings: Vec<_> = named
        .chain(nameless)
        .map(|(cluster, own)| standing(cluster, own, question, now))
        .collect();
    standings.sort_by(|left, right| {
        let name = |one: &ClusterStanding<'_, B>| (one.cluster.is_none(), one.cluster.clone());
        left.state
            .cmp(&right.state)
            .then_with(|| name(left).cmp(&name(right)))
    });
    standings
}

fn standing<'b, B: Candidate>(
    cluster: Option<KnownCluster>,
    mut own: Vec<&'b B>,
    question: &ClustersQuestion,
    now: DateTime<Utc>,
) -> ClusterStanding<'b, B> {
    own.sort_by_key(|backup| std::cmp::Reverse(backup.taken_at()));
    let running = question.running.as_ref();
    let running = running.filter(|running| {
        let id = cluster.as_ref().and_then(|cluster| cluster.id.as_deref());
        id == Some(&running.id)
    });
    let newest_version = || {
        own.iter()
            .find_map(|backup| backup.version().openshift.clone())
    };
    let version = running
        .map(|running| running.version.clone())
        .or_else(newest_version);
    let usable = own.iter().copied().filter(|backup| backup.is_restorable());
    let is_any_usable = usable.clone().next().is_some();
    let mut of_version = usable.filter(|backup| backup.version().openshift == version);
    let last = of_version.clone().next();
    let newest_usable = of_version.find(|backup| !backup.is_mended()).or(last);
    let moments = moments(&own);
    let rhythm = rhythm(&moments);
    let allowed = question.max_age.or_else(|| rhythm.map(late_after));
    let age = newest_usable
        .and_then(Candidate::taken_at)
        .map(|at| now - at);
    let state = match (newest_usable, allowed) {
        (None, _) if is_any_usable => ClusterState::NoneForVersion,
        (None, _) => ClusterState::NoUsable,
        (Some(_), Some(allowed)) if age.is_none_or(|age| age > allowed) => ClusterState::Overdue,
        _ => ClusterState::Ok,
    };
    ClusterStanding {
        version,
        newest_usable,
        last_attempt: moments.last().copied(),
        counts: VerdictCounts::of(&own),
        rhythm,
        gaps: rhythm.map_or_else(Vec::new, |rhythm| gaps(&moments, rhythm, now)),
        certificates_until: newest_usable.and_then(Candidate::certificates_until),
        state,
        cluster,
    }
}

impl VerdictCounts {
    fn of(backups: &[&impl Candidate]) -> Self {
        let mut counts = Self::default();
        for backup in backups {
            let count = match backup.verdict() {
                Verdict::Valid => &mut counts.valid,
                Verdict::Warning => &mut counts.warning,
                Verdict::Invalid => &mut counts.invalid,
                Verdict::Unknown => &mut counts.unknown,
            };
            *count += 1;
        }
        counts
    }
}

/// When backups were taken, oldest first; those of one run once.
fn moments(backups: &[&impl Candidate]) -> Vec<DateTime<Utc>> {
    let snapshots = backups
        .iter()
        .filter(|backup| backup.halves().snapshot.is_some());
    let mut moments: Vec<DateTime<Utc>> =
        snapshots.filter_map(|backup| backup.taken_at()).collect();
    moments.sort();
    moments.dedup_by(|later, earlier| *later - *earlier < ONE_RUN);
    moments
}

/// The middle one of the last intervals.
fn rhythm(moments: &[DateTime<Utc>]) -> Option<TimeDelta> {
    let mut intervals: Vec<TimeDelta> = intervals(moments).map(|(from, to)| to - from).collect();
    let old = intervals.len().saturating_sub(INTERVALS);
    intervals.drain(..old);
    if intervals.len() < FEWEST_INTERVALS {
        return None;
    }
    intervals.sort();
    intervals.get(intervals.len() / 2).copied()
}

fn intervals(moments: &[DateTime<Utc>]) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    moments.iter().copied().zip(moments.iter().copied().skip(1))
}

/// Half an interval of grace.
fn late_after(rhythm: TimeDelta) -> TimeDelta {
    rhythm + rhythm / 2
}

fn gaps(moments: &[DateTime<Utc>], rhythm: TimeDelta, now: DateTime<Utc>) -> Vec<Gap> {
    let ended = intervals(moments).map(|(from, to)| (from, Some(to)));
    let open = moments.last().map(|last| (*last, None));
    let gaps = ended.chain(open).filter_map(|(from, to)| {
        let length = to.unwrap_or(now) - from;
        let steps = length.num_seconds() / rhythm.num_seconds().max(1);
        // What came late is not missing.
        let rest = length.num_seconds() % rhythm.num_seconds().max(1);
        let is_almost_one_more = to.is_some() && rest > rhythm.num_seconds() / 2;
        let missing = steps + i64::from(is_almost_one_more) - i64::from(to.is_some());
        let is_gap = length > late_after(rhythm) && missing > 0;
        is_gap.then_some(Gap {
            from,
            to,
            missing: usize::try_from(missing).unwrap_or(usize::MAX),
        })
    });
    let mut gaps: Vec<Gap> = gaps.collect();
    gaps.reverse();
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    #[test]
    fn the_rhythm_is_what_most_intervals_are() {
        let days: Vec<_> = [0, 24, 48, 73, 120, 144].map(at).to_vec();
        assert_eq!(rhythm(&days), Some(TimeDelta::hours(24)));
        assert_eq!(rhythm(&[at(0), at(24), at(48)]), None, "too few to tell");
        assert_eq!(rhythm(&[]), None);
    }

    #[test]
    fn gaps_are_counted_in_missing_backups() {
        let day = TimeDelta::hours(24);
        let days: Vec<_> = [0, 24, 48, 73, 120, 144].map(at).to_vec();
        let gap = |from, to: Option<i64>, missing| Gap {
            from: at(from),
            to: to.map(at),
            missing,
        };
        assert_eq!(gaps(&days, day, at(150)), [gap(73, Some(120), 1)]);
        let expected = [gap(144, None, 2), gap(73, Some(120), 1)];
        assert_eq!(gaps(&days, day, at(200)), expected);
        assert_eq!(gaps(&[], day, at(200)), []);
    }
}
