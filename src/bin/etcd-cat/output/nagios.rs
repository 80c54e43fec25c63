//! One line for Nagios and its like: the state, what it comes from, and the numbers behind the bar.

use super::list::age_of;
use super::text::safe;
use super::units::age;
use super::{Style, clusters as cluster_list};
use chrono::TimeDelta;
use etcd_cat::backup::Verdict;
use etcd_cat::clusters::{ClusterStanding, ClusterState};
use etcd_cat::restore::RestoreCheck;
use etcd_cat::selection::Candidate;

/// Clusters named on the line.
const NAMED: usize = 5;

/// What the line begins with, and how the program ends.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum State {
    /// 0
    Ok,
    /// 1
    Warning,
    /// 2
    Critical,
    /// 3: the question could not be asked.
    Unknown,
}

/// How old the newest usable backup may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Thresholds {
    /// From here on it is a warning.
    pub(crate) warning: TimeDelta,
    /// From here on it is critical.
    pub(crate) critical: TimeDelta,
}

impl Thresholds {
    fn of(self, age: Option<TimeDelta>) -> State {
        match age {
            Some(age) if age <= self.warning => State::Ok,
            Some(age) if age <= self.critical => State::Warning,
            // Of an age that nobody knows nothing good can be said.
            _ => State::Critical,
        }
    }

    /// `value;warning;critical;minimum`
    fn performance(self, label: &str, age: Option<TimeDelta>) -> String {
        let (warning, critical) = (self.warning.num_seconds(), self.critical.num_seconds());
        let value = age.map_or_else(|| "U".to_owned(), |age| format!("{}s", age.num_seconds()));
        format!("{label}={value};{warning};{critical};0")
    }
}

/// A state and its line, with the final newline.
pub(crate) type Line = (State, String);

/// The line of something that could not be asked.
pub(crate) fn unknown(why: &str) -> String {
    line(State::Unknown, why, &[]).1
}

/// Is there a backup that will work?
pub(crate) fn check(check: &RestoreCheck, thresholds: Thresholds, style: &Style) -> Line {
    let target = match &check.cluster {
        Some(cluster) => format!("{} of {cluster}", check.version),
        None => check.version.to_string(),
    };
    let Some(chosen) = &check.chosen else {
        let looked_at = check.candidates.len();
        let text = format!("none of {looked_at} backups restores {target}");
        let numbers = [thresholds.performance("age", None), backups(0)];
        return line(State::Critical, &text, &numbers);
    };
    let backup = &chosen.backup;
    let is_warning = backup.verdict == Verdict::Warning;
    let state = thresholds.of(age_at(backup, style));
    let state = state.max(if is_warning {
        State::Warning
    } else {
        State::Ok
    });
    let id = backup.id().unwrap_or_default();
    let mut text = format!(
        "newest usable {} of {target}, {id} {}",
        age_of(backup, style),
        backup.verdict.as_str()
    );
    if is_warning {
        let mut codes: Vec<&str> = backup
            .findings
            .iter()
            .filter(|one| one.severity == etcd_cat::finding::Severity::Warning)
            .map(|one| one.code.as_str())
            .collect();
        codes.dedup();
        text.push_str(&format!(" ({})", codes.join(", ")));
    }
    let size = backup.snapshot.as_ref().map(|half| half.facts.size_bytes);
    let mut numbers = vec![thresholds.performance("age", age_at(backup, style))];
    numbers.extend(size.map(|bytes| format!("size={bytes}B;;;0")));
    numbers.push(backups(check.alternatives().len().saturating_add(1)));
    line(state, &text, &numbers)
}

/// At least one is to qualify.
fn backups(count: usize) -> String {
    format!("backups={count};;1:;0")
}

