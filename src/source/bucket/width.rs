//! How an object is asked for: in many short ranges at a time where each connection has a limit of its own, as on most
//! networks; in fewer long ones where all connections share much of what limits them; in one from here to the end where they
//! share all of it, such as the server or this machine: there each range more costs, and brings nothing. The first long object
//! of a bucket finds out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes over which is measured what several ranges at a time bring.
const TOGETHER_BYTES: u64 = 32 << 20;
/// An object has to be so long for that: most of it is asked for in the way that is best then.
const MEASURED_BYTES: u64 = 128 << 20;
/// Several at a time that are so many hundredths as fast as one are worth many short ranges.
const WORTH_MANY: u128 = 200;
/// The same for any at all.
const WORTH_SOME: u128 = 130;

/// What is known of a bucket.
#[derive(Debug, Default)]
pub(super) struct Width(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Known {
    #[default]
    Nothing,
    /// Somebody is measuring.
    Measuring,
    Best(Way),
}

/// How the rest of an object is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// In ranges of so many units, several at a time.
    Ranges(usize),
    /// As one.
    Whole,
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
    /// As far as it is known.
    pub(super) fn way(&self) -> Way {
        match *self.known() {
            Known::Best(way) => way,
            Known::Nothing | Known::Measuring => Way::Ranges(1),
        }
    }

    /// Nobody need find out.
    #[cfg(test)]
    pub(super) fn settle(&self, way: Way) {
        *self.known() = Known::Best(way);
    }

    /// For the one that is to find out, if it is long enough for it.
    pub(super) fn measure(&self, size_bytes: u64) -> Option<Measure> {
        let mut known = self.known();
        if size_bytes < MEASURED_BYTES || *known != Known::Nothing {
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
                *self.known() = Known::Best(best(alone, took));
                *measure = None;
            }
            Some(_) => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn best(alone: Took, together: Took) -> Way {
    let alone_speed = u128::from(alone.bytes) * together.time.as_nanos();
    let speed = u128::from(together.bytes) * alone.time.as_nanos();
    let is_worth = |hundredths| speed.saturating_mul(100) >= alone_speed.saturating_mul(hundredths);
    if is_worth(WORTH_MANY) {
        Way::Ranges(1)
    } else if is_worth(WORTH_SOME) {
        Way::Ranges(2)
    } else {
        Way::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_at_a_time_are_asked_for_where_they_are_worth_it() {
        let took = |mebibytes: u64, milliseconds| Took {
            bytes: mebibytes << 20,
            time: Duration::from_millis(milliseconds),
        };
        // Each connection has its own limit.
        assert_eq!(best(took(16, 160), took(32, 80)), Way::Ranges(1));
        // All have some of it in common, or all of it.
        assert_eq!(best(took(16, 160), took(32, 200)), Way::Ranges(2));
        assert_eq!(best(took(16, 160), took(32, 300)), Way::Whole);
        assert_eq!(best(took(16, 160), took(32, 900)), Way::Whole);
    }

    #[test]
    fn one_finds_out_for_all() {
        let width = Width::default();
        assert!(width.measure(100).is_none(), "too short");
        let mut first = width.measure(1 << 30);
        assert!(first.as_ref().is_some_and(Measure::is_alone));
        assert!(width.measure(1 << 30).is_none() && width.way() == Way::Ranges(1));
        width.received(&mut first, 16 << 20);
        assert!(first.as_ref().is_some_and(|measure| !measure.is_alone()));
        width.received(&mut first, TOGETHER_BYTES);
        assert!(first.is_none() && matches!(*width.known(), Known::Best(_)));
    }
}
