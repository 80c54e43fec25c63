//! Which of several backups that qualify to restore from, and why that one.

use super::{Candidate, Judged};
use crate::finding::{Code, Severity};
use chrono::TimeDelta;

/// What does not keep a backup from being restored, and is reason enough to take one without it.
const RISKS: [Code; 7] = [
    Code::RolloutInProgress,
    Code::PossiblyDirty,
    Code::AlarmRaised,
    Code::EncryptionPartial,
    Code::BootstrapIncomplete,
    Code::RevisionWentBack,
    Code::SizeFell,
];

/// How much older than the newest a backup without a risk may be, unless somebody says otherwise.
pub(crate) const PREFER_CLEAN: TimeDelta = TimeDelta::hours(24);

/// Why a backup is recommended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WhyChosen {
    /// Nothing else qualifies.
    Only {
        /// What speaks against it all the same.
        risks: Vec<Code>,
    },
    /// The newest that qualifies has no risk.
    Newest,
    /// The newest that is usable as it lies: a newer one is not what was saved before it is staged.
    AsItLies {
        /// What speaks against it all the same.
        risks: Vec<Code>,
    },
    /// The newest without a risk, not much older than the newest.
    NewestClean {
        /// How much newer the newest is.
        newest_by: TimeDelta,
        /// What speaks against the newest.
        risks: Vec<Code>,
    },
    /// The newest in spite of its risks: one without is too old.
    CleanTooOld {
        /// How much older the newest without a risk is; `None` when nothing says.
        older_by: Option<TimeDelta>,
        /// How much older it might be.
        limit: TimeDelta,
        /// What speaks against the recommended one.
        risks: Vec<Code>,
    },
    /// The newest, as each one has a risk.
    NoneClean {
        /// What speaks against the recommended one.
        risks: Vec<Code>,
    },
}

/// What of a usable backup decides whether another one is preferred, besides its age: of several, the newest of each kind
/// is all that a choice rests on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct UsableKind {
    is_mended: bool,
    has_risk: bool,
}

impl UsableKind {
    /// `None` where it is not usable.
    pub(crate) fn of(judged: &Judged) -> Option<Self> {
        let is_mended = judged.is_mended();
        let is_usable = judged.verdict.is_usable() || is_mended;
        is_usable.then(|| Self {
            is_mended,
            has_risk: risks_among(&judged.marks, &judged.accepted)
                .next()
                .is_some(),
        })
    }
}

/// What speaks against restoring from `backup` while there is another one, ascending.
pub fn risks(backup: &impl Candidate) -> Vec<Code> {
    let marks = backup.marks();
    let mut codes: Vec<Code> = risks_among(&marks, backup.accepted()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn risks_among(marks: &[(Code, Severity)], accepted: &[Code]) -> impl Iterator<Item = Code> {
    let told = marks.iter().filter(|(code, severity)| {
        *severity > Severity::Info && RISKS.contains(code) && !accepted.contains(code)
    });
    told.map(|(code, _)| *code)
}

/// Which one to restore from among those of one cluster that qualify, newest first: the newest without a risk, unless it
/// is more than `prefer_clean` older than the newest; and why. What has to be mended comes after all that is usable as
/// it lies. `None` when there is none at all.
pub(crate) fn recommend<B: Candidate>(
    newest_first: &[&B],
    prefer_clean: TimeDelta,
) -> Option<(usize, WhyChosen)> {
    let as_they_lie = newest_first.iter().filter(|one| !one.is_mended());
    let as_they_lie: Vec<&B> = as_they_lie.copied().collect();
    if !as_they_lie.is_empty() && as_they_lie.len() < newest_first.len() {
        let (index, why) = recommend(&as_they_lie, prefer_clean)?;
        let chosen = *as_they_lie.get(index)?;
        let index = newest_first
            .iter()
            .position(|one| std::ptr::eq(*one, chosen))?;
        let is_newest = index == 0;
        let why = match why {
            WhyChosen::Newest if !is_newest => WhyChosen::AsItLies { risks: Vec::new() },
            WhyChosen::Only { risks } => WhyChosen::AsItLies { risks },
            why => why,
        };
        return Some((index, why));
    }
    let newest = *newest_first.first()?;
    let risks = risks(newest);
    if newest_first.len() == 1 {
        return Some((0, WhyChosen::Only { risks }));
    }
    if risks.is_empty() {
        return Some((0, WhyChosen::Newest));
    }
    let mut older = newest_first.iter().enumerate().skip(1);
    let Some((index, clean)) = older.find(|(_, one)| self::risks(**one).is_empty()) else {
        return Some((0, WhyChosen::NoneClean { risks }));
    };
    let times = newest.taken_at().zip(clean.taken_at());
    let older_by = times.map(|(newest, clean)| newest.signed_duration_since(clean));
    match older_by {
        Some(newest_by) if newest_by <= prefer_clean => {
            Some((index, WhyChosen::NewestClean { newest_by, risks }))
        }
        older_by => {
            let limit = prefer_clean;
            let why = WhyChosen::CleanTooOld {
                older_by,
                limit,
                risks,
            };
            Some((0, why))
        }
    }
}
