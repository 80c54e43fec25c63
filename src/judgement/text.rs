//! Words that several checks share.

use chrono::TimeDelta;

/// A span of time in the two largest units that matter: `3 d 4 h`, `2 h`, `17 min`, `5 s`.
pub(super) fn span(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().abs();
    let parts = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut words = Vec::new();
    for (size, unit) in parts {
        let count = rest / size;
        rest %= size;
        if count > 0 && words.len() < 2 {
            words.push(format!("{count} {unit}"));
        }
    }
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    }
}

/// The first few of many, and how many more there are. What is not shown is not made.
pub(super) fn first_few(items: impl ExactSizeIterator<Item = String>, few: usize) -> String {
    let more = items.len().saturating_sub(few);
    let shown = items.take(few).collect::<Vec<_>>().join("; ");
    match more {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_keeps_the_two_largest_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (-7_200, "2 h"),
            (90_061, "1 d 1 h"),
            (3_600 + 60, "1 h 1 min"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(span(TimeDelta::seconds(seconds)), expected);
        }
    }
}
