//! How an instant is kept in a record and told in a text.
//!
//! In a record it is seconds and nanoseconds instead of the text that chrono writes: twenty-odd bytes less and no parsing, some forty times in the facts of one snapshot. Every instant that chrono
//! knows comes back as it was, years before 1 and after 2262 included. Formats that people read keep RFC 3339.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::SystemTime;

/// The instant that the system's clock shows. A clock that was never set may show one before 1970.
pub fn now() -> DateTime<Utc> {
    of_system(SystemTime::now())
}

/// The instant as a part of a file's name, whole seconds: `20261102T030000Z`.
pub fn compact(instant: DateTime<Utc>) -> String {
    instant.format("%Y%m%dT%H%M%SZ").to_string()
}

fn of_system(time: SystemTime) -> DateTime<Utc> {
    let (since, is_before) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (since, false),
        Err(error) => (error.duration(), true),
    };
    let since = TimeDelta::from_std(since).unwrap_or(TimeDelta::MAX);
    let epoch = DateTime::UNIX_EPOCH;
    let instant = if is_before {
        epoch.checked_sub_signed(since)
    } else {
        epoch.checked_add_signed(since)
    };
    instant.unwrap_or(epoch)
}

/// Writes one instant.
///
/// # Errors
///
/// What `serializer` says.
pub fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return instant.serialize(serializer);
    }
    (instant.timestamp(), instant.timestamp_subsec_nanos()).serialize(serializer)
}

/// Reads one instant.
///
/// # Errors
///
/// What `deserializer` says, and numbers that are no instant.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    if deserializer.is_human_readable() {
        return DateTime::deserialize(deserializer);
    }
    let (seconds, nanos) = <(i64, u32)>::deserialize(deserializer)?;
    DateTime::from_timestamp(seconds, nanos)
        .ok_or_else(|| D::Error::custom(format!("{seconds} s and {nanos} ns are no instant")))
}

/// The same for an instant that may be absent: `#[serde(with = "crate::instant::option")]`.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serialize, Serializer, Utc};

    #[derive(Deserialize, Serialize)]
    struct Instant(#[serde(with = "super")] DateTime<Utc>);

    /// Writes an instant or its absence.
    ///
    /// # Errors
    ///
    /// What `serializer` says.
    pub fn serialize<S: Serializer>(
        instant: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        instant.map(Instant).serialize(serializer)
    }

    /// Reads an instant or its absence.
    ///
    /// # Errors
    ///
    /// What `deserializer` says, and numbers that are no instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::<Instant>::deserialize(deserializer)?.map(|Instant(instant)| instant))
    }
}

/// An instant in RFC 3339, UTC, whole seconds: how every text names it.
pub fn rfc3339_seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Deserialize, Serialize, Utc};

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Moments {
        #[serde(with = "super")]
        certain: DateTime<Utc>,
        #[serde(with = "super::option")]
        possible: Option<DateTime<Utc>>,
    }

    #[test]
    fn a_clock_before_1970_is_no_panic() {
        let shown = |time| crate::instant::rfc3339_seconds(super::of_system(time));
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let day = std::time::Duration::from_secs(86_400);
        assert_eq!(shown(epoch - day), "1969-12-31T00:00:00Z");
        assert_eq!(shown(epoch + day), "1970-01-02T00:00:00Z");
        assert!(!shown(epoch - day * 36_500_000).is_empty());
    }

    #[test]
    fn every_instant_comes_back_as_it_was() {
        let rows = [
            "2024-11-02T03:00:07.123456789Z",
            "0001-01-01T00:00:00Z", // what Go writes for no time
            "9999-12-31T23:59:59Z", // certificates without an end
            "1969-12-31T23:59:59.5Z",
        ];
        for row in rows {
            let certain = row.parse().expect(row);
            for possible in [None, Some(certain)] {
                let moments = Moments { certain, possible };
                let bytes = postcard::to_stdvec(&moments).expect(row);
                assert_eq!(postcard::from_bytes(&bytes), Ok(moments), "{row}");
            }
        }
    }

    #[test]
    fn numbers_that_are_no_instant_are_refused() {
        let bytes = postcard::to_stdvec(&(i64::MAX, 0u32, false)).expect("plain numbers encode");
        assert!(postcard::from_bytes::<Moments>(&bytes).is_err());
    }

    #[test]
    fn formats_that_people_read_keep_rfc_3339() {
        let moments = Moments {
            certain: DateTime::UNIX_EPOCH,
            possible: None,
        };
        let text = serde_json::to_string(&moments).expect("plain struct");
        assert_eq!(
            text,
            r#"{"certain":"1970-01-01T00:00:00Z","possible":null}"#
        );
        assert_eq!(serde_json::from_str::<Moments>(&text).ok(), Some(moments));
    }
}
