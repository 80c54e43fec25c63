//! The moment that a file or directory name carries.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use memchr::memchr_iter;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

/// Length of `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;
/// Length of `YYYY-MM-DD_HHMMSS`.
const STAMP_BYTES: usize = 17;
/// Length of `YYYYMMDD-HHMMSS`.
const DASHED_BYTES: usize = 15;
/// What stands before it.
const DASHED_WORD: &[u8] = b"snapshot-";
/// Length of Unix seconds.
const SECONDS_BYTES: usize = 10;

/// When a backup says, by its name, that it was taken; displays as `YYYY-MM-DD_HHMMSS`.
///
/// Names carry the local time of the host that wrote them and no zone. Hosts of a cluster run in UTC unless somebody
/// changed that, so UTC is what is assumed here; the content of the snapshot corrects it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Stamp(DateTime<Utc>);

impl Stamp {
    /// The stamp for an instant; fractions of a second are dropped, as no name can carry them.
    pub(crate) fn from_instant(at: DateTime<Utc>) -> Option<Self> {
        DateTime::from_timestamp(at.timestamp(), 0).map(Self)
    }

    /// The instant, taken as UTC.
    pub(crate) fn at(self) -> DateTime<Utc> {
        self.0
    }

    /// Finds the stamp in a file or directory name, renamed or not; `None` when there is none or its date is invalid.
    ///
    /// Of several stamps the one right behind `snapshot_` or `kuberesources_` counts, else the first: others were
    /// added by whoever copied the file.
    pub(crate) fn find(name: &OsStr) -> Option<Self> {
        let name = name.as_bytes();
        let mut first = None;
        // Each has an underscore between date and time: names are read by the hundred thousand.
        let starts = memchr_iter(b'_', name).filter_map(|end| end.checked_sub(DATE_BYTES));
        for start in starts {
            let found = underscored_at(name, start);
            if found.is_some() && follows_word(name, start) {
                return found;
            }
            first = first.or(found);
        }
        first
            .or_else(|| memchr_iter(b'-', name).find_map(|dash| dashed_at(name, dash + 1)))
            .or_else(|| unix_seconds(name))
    }

    /// What follows the stamp that a name begins with; `None` when it begins with none.
    pub(super) fn skip(name: &[u8]) -> Option<&[u8]> {
        underscored_at(name, 0)?;
        name.get(STAMP_BYTES..)
    }

    /// True for exactly what is written by the resource agent of two-node clusters, or for hosted control planes.
    pub(super) fn is_dashed_or_seconds(name: &[u8]) -> bool {
        let Some(stem) = name.strip_suffix(b".db") else {
            return false;
        };
        let start = stem.len().checked_sub(DASHED_BYTES);
        let is_dashed = |start| start == DASHED_WORD.len() && dashed_at(name, start).is_some();
        start.is_some_and(is_dashed)
            || (stem.len() == SECONDS_BYTES && unix_seconds(name).is_some())
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d_%H%M%S"))
    }
}

fn follows_word(name: &[u8], start: usize) -> bool {
    let before = name.get(..start).unwrap_or_default();
    before.ends_with(b"snapshot_") || before.ends_with(b"kuberesources_")
}

/// `YYYY-MM-DD_HHMMSS`: `date "+%F_%H%M%S"` of cluster-backup.sh, `2006-01-02_150405` of the operator.
fn underscored_at(name: &[u8], start: usize) -> Option<Stamp> {
    let text = delimited(name, start, STAMP_BYTES)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'_', time @ ..] = text else {
        return None;
    };
    stamp(&[*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2], time)
}

/// `snapshot-YYYYMMDD-HHMMSS`: the podman-etcd resource agent of two-node clusters.
///
/// Only behind its own word: fourteen digits with a dash are common elsewhere.
fn dashed_at(name: &[u8], start: usize) -> Option<Stamp> {
    let text = delimited(name, start, DASHED_BYTES)?;
    let (date, rest) = text.split_first_chunk::<8>()?;
    let (b'-', time) = rest.split_first()? else {
        return None;
    };
    let is_snapshot = name.get(..start)?.ends_with(DASHED_WORD);
    is_snapshot.then(|| stamp(date, time))?
}

/// `<unix seconds>.db`: objects written for hosted control planes. Ten digits last from 2001 to 2286.
fn unix_seconds(name: &[u8]) -> Option<Stamp> {
    let (digits, rest) = name.split_first_chunk::<SECONDS_BYTES>()?;
    let is_seconds = rest.starts_with(b".db") && digits.first() != Some(&b'0');
    let seconds = i64::from(number(digits).filter(|_| is_seconds)?);
    DateTime::from_timestamp(seconds, 0).map(Stamp)
}

