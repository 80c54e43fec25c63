//! When a backup was taken, and whether its name agrees.

use super::text::span;
use crate::backup::{Backup, TakenAtSource};
use crate::finding::{Code, Finding};
use crate::instant::rfc3339_seconds;
use crate::pairing::stamp_of;
use crate::snapshot::Snapshot;
use chrono::{DateTime, TimeDelta, Utc};

/// A name is made seconds to minutes before the data.
const TOLERANCE: TimeDelta = TimeDelta::minutes(10);

/// The farthest time zones lie 14 h ahead and 12 h behind UTC.
const FARTHEST_ZONE: TimeDelta = TimeDelta::hours(14);

/// The stamp in the name of the place that is shown, else of a copy.
pub(super) fn named_at(backup: &Backup) -> Option<DateTime<Utc>> {
    let snapshot = backup
        .snapshot
        .iter()
        .flat_map(super::super::backup::Located::places);
    let kuberesources = backup
        .kuberesources
        .iter()
        .flat_map(super::super::backup::Located::places);
    let mut places = snapshot.chain(kuberesources).chain(&backup.unreadable_path);
    places.find_map(stamp_of).map(|stamp| stamp.at)
}

/// The best evidence of the moment: newest lease, newest content, name, modification time.
pub(super) fn taken_at(backup: &Backup) -> Option<(DateTime<Utc>, TakenAtSource)> {
    let facts = backup.snapshot.as_ref().map(|half| &*half.facts);
    let has_lease = facts.is_some_and(|facts| facts.newest_lease_at.is_some());
    let source = if has_lease {
        TakenAtSource::Lease
    } else {
        TakenAtSource::Content
    };
    let snapshot = backup.snapshot.as_ref().and_then(|half| half.modified_at);
    let kuberesources = backup
        .kuberesources
        .as_ref()
        .and_then(|half| half.modified_at);
    let candidates = [
        (facts.and_then(Snapshot::taken_at), source),
        (backup.named_at, TakenAtSource::Name),
        (snapshot.or(kuberesources), TakenAtSource::Mtime),
    ];
    candidates
        .into_iter()
        .find_map(|(at, source)| at.map(|at| (at, source)))
}

/// `time-skew`.
pub(super) fn skew(backup: &Backup) -> Option<Finding> {
    let is_content = matches!(
        backup.taken_at_source,
        Some(TakenAtSource::Lease | TakenAtSource::Content)
    );
    let taken_at = backup.taken_at.filter(|_| is_content)?;
    let named_at = backup.snapshot.as_ref()?.places().find_map(stamp_of)?.at;
    let ahead = named_at - taken_at;
    if ahead.abs() <= TOLERANCE {
        return None;
    }
    let direction = if ahead > TimeDelta::zero() {
        "later"
    } else {
        "earlier"
    };
    let facts = format!(
        "the name says {}, {} {direction} than the content, which says {}",
        named_at.format("%Y-%m-%d %H:%M:%S"),
        span(ahead),
        rfc3339_seconds(taken_at)
    );
    let finding = match zone(ahead) {
        Some(zone) => Finding::new(
            Code::TimeSkew,
            format!("{facts}: whole half hours, so the name is most likely local time (UTC{zone})"),
        )
        .with("zone", zone)
        .remedy("go by the time in the content; run the backup job in UTC"),
        None => Finding::new(Code::TimeSkew, facts)
            .remedy("go by the time in the content: the file was renamed, or the node's clock or its etcd member was behind"),
    };
    Some(
        finding
            .with("namedAt", rfc3339_seconds(named_at))
            .with("takenAt", rfc3339_seconds(taken_at)),
    )
}

/// The offset from UTC that would explain it, such as `+05:30`; `None` when none would.
fn zone(ahead: TimeDelta) -> Option<String> {
    let minutes = ahead.num_minutes();
    // The data is newer than the name, so the difference falls short of the offset: round to the nearest half hour.
    let half_hours = (minutes + 15).div_euclid(30);
    let offset = TimeDelta::minutes(half_hours * 30);
    if half_hours == 0
        || offset.abs() > FARTHEST_ZONE
        || (ahead - offset).abs() > TimeDelta::minutes(5)
    {
        return None;
    }
    let sign = if half_hours < 0 { '-' } else { '+' };
    let half_hours = half_hours.abs();
    Some(format!(
        "{sign}{:02}:{:02}",
        half_hours / 2,
        half_hours % 2 * 30
    ))
}
