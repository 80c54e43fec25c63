//! Sizes, ages and instants for people.

use chrono::TimeDelta;

/// An age as `oc get` shows it: two units, or one where the second tells nothing.
pub(crate) fn age(age: TimeDelta) -> String {
    if age < TimeDelta::zero() {
        let ahead = TimeDelta::zero()
            .checked_sub(&age)
            .unwrap_or(TimeDelta::MAX);
        return format!("-{}", self::age(ahead));
    }
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

/// A size in binary units with one decimal: `109.1 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // In tenths of the unit, so that no float is needed.
    let mut tenths = u128::from(bytes) * 10 / 1024;
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
            (-90, "-90s"),
        ] {
            assert_eq!(age(TimeDelta::seconds(seconds)), expected);
        }
        assert_eq!(age(TimeDelta::MIN), age(TimeDelta::MIN));
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