/// The `length` bytes at `start`, unless a digit stands right before or behind them.
fn delimited(name: &[u8], start: usize, length: usize) -> Option<&[u8]> {
    let end = start.checked_add(length)?;
    let text = name.get(start..end)?;
    let before = start.checked_sub(1).and_then(|index| name.get(index));
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    (!is_digit(before) && !is_digit(name.get(end))).then_some(text)
}

fn stamp(date: &[u8; 8], time: &[u8]) -> Option<Stamp> {
    let (year, month_day) = date.split_first_chunk::<4>()?;
    let (month, day) = month_day.split_first_chunk::<2>()?;
    let (hour, minute_second) = time.split_first_chunk::<2>()?;
    let (minute, second) = minute_second.split_first_chunk::<2>()?;
    let year = i32::try_from(number(year)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(month)?, number(day)?)?;
    let time = NaiveTime::from_hms_opt(number(hour)?, number(minute)?, number(second)?)?;
    Some(Stamp(NaiveDateTime::new(date, time).and_utc()))
}

/// Up to ten ASCII digits as a number; `None` for anything else.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |sum, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        sum.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Looks for a stamp at every place of a name, once for each form.
    fn find_everywhere(name: &[u8]) -> Option<Stamp> {
        let mut starts = (0..name.len()).filter(|start| follows_word(name, *start));
        let after_word = starts.find_map(|start| underscored_at(name, start));
        after_word
            .or_else(|| (0..name.len()).find_map(|start| underscored_at(name, start)))
            .or_else(|| (0..name.len()).find_map(|start| dashed_at(name, start)))
            .or_else(|| unix_seconds(name))
    }

    proptest! {
        #[test]
        fn the_first_of_the_best_form_counts(
            parts in proptest::collection::vec(
                prop_oneof![
                    "(snapshot|kuberesources)?[_-]?",
                    "202[0-9]-[01][0-9]-[0-3][0-9]_[0-2][0-9]00[0-9]{2}",
                    "202[0-9][01][0-9][0-3][0-9]-[0-2][0-9]0000",
                    "1[0-9]{9}",
                    "[_.0-9a-z-]{0,3}",
                    Just(".db".to_owned()),
                ],
                0..7,
            ),
        ) {
            let name = parts.concat();
            let found = Stamp::find(OsStr::new(&name));
            prop_assert_eq!(found, find_everywhere(name.as_bytes()), "{}", name);
        }
    }

    #[test]
    fn a_stamp_is_found_wherever_it_stands() {
        let rows = [
            ("snapshot_2024-11-02_030000.db", "2024-11-02_030000"),
            ("prod-snapshot_2024-11-02_030000.db", "2024-11-02_030000"),
            ("snapshot_2024-11-02_030000 (1).db", "2024-11-02_030000"),
            (
                "static_kuberesources_2024-11-02_030000_copy.tar.gz",
                "2024-11-02_030000",
            ),
            (
                "2024-11-03_010000_snapshot_2024-11-02_030000.db",
                "2024-11-02_030000",
            ),
            (
                "snapshot_2024-11-02_030000_of_2024-11-03_010000.db",
                "2024-11-02_030000",
            ),
            (
                "upgrade-backup-4.12.3-2024-02-29_235959",
                "2024-02-29_235959",
            ),
            ("2024-11-02_030000", "2024-11-02_030000"),
            ("snapshot-20240229-120001.db", "2024-02-29_120001"),
            ("1730516400.db", "2024-11-02_030000"),
            ("snapshot_2024-11-02_030000.db.bak", "2024-11-02_030000"),
        ];
        for (name, expected) in rows {
            let found = Stamp::find(OsStr::new(name)).map(|stamp| stamp.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_is_no_date_is_no_stamp() {
        let rows = [
            "",
            "snapshot.db",
            "snapshot_2023-02-29_030000.db",
            "snapshot_2024-13-02_030000.db",
            "snapshot_2024-11-02_240000.db",
            "snapshot_2024-11-02_030060.db",
            "snapshot_12024-11-02_030000.db",
            "snapshot_2024-11-02_0300001.db",
            "snapshot_2024-11-02-030000.db",
            "other-20240229-120001.db",
            "0730516400.db",
            "17305164000.db",
            "9999999999.db",
            "2024-11-02",
        ];
        for name in rows {
            assert_eq!(Stamp::find(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn names_that_are_no_text_are_searched_too() {
        let name = OsStr::from_bytes(b"\xff\n2024-11-02_030000\xfe.db");
        assert!(Stamp::find(name).is_some());
    }
}
