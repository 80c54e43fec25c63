//! Hours of the day in which no backup is to start: `--not-during 08:00-18:00`.

use chrono::{DateTime, FixedOffset, Local, NaiveTime, Timelike as _, Utc};
use std::fmt;
use std::str::FromStr;

const MINUTES_PER_DAY: u32 = 24 * 60;

/// Hours of every day, from a minute (included) to a minute (excluded); may run across midnight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    from_minute: u32,
    until_minute: u32,
    zone: Zone,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Zone {
    Fixed(FixedOffset),
    Local,
}

/// Text that is no window.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// Another shape.
    #[error(
        "hours are {0:?}, expected HH:MM-HH:MM, for UTC, or followed by an offset such as +02:00 or by `local`"
    )]
    Shape(String),
    /// Begins where it ends: nothing or everything.
    #[error("hours are {0:?}, expected an end that differs from the beginning")]
    Empty(String),
}

impl Window {
    /// True when the instant lies inside the hours.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        let time = match self.zone {
            Zone::Fixed(offset) => at.with_timezone(&offset).time(),
            Zone::Local => at.with_timezone(&Local).time(),
        };
        let minute = time.hour() * 60 + time.minute();
        if self.from_minute < self.until_minute {
            (self.from_minute..self.until_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.until_minute
        }
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let shape = || WindowError::Shape(text.to_owned());
        let (from, rest) = text.trim().split_once('-').ok_or_else(shape)?;
        let (until, zone) = rest.split_at_checked(5).ok_or_else(shape)?;
        let window = Self {
            from_minute: parse_minute(from).ok_or_else(shape)?,
            until_minute: parse_minute(until).ok_or_else(shape)?,
            zone: parse_zone(zone.trim()).ok_or_else(shape)?,
        };
        if window.from_minute % MINUTES_PER_DAY == window.until_minute % MINUTES_PER_DAY {
            return Err(WindowError::Empty(text.to_owned()));
        }
        Ok(window)
    }
}

fn parse_minute(text: &str) -> Option<u32> {
    if text == "24:00" {
        return Some(MINUTES_PER_DAY);
    }
    let has_two_digits = text.len() == 5;
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
    has_two_digits.then(|| time.hour() * 60 + time.minute())
}

fn parse_zone(text: &str) -> Option<Zone> {
    match text {
        "" | "Z" | "UTC" => FixedOffset::east_opt(0).map(Zone::Fixed),
        "local" => Some(Zone::Local),
        offset => offset.parse().ok().map(Zone::Fixed),
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.from_minute, self.until_minute];
        let (from_hour, from_minute) = (from / 60, from % 60);
        let (until_hour, until_minute) = (until / 60, until % 60);
        write!(
            f,
            "{from_hour:02}:{from_minute:02}-{until_hour:02}:{until_minute:02}"
        )?;
        match self.zone {
            Zone::Fixed(offset) if offset.local_minus_utc() == 0 => f.write_str(" UTC"),
            Zone::Fixed(offset) => write!(f, " {offset}"),
            Zone::Local => f.write_str(" local"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    const ROWS: [(&str, &str, bool); 12] = [
        ("08:00-18:00", "2024-11-02T08:00:00Z", true),
        ("08:00-18:00", "2024-11-02T07:59:59Z", false),
        ("08:00-18:00", "2024-11-02T17:59:59Z", true),
        ("08:00-18:00", "2024-11-02T18:00:00Z", false),
        ("22:00-06:00", "2024-11-02T23:30:00Z", true),
        ("22:00-06:00", "2024-11-02T05:59:00Z", true),
        ("22:00-06:00", "2024-11-02T06:00:00Z", false),
        ("22:00-24:00", "2024-11-02T23:59:59Z", true),
        ("22:00-24:00", "2024-11-02T00:00:00Z", false),
        ("08:00-18:00+02:00", "2024-11-02T06:00:00Z", true),
        ("08:00-18:00+02:00", "2024-11-02T16:00:00Z", false),
        ("08:00-18:00 -05:00", "2024-11-02T13:00:00Z", true),
    ];

    #[test]
    fn hours_hold_their_beginning_and_not_their_end() -> Result<(), Box<dyn Error>> {
        for (window, at, expected) in ROWS {
            let found = window.parse::<Window>()?.contains(at.parse()?);
            assert_eq!(found, expected, "{window} at {at}");
        }
        Ok(())
    }

    #[test]
    fn text_that_is_no_window_is_refused() {
        for text in [
            "",
            "8-18",
            "08:00",
            "08:00-18:00 CEST",
            "25:00-26:00",
            "8:00-18:00",
            "\u{e4}\u{e4}-\u{e4}",
        ] {
            assert!(
                matches!(text.parse::<Window>(), Err(WindowError::Shape(_))),
                "{text}"
            );
        }
        for text in ["08:00-08:00", "00:00-24:00"] {
            assert!(
                matches!(text.parse::<Window>(), Err(WindowError::Empty(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_window_shows_its_zone() -> Result<(), Box<dyn Error>> {
        assert_eq!(
            "22:00-06:00Z".parse::<Window>()?.to_string(),
            "22:00-06:00 UTC"
        );
        assert_eq!(
            "22:00-06:00+02:00".parse::<Window>()?.to_string(),
            "22:00-06:00 +02:00"
        );
        assert_eq!(
            "22:00-06:00 local".parse::<Window>()?.to_string(),
            "22:00-06:00 local"
        );
        Ok(())
    }
}
