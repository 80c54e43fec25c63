//! The ranges of an object: several on their way at a time, given out in order; or one from here to its end, where several at a
//! time bring nothing.

use super::super::Pace;
use super::opened::Opened;
use super::range::Range;
use super::width::{Measure, Way};
use crate::bytes::to_u64;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is counted where memory is shared out. A range that is not the rest of its object is one unit long, or two.
const UNIT_BYTES: u64 = 8 << 20;
/// Of a unit, that may wait until its turn comes. What is sent beyond that waits on its way: most of it is there by then.
const UNIT_AHEAD_BYTES: u64 = 6 << 20;
/// Units of one object in memory, those that are being given out among them.
const MOST_UNITS: usize = 8;
/// Units of all objects in memory, beyond the one that each reader may always have.
const MOST_SHARED_UNITS: usize = 12;
/// Units that are asked for alone, to see how fast one connection is.
const UNITS_ALONE: usize = 2;
/// Units that are asked for together, to see how fast several are.
const UNITS_TOGETHER: usize = 4;

static SHARED_UNITS: AtomicUsize = AtomicUsize::new(0);

/// A unit beyond the first of its reader; given back when dropped.
struct Permit;

impl Permit {
    fn take() -> Option<Self> {
        let take = |taken: usize| (taken < MOST_SHARED_UNITS).then_some(taken + 1);
        let taken = SHARED_UNITS.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        taken.is_ok().then_some(Self)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        SHARED_UNITS.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The units of a range. Each reader may have one without a permit.
#[derive(Default)]
struct Units {
    has_free: bool,
    permits: Vec<Permit>,
}

impl Units {
    fn count(&self) -> usize {
        self.permits.len() + usize::from(self.has_free)
    }
}

/// What is asked for next.
struct Plan {
    units: usize,
    /// In memory with it.
    most_units: usize,
    /// No more than its units are in memory at a time, but it is the rest of the object.
    is_rest: bool,
}

/// Reads an object from its first byte to its last.
pub(super) struct RangeReader {
    opened: Arc<Opened>,
    /// Ranges on their way, in order; the first one is being given out.
    ranges: VecDeque<(Range, Units)>,
    /// Where the next range begins.
    next: u64,
    pace: Pace,
    measure: Option<Measure>,
    has_failed: bool,
}

impl RangeReader {
    pub(super) fn new(opened: Arc<Opened>, pace: Pace) -> Self {
        let measure = match pace {
            Pace::Ahead(_) => opened.connection.width.measure(opened.size_bytes()),
            Pace::OneByOne => None,
        };
        Self {
            opened,
            ranges: VecDeque::new(),
            next: 0,
            pace,
            measure,
            has_failed: false,
        }
    }

    fn plan(&self) -> Plan {
        let (units, most_units) = match &self.measure {
            Some(measure) if measure.is_alone() => (UNITS_ALONE, UNITS_ALONE),
            Some(_) => (1, UNITS_TOGETHER),
            None => match self.opened.connection.width.way() {
                Way::Ranges(units) if self.pace != Pace::OneByOne => (units, MOST_UNITS),
                _ => {
                    return Plan {
                        units: 1,
                        most_units: MOST_UNITS,
                        is_rest: true,
                    };
                }
            },
        };
        Plan {
            units,
            most_units,
            is_rest: false,
        }
    }

    /// Starts as many ranges as may be on their way.
    fn start(&mut self) -> io::Result<()> {
        loop {
            let rest = self.opened.size_bytes().saturating_sub(self.next);
            let plan = self.plan();
            let units = match rest {
                0 => return Ok(()),
                _ => self.take_units(plan.units, plan.most_units),
            };
            if units.count() == 0 {
                return Ok(());
            }
            let count = to_u64(units.count());
            let length = match plan.is_rest {
                true => rest,
                false => rest.min(UNIT_BYTES.saturating_mul(count)),
            };
            let most_ahead = UNIT_AHEAD_BYTES.saturating_mul(count);
            let range = Range::start(Arc::clone(&self.opened), self.next, length, most_ahead)?;
            self.ranges.push_back((range, units));
            self.next = self.next.saturating_add(length);
        }
    }

    /// As many as are wanted, if they may be in memory beside what is there.
    fn take_units(&self, wanted: usize, most_units: usize) -> Units {
        let on_their_way = self.ranges.iter().map(|(_, units)| units.count());
        let in_memory = on_their_way.sum::<usize>();
        let wanted = wanted.min(most_units.saturating_sub(in_memory));
        let has_free = in_memory == 0 && wanted > 0;
        let permits = (usize::from(has_free)..wanted).map_while(|_| Permit::take());
        Units {
            has_free,
            permits: permits.collect(),
        }
    }

    /// What there is of the first range; none at the end of the object.
    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.start()?;
            let Some((range, _)) = self.ranges.front_mut() else {
                return Ok(0);
            };
            let length = range.read(buffer)?;
            if range.is_over() {
                let bytes = range.length();
                self.ranges.pop_front();
                let width = &self.opened.connection.width;
                width.received(&mut self.measure, bytes);
            }
            if length > 0 {
                return Ok(length);
            }
        }
    }
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.has_failed {
            return Err(io::Error::other("reading failed before"));
        }
        let read = self.read_on(buffer);
        self.has_failed = read.is_err();
        read
    }
}
