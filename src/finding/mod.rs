//! What can be wrong with a backup: codes, severities and where a finding points.
//!
//! A finding is an answer, not an error. Codes are stable; wording may change.
//! What each code means at length, and what to do about it step by step, is in [`explain`](crate::explain).

mod code;
mod evidence;
mod mendable;

pub use code::{Artifact, Code, Severity, UnknownCode};
pub use evidence::{Evidence, EvidenceByName};
pub(crate) use mendable::is_mended;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Something that a check found out about a backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The stable name.
    pub code: Code,
    /// Usually [`Code::severity`].
    pub severity: Severity,
    /// Usually [`Code::artifact`].
    pub artifact: Artifact,
    /// What was found and where: one sentence, lower case, no final period.
    pub message: String,
    /// The place and the numbers, for scripts.
    pub evidence: EvidenceByName,
    /// What to do about it: one sentence.
    pub remedy: Cow<'static, str>,
}

impl Finding {
    /// A finding with the severity, artifact and remedy of its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            artifact: code.artifact(),
            message: message.into(),
            evidence: EvidenceByName::default(),
            remedy: Cow::Borrowed(code.remedy()),
        }
    }

    /// True when the backup cannot be relied upon because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// True when it says how the backup could be filed better, and a restore from it works all the same.
    pub fn is_advice(&self) -> bool {
        self.severity == Severity::Info && self.code.is_about_filing()
    }

    /// Adds one value of evidence; `name` is camelCase.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Evidence>) -> Self {
        self.evidence.insert(name, value.into());
        self
    }

    /// Replaces the severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Replaces the artifact.
    #[must_use]
    pub fn artifact(mut self, artifact: Artifact) -> Self {
        self.artifact = artifact;
        self
    }

    /// Replaces the remedy by one that names files.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// True when one of them is an error.
pub fn has_error(findings: &[Finding]) -> bool {
    findings.iter().any(Finding::is_error)
}