/// Has each cluster one?
pub(crate) fn clusters<B: Candidate>(
    standings: &[ClusterStanding<'_, B>],
    thresholds: Thresholds,
    style: &Style,
) -> Line {
    let age = |one: &ClusterStanding<'_, B>| one.newest_usable.and_then(|one| age_at(one, style));
    let state = |one: &ClusterStanding<'_, B>| match one.state {
        ClusterState::NoUsable | ClusterState::NoneForVersion => State::Critical,
        ClusterState::Overdue => thresholds.of(age(one)).max(State::Warning),
        ClusterState::Ok => thresholds.of(age(one)),
    };
    let states: Vec<State> = standings.iter().map(state).collect();
    let count = |wanted: State| states.iter().filter(|state| **state == wanted).count();
    let whole = states.iter().copied().max().unwrap_or(State::Critical);
    let oldest = standings.iter().filter_map(age).max();
    let text = match (standings.len(), whole) {
        (0, _) => "no backup is known".to_owned(),
        (1, State::Ok) => format!("the cluster has a usable backup, {}", told(oldest)),
        (many, State::Ok) => format!(
            "each of {many} clusters has a usable backup, the oldest {}",
            told(oldest)
        ),
        (many, _) => {
            let is_bad = |(_, state): &(&ClusterStanding<'_, B>, &State)| **state > State::Ok;
            let mut bad: Vec<_> = standings.iter().zip(&states).filter(is_bad).collect();
            bad.sort_by_key(|(_, state)| std::cmp::Reverse(**state));
            let named: Vec<String> = bad
                .iter()
                .take(NAMED)
                .map(|(one, _)| format!("{} {}", cluster_list::name(one), reason(one, age(one))))
                .collect();
            let more = match bad.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "{} of {many} clusters: {}{more}",
                bad.len(),
                named.join(", ")
            )
        }
    };
    let numbers = [
        thresholds.performance("oldest", oldest),
        format!("clusters={};;1:;0", standings.len()),
        format!("critical={};;0;0", count(State::Critical)),
        format!("warning={};0;;0", count(State::Warning)),
    ];
    line(whole, &text, &numbers)
}

fn reason<B>(one: &ClusterStanding<'_, B>, since: Option<TimeDelta>) -> String {
    match one.state {
        ClusterState::NoUsable | ClusterState::NoneForVersion => one.state.as_str().to_owned(),
        ClusterState::Overdue | ClusterState::Ok => told(since),
    }
}

fn told(since: Option<TimeDelta>) -> String {
    since.map_or_else(
        || "of unknown age".to_owned(),
        |since| format!("{} old", age(since)),
    )
}

fn age_at(backup: &impl Candidate, style: &Style) -> Option<TimeDelta> {
    let age = style.now.signed_duration_since(backup.taken_at()?);
    Some(age.max(TimeDelta::zero()))
}

/// On one line, and with no bar but the one before the numbers.
fn line(state: State, text: &str, numbers: &[String]) -> Line {
    let word = match state {
        State::Ok => "OK",
        State::Warning => "WARNING",
        State::Critical => "CRITICAL",
        State::Unknown => "UNKNOWN",
    };
    let text = safe(text).replace('|', "/");
    let numbers = match numbers {
        [] => String::new(),
        numbers => format!(" | {}", numbers.join(" ")),
    };
    (state, format!("ETCD-CAT {word} - {text}{numbers}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: Thresholds = Thresholds {
        warning: TimeDelta::hours(26),
        critical: TimeDelta::hours(50),
    };

    #[test]
    fn an_age_is_as_bad_as_the_threshold_that_it_passes() {
        for (hours, state) in [
            (Some(0), State::Ok),
            (Some(26), State::Ok),
            (Some(27), State::Warning),
            (Some(51), State::Critical),
            (None, State::Critical),
        ] {
            assert_eq!(DAYS.of(hours.map(TimeDelta::hours)), state, "{hours:?}");
        }
        let numbers = DAYS.performance("age", Some(TimeDelta::hours(2)));
        assert_eq!(numbers, "age=7200s;93600;180000;0");
        assert_eq!(DAYS.performance("age", None), "age=U;93600;180000;0");
    }

    #[test]
    fn whatever_a_name_holds_the_line_is_one_and_has_one_bar() {
        let (_, line) = line(State::Critical, "a|b\nc\u{1b}[31m", &["x=1".to_owned()]);
        assert_eq!(line.matches('|').count(), 1, "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.trim_end().chars().any(char::is_control), "{line}");
        assert_eq!(unknown("why"), "ETCD-CAT UNKNOWN - why\n");
    }

    #[test]
    fn without_a_cluster_nothing_is_well() {
        let style = crate::sample::style(crate::output::Format::Table, None);
        let (state, line) = clusters::<etcd_cat::backup::Backup>(&[], DAYS, &style);
        assert_eq!(state, State::Critical);
        assert!(line.contains("no backup is known"), "{line}");
    }
}
