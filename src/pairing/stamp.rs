//! The stamp in a file name: the one fact that both halves of a run carry on the outside.
//!
//! Names are local time of the host without a zone; they are read as UTC, and content corrects them later.

use chrono::{DateTime, NaiveDate, Utc};
use std::path::Path;

/// Mark of a backup that was forced.
const DIRTY: &str = "__POSSIBLY_DIRTY__";

/// Seconds of 2001-09-09 to 2100-01-01: what ten digits can mean as unix seconds.
const UNIX_SECONDS: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

/// When a name says that a backup was taken.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stamp {
    /// The digits, read as UTC.
    pub at: DateTime<Utc>,
    /// The name carries `__POSSIBLY_DIRTY__`.
    pub is_dirty: bool,
}

/// Finds the stamp anywhere in the file name: `YYYY-MM-DD_HHMMSS`, `YYYYMMDD-HHMMSS` or ten digits of unix seconds.
pub fn stamp_of(path: &Path) -> Option<Stamp> {
    let name = path.file_name()?.to_str()?;
    let at = script_stamp(name)
        .or_else(|| raw_stamp(name))
        .or_else(|| unix_stamp(name))?;
    Some(Stamp {
        at,
        is_dirty: name.contains(DIRTY),
    })
}

/// `2024-11-02_030000`, as `cluster-backup.sh` writes it.
fn script_stamp(name: &str) -> Option<DateTime<Utc>> {
    find(name, b"dddd-dd-dd_dddddd").and_then(instant)
}

/// `20241102-030000`, as the `podman-etcd` resource agent writes it.
fn raw_stamp(name: &str) -> Option<DateTime<Utc>> {
    find(name, b"dddddddd-dddddd").and_then(instant)
}

/// `1730516400.db`, as hosted control planes upload it: the digits are the whole stem.
fn unix_stamp(name: &str) -> Option<DateTime<Utc>> {
    let stem = name.split('.').next()?;
    if stem.len() != 10 || !stem.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = stem.parse().ok()?;
    DateTime::from_timestamp(
        Some(seconds).filter(|seconds| UNIX_SECONDS.contains(seconds))?,
        0,
    )
}

/// The first place where `pattern` (`d` stands for a digit) fits and no further digit adjoins.
fn find<'n>(name: &'n str, pattern: &[u8]) -> Option<&'n [u8]> {
    let bytes = name.as_bytes();
    let fits = |window: &[u8]| {
        window
            .iter()
            .zip(pattern)
            .all(|(&byte, &wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let is_digit = |position: Option<usize>| {
        let byte = position.and_then(|position| bytes.get(position));
        byte.is_some_and(u8::is_ascii_digit)
    };
    let mut windows = bytes.windows(pattern.len()).enumerate();
    let (_, found) = windows.find(|(start, window)| {
        fits(window)
            && !is_digit(start.checked_sub(1))
            && !is_digit(start.checked_add(pattern.len()))
    })?;
    Some(found)
}

/// Fourteen digits, in whatever dress, as an instant.
fn instant(dressed: &[u8]) -> Option<DateTime<Utc>> {
    let mut digits = dressed.iter().filter(|byte| byte.is_ascii_digit());
    let mut number = |count: usize| {
        let taken = digits.by_ref().take(count);
        taken.fold(0_u32, |sum, byte| sum * 10 + u32::from(byte - b'0'))
    };
    let (year, month, day) = (number(4), number(2), number(2));
    let (hour, minute, second) = (number(2), number(2), number(2));
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(date.and_hms_opt(hour, minute, second)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamp_is_found_in_the_names_of_every_producer() {
        let cases = [
            (
                "snapshot_2024-11-02_030000.db",
                Some(("2024-11-02T03:00:00Z", false)),
            ),
            (
                "static_kuberesources_2024-11-02_030000__POSSIBLY_DIRTY__.tar.gz",
                Some(("2024-11-02T03:00:00Z", true)),
            ),
            (
                "prod snapshot_2024-11-02_030000 (1).db",
                Some(("2024-11-02T03:00:00Z", false)),
            ),
            (
                "snapshot-20241102-030000.db",
                Some(("2024-11-02T03:00:00Z", false)),
            ),
            ("1730516400.db", Some(("2024-11-02T03:00:00Z", false))),
            ("snapshot.db", None),
            ("snapshot_2024-13-02_030000.db", None),
            ("snapshot_2024-11-02_0300001.db", None),
            ("9999999999.db", None),
        ];
        for (name, expected) in cases {
            let found = stamp_of(Path::new("/b").join(name).as_path());
            let expected = expected.map(|(at, is_dirty)| Stamp {
                at: at.parse().expect("the table holds instants"),
                is_dirty,
            });
            assert_eq!(found, expected, "{name}");
        }
    }
}
