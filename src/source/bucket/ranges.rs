//! Ranges of an object: several on their way at a time, given out in order, each gone on with where it broke off.

use super::super::Pace;
use super::opened::Opened;
use super::pieces::Pieces;
use super::runtime::{self, Pending};
use super::trouble::Trouble;
use super::width::Measure;
use crate::bytes::{to_u64, to_usize};
use futures_util::StreamExt as _;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Ranges are one unit long, or two.
const UNIT_BYTES: u64 = 8 << 20;
/// Units of one object in memory, those that are being given out among them.
const MOST_UNITS: usize = 8;
/// Units of all objects in memory, beyond the one that each reader may always have.
const MOST_SHARED_UNITS: usize = 12;
/// Units that are asked for alone, to see how fast one connection is.
const UNITS_ALONE: u64 = 2;
/// How often in a row a body may end without a single byte.
const MOST_EMPTY_ANSWERS: u32 = 4;

static SHARED_UNITS: AtomicUsize = AtomicUsize::new(0);

/// The bytes at `start`, as many as are wanted. A body that breaks off is gone on with, not begun again.
pub(super) async fn read_range(
    opened: &Opened,
    start: u64,
    length: usize,
) -> Result<Pieces, Trouble> {
    let mut buffer = Pieces::of(length);
    let end = start.saturating_add(to_u64(length));
    let mut empty_answers = 0;
    while buffer.filled() < length {
        let before = buffer.filled();
        let answer = opened
            .get(start.saturating_add(to_u64(before)), end)
            .await?;
        let mut pieces = answer.into_pieces();
        let mut end_of_body = None;
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) if buffer.fill(piece.as_ref()) => {}
                Ok(_) => return Err(Trouble::Lie("more bytes than were asked for".to_owned())),
                Err(error) => {
                    end_of_body = Some(error);
                    break;
                }
            }
        }
        if buffer.filled() > before {
            empty_answers = 0;
        } else if empty_answers < MOST_EMPTY_ANSWERS {
            empty_answers += 1;
        } else {
            return Err(match end_of_body {
                Some(error) => opened.connection.trouble(&error),
                None => Trouble::Lie("bodies without bytes".to_owned()),
            });
        }
    }
    Ok(buffer)
}

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

/// A range on its way.
struct Range {
    bytes: Pending<Result<Pieces, Trouble>>,
    length: u64,
    units: Units,
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

/// Reads an object from its first byte to its last.
pub(super) struct RangeReader {
    opened: Arc<Opened>,
    /// Ranges on their way, in order.
    ranges: VecDeque<Range>,
    /// Where the next range begins.
    next: u64,
    most_units: usize,
    current: Pieces,
    /// Of the range that is being given out.
    units: Units,
    measure: Option<Measure>,
    has_failed: bool,
}

impl RangeReader {
    pub(super) fn new(opened: Arc<Opened>, pace: Pace) -> Self {
        let (most_units, measure) = match pace {
            Pace::Ahead(_) => (
                MOST_UNITS,
                opened.connection.width.measure(opened.size_bytes()),
            ),
            Pace::OneByOne => (1, None),
        };
        Self {
            opened,
            ranges: VecDeque::new(),
            next: 0,
            most_units,
            current: Pieces::default(),
            units: Units::default(),
            measure,
            has_failed: false,
        }
    }

    /// Starts as many ranges as may be on their way.
    fn start(&mut self) -> io::Result<()> {
        let size = self.opened.size_bytes();
        while self.next < size {
            let is_alone = self.measure.as_ref().is_some_and(Measure::is_alone);
            if is_alone && !self.ranges.is_empty() {
                break;
            }
            let wanted = match is_alone {
                true => UNITS_ALONE,
                false => self.opened.connection.width.units(),
            };
            let units = self.take_units(to_usize(wanted));
            if units.count() == 0 {
                break;
            }
            let length = UNIT_BYTES.saturating_mul(to_u64(units.count()));
            let length = length.min(size - self.next);
            let (opened, start) = (Arc::clone(&self.opened), self.next);
            let bytes =
                runtime::start(async move { read_range(&opened, start, to_usize(length)).await })?;
            self.ranges.push_back(Range {
                bytes,
                length,
                units,
            });
            self.next += length;
        }
        Ok(())
    }

    /// As many as are wanted, if they may be in memory beside what is there.
    fn take_units(&self, wanted: usize) -> Units {
        let on_their_way = self.ranges.iter().map(|range| range.units.count());
        let in_memory = self.units.count() + on_their_way.sum::<usize>();
        let wanted = wanted.min(self.most_units.saturating_sub(in_memory));
        let has_free = in_memory == 0 && wanted > 0;
        let permits = (usize::from(has_free)..wanted).map_while(|_| Permit::take());
        Units {
            has_free,
            permits: permits.collect(),
        }
    }

    /// Waits for the next range; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        (self.current, self.units) = (Pieces::default(), Units::default());
        self.start()?;
        let Some(range) = self.ranges.pop_front() else {
            return Ok(false);
        };
        self.units = range.units;
        self.current = range.bytes.wait()??;
        let width = &self.opened.connection.width;
        width.received(&mut self.measure, range.length);
        Ok(true)
    }
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let length = self.current.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            if self.has_failed {
                return Err(io::Error::other("reading failed before"));
            }
            match self.advance() {
                Ok(true) => self.start()?,
                Ok(false) => return Ok(0),
                Err(error) => {
                    self.has_failed = true;
                    return Err(error);
                }
            }
        }
    }
}
