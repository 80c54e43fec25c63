//! Values as people write them: instants, moments, ages, switches, finding codes.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use etcd_cat::explain::Explanation;
use etcd_cat::finding::Code;
use etcd_cat::oc::ReasonCode;
use etcd_cat::selection::{REASONS, distance};
use std::str::FromStr;

/// Shown where an instant was expected.
const EXAMPLE: &str = "2026-11-02T03:00:00Z";

/// An instant in RFC 3339.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct InstantArg(pub(crate) DateTime<Utc>);

impl FromStr for InstantArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        DateTime::parse_from_rfc3339(text.trim())
            .map(|at| Self(at.to_utc()))
            .map_err(|_| format!("expected an instant such as {EXAMPLE}"))
    }
}

/// An instant, a day, or so long ago.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// That instant; a day is its midnight, UTC.
    At(DateTime<Utc>),
    /// So long before "now".
    Ago(TimeDelta),
}

impl Moment {
    /// The instant, seen from `now`; a moment before all time is the beginning of it.
    pub(crate) fn instant(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now
                .checked_sub_signed(ago)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(InstantArg(at)) = text.parse() {
            return Ok(Self::At(at));
        }
        if let Ok(date) = text.parse::<NaiveDate>() {
            return Ok(Self::At(date.and_time(NaiveTime::MIN).and_utc()));
        }
        let ago = text.strip_suffix("ago").unwrap_or(text);
        duration(ago).map(Self::Ago).map_err(|_| {
            format!("expected an instant ({EXAMPLE}), a day (2026-11-02) or an age (26h, 7d)")
        })
    }
}

/// A length of time such as `26h` or `7d`.
pub(super) fn duration(text: &str) -> Result<TimeDelta, String> {
    let expected = "expected a length of time such as 90m, 26h or 7d (m is minutes, M is months)";
    let text = text.trim();
    // A bare number is a unit forgotten, and seconds are never what was meant.
    let parsed = humantime::parse_duration(text).map_err(|_| expected.to_owned())?;
    TimeDelta::from_std(parsed).map_err(|_| expected.to_owned())
}

/// Where to listen: a port alone is one of this machine.
pub(super) fn listen(text: &str) -> Result<String, String> {
    let expected = "expected HOST:PORT, or PORT for this machine alone, such as 127.0.0.1:9464";
    let text = text.trim();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port),
        None => ("127.0.0.1", text),
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || (host.contains(':') && !is_bracketed) || port.parse::<u16>().is_err() {
        return Err(expected.to_owned());
    }
    Ok(format!("{host}:{port}"))
}

/// A switch as an environment variable says it; empty is off.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" => Ok(true),
        "" | "0" | "false" | "no" | "off" | "n" | "f" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

/// A finding code; the error names those that are spelled nearly so.
pub(super) fn code(text: &str) -> Result<Code, String> {
    let text = text.trim();
    text.parse()
        .map_err(|error: etcd_cat::finding::UnknownCode| {
            let near = near_codes(text);
            if near.is_empty() {
                format!("{error}; `etcd-cat explain` lists them all")
            } else {
                format!("{error}, did you mean {}?", near.join(" or "))
            }
        })
}

/// What can be explained: a finding, a reason of `backup` not to start, a reason against a backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Topic {
    /// A finding; some are reasons of `backup` too.
    Finding(Code),
    /// Why `backup` refuses.
    Refusal(ReasonCode),
    /// Why a backup does not qualify.
    Against(&'static str, &'static Explanation),
}

impl Topic {
    /// All of them: findings first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let findings = Code::ALL.iter().copied().map(Self::Finding);
        let against = REASONS.iter().map(|(code, text)| Self::Against(code, text));
        let is_finding = |code: &ReasonCode| code.as_str().parse::<Code>().is_ok();
        let refusals = ReasonCode::ALL.iter().copied();
        let refusals = refusals.filter(move |code| !is_finding(code));
        findings.chain(against).chain(refusals.map(Self::Refusal))
    }

    /// Its code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Finding(code) => code.as_str(),
            Self::Refusal(code) => code.as_str(),
            Self::Against(code, _) => code,
        }
    }
}

/// Something to explain; the error names what is spelled nearly so.
pub(super) fn topic(text: &str) -> Result<Topic, String> {
    let text = text.trim();
    let found = Topic::all().find(|topic| topic.code() == text);
    found.ok_or_else(|| {
        let near = near(text, Topic::all().map(Topic::code));
        let meant = if near.is_empty() {
            "; `etcd-cat explain` lists all there are".to_owned()
        } else {
            format!(", did you mean {}?", near.join(" or "))
        };
        format!("no finding and no reason has the code {text:?}{meant}")
    })
}

/// At most three codes of findings that `text` may have been meant for, best first.
fn near_codes(text: &str) -> Vec<&'static str> {
    near(text, Code::ALL.iter().map(|code| code.as_str()))
}

/// At most three of `names` that `text` may have been meant for, best first.
fn near(text: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let text = text.to_ascii_lowercase();
    let mut near: Vec<(usize, &'static str)> = names
        .filter_map(|name| {
            let distance = distance(&text, name);
            let is_part = text.len() >= 4 && name.contains(&text);
            let is_near = distance <= 2 || distance * 3 <= name.len();
            (is_part || is_near).then_some((if is_part { 0 } else { distance }, name))
        })
        .collect();
    near.sort_unstable();
    near.truncate(3);
    near.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_a_day_or_an_age() {
        let now = "2026-11-22T12:00:00Z"
            .parse::<InstantArg>()
            .expect("an instant")
            .0;
        for (text, expected) in [
            ("2026-11-22T13:00:00+02:00", "2026-11-22T11:00:00Z"),
            ("2026-11-02", "2026-11-02T00:00:00Z"),
            ("26h", "2026-11-21T10:00:00Z"),
            ("7d", "2026-11-15T12:00:00Z"),
            ("1h 30m ago", "2026-11-22T10:30:00Z"),
        ] {
            let moment: Moment = text.parse().expect(text);
            let found = etcd_cat::instant::rfc3339_seconds(moment.instant(now));
            assert_eq!(found, expected, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "7", "-3h"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_before_all_time_is_the_beginning_of_it() {
        let now = DateTime::UNIX_EPOCH;
        let moment = Moment::Ago(TimeDelta::MAX);
        assert!(moment.instant(now) < now);
    }

    #[test]
    fn near_codes_are_offered_for_a_typing_error() {
        assert_eq!(
            near_codes("digest-mismach").first(),
            Some(&"digest-mismatch")
        );
        assert_eq!(
            near_codes("encryption-key"),
            ["encryption-key-missing", "encryption-key-wrong"]
        );
        assert!(near_codes("zzz").is_empty());
        let error = code("digest-mising").expect_err("a typing error");
        assert!(error.contains("did you mean digest-missing"), "{error}");
    }

    #[test]
    fn a_switch_from_the_environment_may_be_empty() {
        assert_eq!(switch(""), Ok(false));
        assert_eq!(switch("YES"), Ok(true));
        assert!(switch("maybe").is_err());
    }
}
