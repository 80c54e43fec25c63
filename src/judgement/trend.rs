//! A backup against the one before it of the same cluster.

use crate::backup::{Backup, TakenAtSource};
use crate::finding::{Code, Finding};
use crate::instant::rfc3339_seconds;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Members of one etcd lag behind each other: closer than this, an order of revisions means nothing.
const APART: TimeDelta = TimeDelta::minutes(10);

/// Findings on each backup that differs strangely from its predecessor, by index.
pub(super) fn trends(backups: &[Backup]) -> Vec<(usize, Finding)> {
    let mut points: Vec<Point<'_>> = backups.iter().enumerate().filter_map(point).collect();
    points.sort_unstable_by_key(|point| (point.cluster, point.taken_at, point.place));
    let mut found = Vec::new();
    for (before, after) in points.iter().zip(points.iter().skip(1)) {
        if before.cluster == after.cluster && after.taken_at - before.taken_at > APART {
            let checks = [
                revision_went_back(before, after),
                size_fell(before, after),
                members_changed(before, after),
            ];
            found.extend(
                checks
                    .into_iter()
                    .flatten()
                    .map(|finding| (after.index, finding)),
            );
        }
    }
    found
}

struct Point<'a> {
    cluster: &'a str,
    taken_at: DateTime<Utc>,
    index: usize,
    place: &'a ObjectId,
    path: String,
    facts: &'a Snapshot,
}

/// Only sound snapshots whose own content says when: damage and renamed files would tell tales.
fn point((index, backup): (usize, &Backup)) -> Option<Point<'_>> {
    let half = backup.snapshot.as_ref()?;
    let is_dated = matches!(
        backup.taken_at_source,
        Some(TakenAtSource::Lease | TakenAtSource::Content)
    );
    let taken_at = backup
        .taken_at
        .filter(|_| is_dated && half.facts.digest_matches())?;
    let cluster = half.facts.cluster.id.as_deref()?;
    Some(Point {
        cluster,
        taken_at,
        index,
        place: &half.path,
        path: half.path.to_string(),
        facts: &half.facts,
    })
}

fn revision_went_back(before: &Point<'_>, after: &Point<'_>) -> Option<Finding> {
    let (old, new) = (before.facts.status.revision?, after.facts.status.revision?);
    if new >= old {
        return None;
    }
    let message = format!(
        "revision {new} is lower than {old} of {} ({}): the cluster had itself been restored in between",
        before.path,
        rfc3339_seconds(before.taken_at)
    );
    let remedy = format!(
        "make sure that this is the line of history you want: {} holds what was lost then",
        before.path
    );
    Some(
        told(Code::RevisionWentBack, message, before)
            .with("revision", new)
            .with("revisionBefore", old)
            .remedy(remedy),
    )
}

/// A file that shrinks while its keys stay was only defragmented.
fn size_fell(before: &Point<'_>, after: &Point<'_>) -> Option<Finding> {
    let keys = before.facts.live_keys.zip(after.facts.live_keys);
    let (old, new) = (before.facts.size_bytes, after.facts.size_bytes);
    let have_keys_halved = keys.is_some_and(|(old, new)| new < old / 2);
    let have_keys_stayed = keys.is_some_and(|(old, new)| new >= old - old / 10);
    if !have_keys_halved && (new >= old / 2 || have_keys_stayed) {
        return None;
    }
    let keys = keys.map_or_else(String::new, |(old, new)| {
        format!("{new} live keys after {old}, ")
    });
    let message = format!(
        "{keys}{new} bytes after {old} in {} ({})",
        before.path,
        rfc3339_seconds(before.taken_at)
    );
    let remedy = format!(
        "find out what was deleted from the cluster before relying on it; compare with {}",
        before.path
    );
    Some(
        told(Code::SizeFell, message, before)
            .with("sizeBytes", new)
            .with("sizeBytesBefore", old)
            .remedy(remedy),
    )
}

fn members_changed(before: &Point<'_>, after: &Point<'_>) -> Option<Finding> {
    let ids = |facts: &Snapshot| -> BTreeSet<u64> {
        facts.members.iter().map(|member| member.id).collect()
    };
    let (old, new) = (ids(before.facts), ids(after.facts));
    if old.is_empty() || new.is_empty() || old == new {
        return None;
    }
    let names = |facts: &Snapshot, of: BTreeSet<u64>| -> Vec<String> {
        let members = facts
            .members
            .iter()
            .filter(|member| of.contains(&member.id));
        members
            .map(|member| format!("{} ({:x})", member.name, member.id))
            .collect()
    };
    let gone = names(before.facts, &old - &new);
    let come = names(after.facts, &new - &old);
    let parts = [("gone", &gone), ("new", &come)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> = parts
        .map(|(word, names)| format!("{word}: {}", names.join(", ")))
        .collect();
    let message = format!(
        "other etcd members than in {} ({}): {}",
        before.path,
        rfc3339_seconds(before.taken_at),
        parts.join("; ")
    );
    Some(
        told(Code::MembersChanged, message, before)
            .with("gone", gone)
            .with("new", come),
    )
}

fn told(code: Code, message: String, before: &Point<'_>) -> Finding {
    Finding::new(code, message).with("before", before.path.as_str())
}
