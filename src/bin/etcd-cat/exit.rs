//! How the program ends: which answers are good ones is decided here alone.

use crate::output::nagios::State;
use etcd_cat::backup::Verdict;
use etcd_cat::clusters::{ClusterStanding, ClusterState, ClustersQuestion};
use etcd_cat::restore::RestoreCheck;
use etcd_cat::selection::{Candidate, Outcome, Selection};
use etcd_cat::survey::{LocationState, RememberedLocation, SearchedLocation, Survey};
use etcd_cat::take::{TakeOutcome, TakeReport};
use std::process::ExitCode;

/// The exit code of the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done, and the answer is good.
    Good,
    /// Done, and the answer is bad.
    Bad,
    /// Not done, or not all of it.
    Failed,
    /// As Nagios wants it.
    Nagios(State),
    /// A part of a fleet's run that trying again does not help.
    Misused,
    /// A part of a fleet's run that is worth another try.
    Troubled,
    /// Stopped by this signal.
    Interrupted {
        /// SIGINT is 2, SIGTERM is 15.
        signal: u8,
    },
}

impl Exit {
    fn of(is_good: bool) -> Self {
        if is_good { Self::Good } else { Self::Bad }
    }

    /// Of an answer about one backup.
    pub(crate) fn of_verdict(verdict: Verdict) -> Self {
        Self::of(verdict.is_usable())
    }

    /// Of a selection.
    ///
    /// With a target: good when something qualifies. Without: good when something is shown and nothing of it is invalid
    /// or unknown.
    pub(crate) fn of_selection<B: Candidate>(selection: &Selection, outcome: &Outcome<B>) -> Self {
        let mut shown = outcome.shown.iter();
        Self::of(if selection.valid_for.is_some() {
            outcome.qualified() > 0
        } else {
            !outcome.shown.is_empty() && shown.all(|one| one.backup.verdict().is_usable())
        })
    }

    /// Of what was read: a location where no backup is, is a bad answer whatever lies elsewhere.
    pub(crate) fn of_survey(survey: &Survey, selection: &Selection, outcome: &Outcome) -> Self {
        let has_problem = |one: &SearchedLocation| one.problem.is_some();
        if survey.locations.iter().any(has_problem) {
            return Self::Bad;
        }
        Self::of_selection(selection, outcome)
    }

    /// Of the clusters: each has a backup for its version, and where an age is asked for, a young one.
    pub(crate) fn of_clusters<B>(
        standings: &[ClusterStanding<'_, B>],
        question: &ClustersQuestion,
    ) -> Self {
        let is_good = |one: &ClusterStanding<'_, B>| match one.state {
            ClusterState::Ok => true,
            ClusterState::Overdue => question.max_age.is_none(),
            ClusterState::NoneForVersion | ClusterState::NoUsable => false,
        };
        Self::of(!standings.is_empty() && standings.iter().all(is_good))
    }

    /// Of the remembered locations: good when each is there, and at least one.
    pub(crate) fn of_locations(locations: &[RememberedLocation]) -> Self {
        let mut states = locations.iter().map(|one| one.state);
        Self::of(!locations.is_empty() && states.all(LocationState::is_ok))
    }

    /// Of all backups at some locations: good when there is one and each is usable.
    pub(crate) fn of_backups(backups: &[impl Candidate]) -> Self {
        let mut verdicts = backups.iter().map(Candidate::verdict);
        Self::of(!backups.is_empty() && verdicts.all(Verdict::is_usable))
    }

    /// Of a pre-restore check.
    pub(crate) fn of_check(check: &RestoreCheck) -> Self {
        Self::of(check.chosen.is_some())
    }

    /// Of a run of `backup`: one that was taken is only as good as its verdict.
    pub(crate) fn of_run(report: &TakeReport) -> Self {
        match (report.outcome, &report.backup) {
            (TakeOutcome::Taken, Some(backup)) => Self::of_verdict(backup.verdict),
            (TakeOutcome::Taken, None) | (TakeOutcome::Rejected, _) => Self::Bad,
            (TakeOutcome::Undelivered, _) => Self::Failed,
            (TakeOutcome::Planned | TakeOutcome::Cleaned | TakeOutcome::Skipped, _) => Self::Good,
        }
    }

    /// Did a run of this command what it was there for? A round over backups did, whatever it found; a backup that is
    /// not valid was taken in vain.
    pub(crate) fn is_success_of(self, command: &str) -> bool {
        match self {
            Self::Good => true,
            Self::Bad => command != "backup",
            Self::Failed
            | Self::Misused
            | Self::Troubled
            | Self::Nagios(_)
            | Self::Interrupted { .. } => false,
        }
    }

    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Good | Self::Nagios(State::Ok) => 0,
            Self::Bad | Self::Nagios(State::Warning) => 1,
            Self::Failed | Self::Nagios(State::Critical) => 2,
            Self::Nagios(State::Unknown) => 3,
            // EX_USAGE and EX_TEMPFAIL of sysexits.h.
            Self::Misused => 64,
            Self::Troubled => 75,
            Self::Interrupted { signal } => 128_u8.saturating_add(signal),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
