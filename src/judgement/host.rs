//! Two hosts that backed up one cluster at the same time.

use crate::backup::Backup;
use crate::finding::{Code, Finding};
use crate::instant::rfc3339_seconds;
use crate::source::ObjectId;
use chrono::{DateTime, TimeDelta, Utc};

/// Backups this close are one occasion.
const ONE_OCCASION: TimeDelta = TimeDelta::minutes(10);

/// Neighbours looked at on either side. A control plane has at most a handful of nodes.
const REACH: usize = 16;

/// `duplicate-host` on each backup that has a twin from another node, by index.
pub(super) fn duplicates(backups: &[Backup]) -> Vec<(usize, Finding)> {
    let mut entries: Vec<HostBackup<'_>> = backups.iter().enumerate().filter_map(entry).collect();
    entries.sort_unstable_by_key(|entry| (entry.cluster, entry.taken_at, entry.path));
    let mut found = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let start = position.saturating_sub(REACH);
        let end = position.saturating_add(REACH).min(entries.len());
        let neighbours = entries.get(start..end).unwrap_or(&[]).iter();
        if let Some(twin) = neighbours
            .filter(|other| entry.is_twin_of(other))
            .min_by_key(|other| entry.distance(other))
        {
            found.push((entry.index, finding(backups, entry, twin)));
        }
    }
    found
}

#[derive(Debug)]
struct HostBackup<'a> {
    cluster: &'a str,
    taken_at: DateTime<Utc>,
    index: usize,
    path: &'a ObjectId,
    node: &'a str,
}

impl HostBackup<'_> {
    fn is_twin_of(&self, other: &HostBackup<'_>) -> bool {
        self.cluster == other.cluster
            && self.node != other.node
            && self.distance(other) <= ONE_OCCASION
    }

    fn distance(&self, other: &HostBackup<'_>) -> TimeDelta {
        (self.taken_at - other.taken_at).abs()
    }
}

/// A gone file needs no choice any more; without both halves the host is not known.
fn entry((index, backup): (usize, &Backup)) -> Option<HostBackup<'_>> {
    let snapshot = backup.snapshot.as_ref().filter(|half| half.is_present)?;
    let cluster = snapshot.facts.cluster.id.as_deref()?;
    let node = backup.kuberesources.as_ref()?.facts.node.as_deref()?;
    Some(HostBackup {
        cluster,
        taken_at: backup.taken_at?,
        index,
        path: &snapshot.path,
        node,
    })
}

fn finding(backups: &[Backup], entry: &HostBackup<'_>, twin: &HostBackup<'_>) -> Finding {
    let path = backups
        .get(twin.index)
        .and_then(Backup::path)
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = format!(
        "{} backed up the same cluster at {}, this one is from {}: {path}",
        twin.node,
        rfc3339_seconds(twin.taken_at),
        entry.node
    );
    let remedy = "keep one of the two and run the backup job on one control-plane host only";
    Finding::new(Code::DuplicateHost, message)
        .with("node", entry.node)
        .with("otherNode", twin.node)
        .with("otherPath", path)
        .remedy(remedy)
}
