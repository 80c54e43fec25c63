//! Ranges of an object: several on their way at a time, given out in order, each gone on with where it broke off.

use super::super::Pace;
use super::opened::Opened;
use super::runtime::{self, Pending};
use super::trouble::Trouble;
use crate::bytes::{to_u64, to_usize};
use futures_util::StreamExt as _;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a range.
const RANGE_BYTES: u64 = 8 << 20;
/// Ranges of one object in memory, the one that is being given out among them.
const MOST_RANGES: usize = 8;
/// Ranges of all objects in memory, beyond the one that each reader may always have.
const MOST_SHARED_RANGES: usize = 12;
/// How often in a row a body may end without a single byte.
const MOST_EMPTY_ANSWERS: u32 = 4;

static SHARED_RANGES: AtomicUsize = AtomicUsize::new(0);

/// The bytes at `start`, as many as are wanted. A body that breaks off is gone on with, not begun again.
pub(super) async fn read_range(
    opened: &Opened,
    start: u64,
    length: usize,
) -> Result<Vec<u8>, Trouble> {
    let mut buffer = Vec::with_capacity(length);
    let end = start.saturating_add(to_u64(length));
    let mut empty_answers = 0;
    while buffer.len() < length {
        let before = buffer.len();
        let answer = opened
            .get(start.saturating_add(to_u64(before)), end)
            .await?;
        let mut pieces = answer.into_pieces();
        let mut end_of_body = None;
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) if piece.as_ref().len() <= length - buffer.len() => {
                    buffer.extend_from_slice(piece.as_ref());
                }
                Ok(_) => return Err(Trouble::Lie("more bytes than were asked for".to_owned())),
                Err(error) => {
                    end_of_body = Some(error);
                    break;
                }
            }
        }
        if buffer.len() > before {
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

/// A range beyond the first of its reader; given back when dropped.
struct Permit;

impl Permit {
    fn take() -> Option<Self> {
        let take = |taken: usize| (taken < MOST_SHARED_RANGES).then_some(taken + 1);
        let taken = SHARED_RANGES.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        taken.is_ok().then_some(Self)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        SHARED_RANGES.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A range on its way, or being given out. Each reader may have one without a permit.
struct Range {
    bytes: Pending<Result<Vec<u8>, Trouble>>,
    permit: Option<Permit>,
}

/// Reads an object from its first byte to its last.
pub(super) struct RangeReader {
    opened: Arc<Opened>,
    /// Ranges on their way, in order.
    ranges: VecDeque<Range>,
    /// Where the next range begins.
    next: u64,
    most_ranges: usize,
    current: Vec<u8>,
    position: usize,
    /// Of the range that is being given out.
    permit: Option<Permit>,
    has_failed: bool,
}

impl RangeReader {
    pub(super) fn new(opened: Arc<Opened>, pace: Pace) -> Self {
        let most_ranges = match pace {
            Pace::Ahead(_) => MOST_RANGES,
            Pace::OneByOne => 1,
        };
        Self {
            opened,
            ranges: VecDeque::new(),
            next: 0,
            most_ranges,
            current: Vec::new(),
            position: 0,
            permit: None,
            has_failed: false,
        }
    }

    /// Starts as many ranges as may be on their way.
    fn start(&mut self) -> io::Result<()> {
        let size = self.opened.size_bytes();
        while self.next < size {
            let in_memory = self.ranges.len() + usize::from(self.current.capacity() > 0);
            let permit = match in_memory {
                0 => None,
                many if many >= self.most_ranges => break,
                _ => match Permit::take() {
                    Some(permit) => Some(permit),
                    None => break,
                },
            };
            let length = RANGE_BYTES.min(size - self.next);
            let (opened, start) = (Arc::clone(&self.opened), self.next);
            let bytes =
                runtime::start(async move { read_range(&opened, start, to_usize(length)).await })?;
            self.ranges.push_back(Range { bytes, permit });
            self.next += length;
        }
        Ok(())
    }

    /// Waits for the next range; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        (self.current, self.position, self.permit) = (Vec::new(), 0, None);
        self.start()?;
        let Some(range) = self.ranges.pop_front() else {
            return Ok(false);
        };
        self.permit = range.permit;
        self.current = range.bytes.wait()??;
        Ok(true)
    }
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.position == self.current.len() {
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
        let mut rest = self.current.get(self.position..).unwrap_or_default();
        let length = rest.read(buffer)?;
        self.position += length;
        Ok(length)
    }
}
