//! Why a backup does not qualify for a target.

use super::{Candidate, TargetVersion};
use crate::backup::Verdict;
use crate::finding::Code;
use std::fmt;

/// One reason why a backup does not qualify. Displays as a kebab-case code.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Reason {
    /// It was taken from another version.
    OtherVersion {
        /// The version it can restore.
        found: String,
    },
    /// It can restore no single version: unknown, or between two.
    NoVersion,
    /// Older than asked for, or of unknown age.
    TooOld,
    /// A finding makes it invalid.
    Finding(Code),
    /// Its bytes have never been proven.
    NotVerified,
}

impl Reason {
    /// The kebab-case name: that of the finding, or one of `other-version`, `version-unknown`, `too-old`,
    /// `not-verified`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherVersion { .. } => "other-version",
            Self::NoVersion => Code::VersionUnknown.as_str(),
            Self::TooOld => "too-old",
            Self::Finding(code) => code.as_str(),
            Self::NotVerified => "not-verified",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherVersion { found } => write!(f, "{} {found}", self.code()),
            other => f.write_str(other.code()),
        }
    }
}

/// Everything that speaks against `backup` for `target`; empty when it qualifies.
pub(super) fn against(
    backup: &impl Candidate,
    target: &TargetVersion,
    is_too_old: bool,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    match &backup.version().openshift {
        Some(version) if target.is(version) => {}
        Some(version) => reasons.push(Reason::OtherVersion {
            found: version.clone(),
        }),
        None => reasons.push(Reason::NoVersion),
    }
    reasons.extend(backup.reasons_against().into_iter().map(Reason::Finding));
    if is_too_old {
        reasons.push(Reason::TooOld);
    }
    if !backup.is_restorable() && !reasons.iter().any(|one| matches!(one, Reason::Finding(_))) {
        reasons.push(without_finding(backup));
    }
    // An upgrade in progress, or a snapshot that is not there, says it better than "no version".
    let is_explained = backup.halves().snapshot.is_none()
        || reasons.contains(&Reason::Finding(Code::UpgradeInProgress));
    if is_explained && reasons.len() > 1 {
        reasons.retain(|reason| *reason != Reason::NoVersion);
    }
    reasons
}

/// The reason behind a verdict that no error finding explains.
fn without_finding(backup: &impl Candidate) -> Reason {
    let is_arriving = || {
        let marks = backup.marks();
        marks.iter().any(|(code, _)| *code == Code::StillArriving)
    };
    match backup.verdict() {
        Verdict::Unknown if !backup.is_present() => Reason::Finding(Code::FileMissing),
        Verdict::Unknown if is_arriving() => Reason::Finding(Code::StillArriving),
        _ => Reason::NotVerified,
    }
}
