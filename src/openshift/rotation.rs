//! When a cluster replaces the certificates that its installer made for one day.

use chrono::{DateTime, TimeDelta, Utc};

/// The first rotation comes 24 h after installation (every edition of the backup page).
const FIRST_ROTATION: TimeDelta = TimeDelta::hours(24);

/// Some signers are replaced only some time after the first day.
const SURELY_ROTATED: TimeDelta = TimeDelta::hours(26);

/// How far the first rotation was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FirstRotation {
    /// Still to come: what was taken then cannot be restored.
    ToCome,
    /// Under way: some signers may be the installer's.
    UnderWay,
    /// Over for certain.
    Over,
}

impl FirstRotation {
    /// Of a cluster that was installed at one instant, seen at another.
    pub(crate) fn of(installed_at: DateTime<Utc>, at: DateTime<Utc>) -> Self {
        let age = at - installed_at;
        if age < FIRST_ROTATION {
            Self::ToCome
        } else if age < SURELY_ROTATED {
            Self::UnderWay
        } else {
            Self::Over
        }
    }
}
