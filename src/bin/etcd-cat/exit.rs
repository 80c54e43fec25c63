//! How the program ends: which answers are good ones is decided here alone.

use etcd_cat::backup::Verdict;
use etcd_cat::restore::RestoreCheck;
use etcd_cat::selection::{Candidate, Outcome, Selection};
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
    /// With a target: good when something qualifies. Without: good when nothing shown is invalid or unknown; filters
    /// that leave nothing are a bad answer, an empty catalogue is not.
    pub(crate) fn of_selection<B: Candidate>(selection: &Selection, outcome: &Outcome<B>) -> Self {
        let mut shown = outcome.shown.iter();
        Self::of(if selection.valid_for.is_some() {
            outcome.qualified() > 0
        } else if outcome.shown.is_empty() {
            !selection.is_narrowed()
        } else {
            shown.all(|one| one.backup.verdict().is_usable())
        })
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
            (TakeOutcome::Planned | TakeOutcome::Skipped, _) => Self::Good,
        }
    }

    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Failed => 2,
            Self::Interrupted { signal } => 128_u8.saturating_add(signal),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
