//! What the clock of a store shows: every answer says it, and objects are stamped by it.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How far the clock of a store is ahead of this machine's.
#[derive(Debug, Default)]
pub(super) struct Clock(Mutex<Option<TimeDelta>>);

impl Clock {
    /// Takes the `Date` of an answer that came just now.
    pub(super) fn hear(&self, date: &str) {
        let ahead = ahead_of(date, SystemTime::now().into());
        if ahead.is_some() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
        }
    }

    /// As it was heard last.
    pub(super) fn ahead(&self) -> Option<TimeDelta> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ahead_of(date: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let there = DateTime::parse_from_rfc2822(date).ok()?;
    Some(there.with_timezone(&Utc).signed_duration_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_is_compared_with_the_clock_of_this_machine() {
        let now = DateTime::from_timestamp(1_730_516_407, 0).unwrap_or_default();
        let ahead = |date: &str| ahead_of(date, now).map(|ahead| ahead.num_seconds());
        assert_eq!(ahead("Sat, 02 Nov 2024 03:00:07 GMT"), Some(0));
        assert_eq!(ahead("Sat, 02 Nov 2024 03:20:07 GMT"), Some(1200));
        assert_eq!(ahead("Sat, 02 Nov 2024 02:59:07 GMT"), Some(-60));
        assert_eq!(ahead("yesterday"), None);
        let clock = Clock::default();
        clock.hear("yesterday");
        assert_eq!(clock.ahead(), None);
        clock.hear("Sat, 02 Nov 2024 03:00:07 GMT");
        clock.hear("yesterday");
        assert!(clock.ahead().is_some_and(|ahead| ahead < TimeDelta::zero()));
    }
}
