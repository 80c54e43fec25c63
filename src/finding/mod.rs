//! What can be wrong with a backup: codes, severities and where a finding points.
//!
//! A finding is an answer, not an error. Codes are stable; wording may change.
//! What each code means at length, and what to do about it step by step, is in [`explain`](crate::explain).

mod code;

pub use code::{Artifact, Code, Severity, UnknownCode};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value of a finding's evidence.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Evidence {
    /// A name, a path, a key, a digest, an instant.
    Text(String),
    /// A count, a page id, a revision, an offset.
    Number(i64),
    /// Several names.
    List(Vec<String>),
}

impl From<&str> for Evidence {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Evidence {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Evidence {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Evidence {
    /// Numbers past `i64::MAX` (member ids, hostile page ids) are kept as text.
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(|_| Self::Text(number.to_string()), Self::Number)
    }
}

impl From<u32> for Evidence {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<Vec<String>> for Evidence {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

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
    pub evidence: BTreeMap<String, Evidence>,
    /// What to do about it: one sentence.
    pub remedy: String,
}

impl Finding {
    /// A finding with the severity, artifact and remedy of its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            artifact: code.artifact(),
            message: message.into(),
            evidence: BTreeMap::new(),
            remedy: code.remedy().to_owned(),
        }
    }

    /// True when the backup cannot be relied upon because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Adds one value of evidence; `name` is camelCase.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Evidence>) -> Self {
        self.evidence.insert(name.to_owned(), value.into());
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
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// True when one of them is an error.
pub fn has_error(findings: &[Finding]) -> bool {
    findings.iter().any(Finding::is_error)
}
