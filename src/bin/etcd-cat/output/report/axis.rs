//! One axis of time for all clusters.

use chrono::{DateTime, Utc};
use etcd_cat::backup::Backup;

/// Places on the axis. Backups of one place are one line.
const WIDTH: i64 = 1000;

/// The axis of all clusters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

impl Axis {
    /// From the first backup to now, or the last one.
    pub(super) fn of(own: &[Vec<&Backup>], now: DateTime<Utc>) -> Option<Self> {
        let taken = own.iter().flatten().filter_map(|backup| backup.taken_at);
        let from = taken.clone().min()?;
        let to = taken.max()?.max(now);
        Some(Self { from, to })
    }

    /// The place of an instant.
    pub(super) fn place(self, at: DateTime<Utc>) -> i64 {
        let whole = i128::from((self.to - self.from).num_seconds().max(1));
        let part = i128::from((at - self.from).num_seconds());
        i64::try_from(part * i128::from(WIDTH) / whole).unwrap_or(WIDTH)
    }
}
