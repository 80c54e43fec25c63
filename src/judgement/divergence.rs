//! Two snapshots of one cluster and one revision: do they hold the same?

use crate::backup::{Backup, Located};
use crate::finding::{Code, Finding};
use crate::instant::rfc3339_seconds;
use crate::snapshot::{LiveDigest, Snapshot};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// A cluster that was itself restored comes to the same revision again, at another time.
const ONE_MOMENT: TimeDelta = TimeDelta::minutes(10);

/// `members-diverge` on each backup whose live keys or values are not those of another one of its revision, by index.
pub(super) fn divergences(backups: &[Backup]) -> Vec<(usize, Finding)> {
    let mut groups: HashMap<(&str, i64), Vec<Contents<'_>>> = HashMap::new();
    for (key, contents) in backups.iter().enumerate().filter_map(contents) {
        groups.entry(key).or_default().push(contents);
    }
    let mut found = Vec::new();
    for group in groups.values().filter(|group| group.len() > 1) {
        for one in group {
            let others = group.iter().filter(|other| one.differs_from(other));
            let other = others.min_by_key(|other| &other.snapshot.path);
            found.extend(other.map(|other| (one.index, one.finding(other))));
        }
    }
    found.sort_by_key(|(index, _)| *index);
    found
}

/// What one snapshot holds.
struct Contents<'b> {
    index: usize,
    digest: LiveDigest,
    taken_at: DateTime<Utc>,
    snapshot: &'b Located<Snapshot>,
    node: Option<&'b str>,
}

/// Only sound snapshots: what damage has changed is told as damage.
fn contents((index, backup): (usize, &Backup)) -> Option<((&str, i64), Contents<'_>)> {
    let snapshot = backup.snapshot.as_ref()?;
    let facts = &snapshot.facts;
    let is_damage = |finding: &Finding| finding.is_error() && finding.code != Code::DigestMissing;
    if facts.findings.iter().any(is_damage) {
        return None;
    }
    let key = (facts.cluster.id.as_deref()?, facts.status.revision?);
    let kuberesources = backup.kuberesources.as_ref();
    let contents = Contents {
        index,
        digest: facts.live_digest?,
        taken_at: facts.taken_at()?,
        snapshot,
        node: kuberesources.and_then(|half| half.facts.node.as_deref()),
    };
    Some((key, contents))
}

impl Contents<'_> {
    fn differs_from(&self, other: &Self) -> bool {
        self.digest != other.digest && (self.taken_at - other.taken_at).abs() <= ONE_MOMENT
    }

    fn finding(&self, other: &Self) -> Finding {
        let revision = self.snapshot.facts.status.revision.unwrap_or_default();
        let from = |node: Option<&str>| node.map_or_else(String::new, |node| format!(" of {node}"));
        let path = other.snapshot.path.to_string();
        let message = format!(
            "at revision {revision} this snapshot{} and {path}{} ({}) hold other live keys or values: one member had gone \
             wrong",
            from(self.node),
            from(other.node),
            rfc3339_seconds(other.taken_at)
        );
        Finding::new(Code::MembersDiverge, message)
            .with("revision", revision)
            .with("otherPath", path)
    }
}
