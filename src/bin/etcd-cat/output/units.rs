//! Sizes, ages and instants for people.

use chrono::{DateTime, TimeDelta, Utc};

/// An age as `oc get` shows it: two units, or one where the second tells nothing. Never negative: where something is of
/// the future, a clock is ahead.
pub(crate) fn age(age: TimeDelta) -> String {
    let age = age.max(TimeDelta::zero());
    let seconds = age.num_seconds();
    let (minutes, hours, days) = (age.num_minutes(), age.num_hours(), age.num_days());
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{small_unit}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () => two(days / 365, "y", days % 365, "d"),
    }
}

/// An instant to the minute, UTC: `2024-11-09 03:14`.
pub(crate) fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// A stretch of time in the one unit that tells it: `45 min`, `20 h`, `3 days`.
pub(crate) fn span(span: TimeDelta) -> String {
    let (minutes, hours, days) = (span.num_minutes(), span.num_hours(), span.num_days());
    match () {
        () if minutes < 120 => format!("{minutes} min"),
        () if hours < 72 => format!("{hours} h"),
        () => format!("{days} days"),
    }
}

/// A size in binary units with one decimal: `109.1 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // In tenths of the unit, so that no float is needed.
    let mut tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024;
    let mut name = "KiB";
    for unit in UNITS.iter().skip(1) {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        name = unit;
    }
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_in_oc() {
        for (seconds, expected) in [
            (0, "0s"),
            (119, "119s"),
            (130, "2m10s"),
            (540, "9m"),
            (3_600, "60m"),
            (12_000, "3h20m"),
            (100_000, "27h"),
            (273_600, "3d4h"),
            (3_456_000, "40d"),
            (99_999_999, "3y62d"),
            (-90, "0s"),
        ] {
            assert_eq!(age(TimeDelta::seconds(seconds)), expected);
        }
        assert_eq!(age(TimeDelta::MIN), age(TimeDelta::MIN));
    }

    #[test]
    fn stretches_have_one_unit_and_instants_no_seconds() {
        for (minutes, expected) in [
            (0, "0 min"),
            (119, "119 min"),
            (120, "2 h"),
            (20 * 60 + 59, "20 h"),
            (72 * 60, "3 days"),
        ] {
            assert_eq!(span(TimeDelta::minutes(minutes)), expected);
        }
        let at = "2024-11-09T03:14:07Z".parse().expect("an instant");
        assert_eq!(minute(at), "2024-11-09 03:14");
    }

    #[test]
    fn sizes_are_binary() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (114_446_368, "109.1 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
