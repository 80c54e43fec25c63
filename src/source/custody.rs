//! What a store says of an object besides its bytes: which version of it, and how long nobody may delete it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How a store keeps an object, as it said when the object was read.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Custody {
    /// Its version (Google: generation), where the store keeps several.
    pub version: Option<Box<str>>,
    /// Until when nobody may delete it.
    pub lock: Option<ObjectLock>,
    /// Nobody may delete it before somebody takes a hold off it.
    pub has_legal_hold: bool,
    /// How many seconds the store's clock was ahead of this machine's.
    pub clock_ahead_seconds: Option<i64>,
}

/// A time for which an object has to stay.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ObjectLock {
    /// Whom it binds, in the store's own word: `COMPLIANCE` everybody, `GOVERNANCE` all but those with a right of their own
    /// (Azure: `locked`, `unlocked`).
    pub mode: Box<str>,
    /// When it ends.
    #[serde(with = "crate::instant")]
    pub until: DateTime<Utc>,
}

impl Custody {
    /// How far the store's clock was ahead of this machine's.
    pub fn clock_ahead(&self) -> Option<TimeDelta> {
        self.clock_ahead_seconds.and_then(TimeDelta::try_seconds)
    }

    /// It says something of the object itself, not of the store alone.
    pub fn is_about_the_object(&self) -> bool {
        self.version.is_some() || self.lock.is_some() || self.has_legal_hold
    }

    /// The lock that holds at an instant.
    pub fn lock_at(&self, instant: DateTime<Utc>) -> Option<&ObjectLock> {
        self.lock.as_ref().filter(|lock| lock.until > instant)
    }

    /// `None` where a store said nothing.
    pub fn filled(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}
