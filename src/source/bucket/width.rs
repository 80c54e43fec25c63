//! How long ranges are: many short ones at a time where each connection has a limit of its own, as on most networks; fewer
//! long ones where all connections share what limits them, such as the server or this machine: there each range more costs,
//! and brings nothing. The first long object of a bucket finds out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes over which is measured what several ranges at a time bring.
const TOGETHER_BYTES: u64 = 64 << 20;
/// Several at a time have to be so many times as fast as one.
const WORTH_IT: u128 = 2;

/// What is known of a bucket.
#[derive(Debug, Default)]
pub(super) struct Width(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Known {
    #[default]
    Nothing,
    /// Somebody is measuring.
    Measuring,
    /// Ranges are so many units long.
    Units(u64),
}

/// How fast something was.
#[derive(Clone, Copy, Debug)]
struct Took {
    bytes: u64,
    time: Duration,
}

/// What a reader finds out for all: first with one range alone, then with as many as there may be.
#[derive(Debug)]
pub(super) struct Measure {
    since: Instant,
    bytes: u64,
    alone: Option<Took>,
}

impl Measure {
    pub(super) fn is_alone(&self) -> bool {
        self.alone.is_none()
    }
}

impl Width {
    /// How many units long ranges are.
    pub(super) fn units(&self) -> u64 {
        match *self.known() {
            Known::Units(units) => units,
            Known::Nothing | Known::Measuring => 1,
        }
    }

    /// For the one that is to find out, if it is long enough for it.
    pub(super) fn measure(&self, size_bytes: u64) -> Option<Measure> {
        let mut known = self.known();
        if size_bytes < 2 * TOGETHER_BYTES || *known != Known::Nothing {
            return None;
        }
        *known = Known::Measuring;
        Some(Measure {
            since: Instant::now(),
            bytes: 0,
            alone: None,
        })
    }

    /// A range has come.
    pub(super) fn received(&self, measure: &mut Option<Measure>, bytes: u64) {
        let Some(measuring) = measure else { return };
        measuring.bytes = measuring.bytes.saturating_add(bytes);
        let took = Took {
            bytes: measuring.bytes,
            time: measuring.since.elapsed(),
        };
        match measuring.alone {
            None => {
                *measuring = Measure {
                    since: Instant::now(),
                    bytes: 0,
                    alone: Some(took),
                };
            }
            Some(alone) if took.bytes >= TOGETHER_BYTES => {
                *self.known() = Known::Units(units(alone, took));
                *measure = None;
            }
            Some(_) => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn units(alone: Took, together: Took) -> u64 {
    let alone_speed = u128::from(alone.bytes) * together.time.as_nanos();
    let speed = u128::from(together.bytes) * alone.time.as_nanos();
    if speed >= alone_speed.saturating_mul(WORTH_IT) {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_short_where_many_at_a_time_are_worth_it() {
        let took = |mebibytes: u64, milliseconds| Took {
            bytes: mebibytes << 20,
            time: Duration::from_millis(milliseconds),
        };
        // Each connection has its own limit.
        assert_eq!(units(took(16, 160), took(64, 80)), 1);
        // All have one in common.
        assert_eq!(units(took(16, 160), took(64, 600)), 2);
    }

    #[test]
    fn one_finds_out_for_all() {
        let width = Width::default();
        assert!(width.measure(100).is_none(), "too short");
        let mut first = width.measure(1 << 30);
        assert!(first.as_ref().is_some_and(Measure::is_alone));
        assert!(width.measure(1 << 30).is_none() && width.units() == 1);
        width.received(&mut first, 16 << 20);
        assert!(first.as_ref().is_some_and(|measure| !measure.is_alone()));
        width.received(&mut first, TOGETHER_BYTES);
        assert!(first.is_none() && matches!(*width.known(), Known::Units(_)));
    }
}
