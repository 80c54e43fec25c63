//! Clusters as a document.

use super::API_VERSION;
use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::clusters::{ClusterStanding, Gap, VerdictCounts};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::selection::Candidate;
use serde::Serialize;

/// `kind: ClusterList`, of `clusters`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterListView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `ClusterList`.
    kind: &'static str,
    /// The clusters, the worst first.
    items: Vec<ClusterStandingView>,
}

/// One cluster and its backups.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterStandingView {
    /// Its id, a UUID.
    id: Option<String>,
    /// Its infrastructure name.
    name: Option<String>,
    /// Of the running cluster, else of the newest backup that has one.
    version: Option<String>,
    /// `ok`, `overdue`, `none for this version` or `no usable`.
    state: &'static str,
    /// The newest backup that restores this version.
    newest_usable: Option<NewestUsableView>,
    /// When a backup was taken last, whatever came of it.
    last_attempt_at: Option<String>,
    /// The usual time between two backups.
    rhythm_seconds: Option<i64>,
    /// Where backups are missing against that, the newest first.
    gaps: Vec<GapView>,
    /// When the first certificate ends that the newest usable backup cannot be restored without.
    certificates_until: Option<String>,
    /// How many backups are valid.
    valid: usize,
    /// How many have warnings.
    warning: usize,
    /// How many are invalid.
    invalid: usize,
    /// How many are unknown.
    unknown: usize,
}

/// The newest backup that restores the version.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewestUsableView {
    /// Its id.
    id: Option<String>,
    /// When it was taken.
    taken_at: Option<String>,
    /// How old it is.
    age_seconds: Option<i64>,
}

/// A time without a backup.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct GapView {
    /// The last backup before it.
    from: String,
    /// The first after it; null while it lasts.
    to: Option<String>,
    /// How many backups are missing.
    missing: usize,
}

impl ClusterListView {
    /// The clusters in the order given, ages as of `now`.
    pub(crate) fn new(
        standings: &[ClusterStanding<'_, impl Candidate>],
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "ClusterList",
            items: standings.iter().map(|one| standing(one, now)).collect(),
        }
    }
}

fn standing(one: &ClusterStanding<'_, impl Candidate>, now: DateTime<Utc>) -> ClusterStandingView {
    let VerdictCounts {
        valid,
        warning,
        invalid,
        unknown,
    } = one.counts;
    let cluster = one.cluster.as_ref();
    ClusterStandingView {
        id: cluster.and_then(|cluster| cluster.id.clone()),
        name: cluster.and_then(|cluster| cluster.name.clone()),
        version: one.version.clone(),
        state: one.state.as_str(),
        newest_usable: one.newest_usable.map(|backup| NewestUsableView {
            id: backup.id(),
            taken_at: backup.taken_at().map(rfc3339_seconds),
            age_seconds: backup.taken_at().map(|at| (now - at).num_seconds().max(0)),
        }),
        last_attempt_at: one.last_attempt.map(rfc3339_seconds),
        rhythm_seconds: one.rhythm.map(|rhythm| TimeDelta::num_seconds(&rhythm)),
        gaps: one.gaps.iter().map(gap).collect(),
        certificates_until: one.certificates_until.map(rfc3339_seconds),
        valid,
        warning,
        invalid,
        unknown,
    }
}

fn gap(gap: &Gap) -> GapView {
    GapView {
        from: rfc3339_seconds(gap.from),
        to: gap.to.map(rfc3339_seconds),
        missing: gap.missing,
    }
}
