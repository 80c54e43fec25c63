//! What answers say of how an object is kept: its version, and what locks it.
//!
//! It is told beside the bytes, so it is kept here until whoever reads the object asks for it.

use super::super::{Custody, ObjectLock};
use super::trouble::is_word;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Objects of which that is kept: more than are ever read at a time.
const AT_A_TIME: usize = 1024;
/// No store gives longer names to versions.
const LONGEST_VERSION: usize = 1024;

/// The headers that say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct CustodyHeaders {
    pub(super) version: &'static str,
    pub(super) mode: &'static str,
    pub(super) until: &'static str,
    /// Google tells of holds in its JSON API alone.
    pub(super) hold: Option<&'static str>,
}

/// What was said of the objects that were asked for last.
#[derive(Debug, Default)]
pub(super) struct Keeping(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_key: BTreeMap<String, Custody>,
    /// The one that was told first is dropped first.
    order: VecDeque<String>,
}

impl Keeping {
    /// Takes what an answer says of an object.
    pub(super) fn hear<'a>(
        &self,
        key: &str,
        headers: CustodyHeaders,
        header: impl Fn(&str) -> Option<&'a str>,
    ) {
        self.tell(key, custody(headers, &header));
    }

    /// What was said of an object; `None` where that was nothing, or long ago.
    pub(super) fn of(&self, key: &str) -> Option<Custody> {
        self.kept().by_key.get(key).cloned()
    }

    fn tell(&self, key: &str, said: Option<Custody>) {
        let mut kept = self.kept();
        let Some(said) = said else {
            if kept.by_key.remove(key).is_some() {
                kept.order.retain(|one| one != key);
            }
            return;
        };
        if kept.by_key.insert(key.to_owned(), said).is_none() {
            kept.order.push_back(key.to_owned());
        }
        if kept.order.len() > AT_A_TIME
            && let Some(first) = kept.order.pop_front()
        {
            kept.by_key.remove(&first);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn custody<'a>(
    headers: CustodyHeaders,
    header: &dyn Fn(&str) -> Option<&'a str>,
) -> Option<Custody> {
    let mode = header(headers.mode).filter(|mode| is_word(mode));
    let until = header(headers.until).and_then(instant);
    let hold = headers.hold.and_then(header).unwrap_or_default();
    let said = Custody {
        version: header(headers.version)
            .filter(|version| is_version(version))
            .map(Into::into),
        lock: mode.zip(until).map(|(mode, until)| ObjectLock {
            mode: mode.into(),
            until,
        }),
        has_legal_hold: hold.eq_ignore_ascii_case("on") || hold.eq_ignore_ascii_case("true"),
        clock_ahead_seconds: None,
    };
    said.filled()
}

/// `null` is what a bucket says that keeps no versions.
fn is_version(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain && (1..=LONGEST_VERSION).contains(&text.len()) && text != "null"
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let parsed = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    Some(parsed.ok()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S3: CustodyHeaders = CustodyHeaders {
        version: "v",
        mode: "m",
        until: "u",
        hold: Some("h"),
    };

    fn said(rows: &[(&str, &'static str)]) -> Option<Custody> {
        custody(S3, &|name| {
            let found = rows.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value)
        })
    }

    #[test]
    fn what_is_said_of_an_object_is_taken_as_it_is_written() {
        let expected = Custody {
            version: Some("3/L4kqtJlcpXroDTDmJ".into()),
            lock: Some(ObjectLock {
                mode: "COMPLIANCE".into(),
                until: DateTime::from_timestamp(1_798_761_600, 0).unwrap_or_default(),
            }),
            has_legal_hold: true,
            clock_ahead_seconds: None,
        };
        for (until, hold) in [
            ("2027-01-01T00:00:00.000Z", "ON"),
            ("Fri, 01 Jan 2027 00:00:00 GMT", "true"),
        ] {
            let told = said(&[
                ("v", "3/L4kqtJlcpXroDTDmJ"),
                ("m", "COMPLIANCE"),
                ("u", until),
                ("h", hold),
            ]);
            assert_eq!(told.as_ref(), Some(&expected));
        }
    }

    #[test]
    fn what_says_nothing_or_cannot_be_is_nothing() {
        for rows in [
            &[("v", "null"), ("h", "OFF")][..],
            &[("v", "a b"), ("h", "false")],
            &[("m", "COMPLIANCE")],
            &[("m", "COMPLIANCE"), ("u", "some day")],
            &[("m", "\u{1b}[31m"), ("u", "2027-01-01T00:00:00Z")],
            &[],
        ] {
            assert_eq!(said(rows), None, "{rows:?}");
        }
    }

    #[test]
    fn only_what_was_asked_for_last_is_kept() {
        let keeping = Keeping::default();
        let version = |number: usize| Custody {
            version: Some(number.to_string().into()),
            ..Custody::default()
        };
        for number in 0..=AT_A_TIME {
            keeping.tell(&number.to_string(), Some(version(number)));
        }
        assert_eq!(keeping.of("0"), None);
        assert_eq!(keeping.of("1"), Some(version(1)));
        // Told again, it is no further one.
        keeping.tell("1", Some(version(7)));
        assert_eq!(keeping.of("1"), Some(version(7)));
        assert_eq!(keeping.of("2"), Some(version(2)));
        keeping.tell("1", None);
        assert_eq!(keeping.of("1"), None);
        keeping.tell("new", Some(version(8)));
        assert_eq!(keeping.of("2"), Some(version(2)));
    }
}
