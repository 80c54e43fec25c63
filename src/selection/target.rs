//! The version that somebody wants to restore.

use std::fmt;
use std::str::FromStr;

/// A whole OpenShift version, such as `4.17.3` or `4.18.0-rc.2`.
///
/// Restoring is defined for the same version only, so this compares as text: `4.17.3` is neither
/// `4.17.30` nor `4.17.3-rc.1`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TargetVersion(String);

/// The text is no whole version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TargetError {
    /// Parts are missing: which z-stream is meant cannot be guessed.
    #[error(
        "version {found:?} is not whole, expected all three parts; give the whole version, e.g. {found}{missing}"
    )]
    Incomplete {
        /// What was given.
        found: String,
        /// An ending that would make it whole.
        missing: &'static str,
    },
    /// It is no version at all.
    #[error("{found:?} is not a version, expected one such as 4.17.3 or 4.18.0-rc.2")]
    Malformed {
        /// What was given.
        found: String,
    },
}

impl TargetVersion {
    /// True when `version` is the very same version.
    pub fn is(&self, version: &str) -> bool {
        self.0 == version
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TargetVersion {
    type Err = TargetError;

    /// Accepts blanks around and a leading `v`, as people paste them; nothing is completed or guessed.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let trimmed = text.trim();
        let version = trimmed.strip_prefix('v').unwrap_or(trimmed);
        if semver::Version::parse(version).is_ok() {
            return Ok(Self(version.to_owned()));
        }
        let found = version.to_owned();
        let mut parts = version.split('.');
        let is_numeric = parts.all(|part| !part.is_empty() && part.parse::<u64>().is_ok());
        match (is_numeric, version.split('.').count()) {
            (true, 1) => Err(TargetError::Incomplete {
                found,
                missing: ".17.3",
            }),
            (true, 2) => Err(TargetError::Incomplete {
                found,
                missing: ".3",
            }),
            _ => Err(TargetError::Malformed { found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_versions_are_kept_as_they_are() {
        for (text, version) in [
            ("4.17.3", "4.17.3"),
            (" v4.17.3\n", "4.17.3"),
            ("4.18.0-rc.2", "4.18.0-rc.2"),
            (
                "4.19.0-0.nightly-2025-01-02-030405",
                "4.19.0-0.nightly-2025-01-02-030405",
            ),
        ] {
            let target: TargetVersion = text.parse().expect("a whole version");
            assert_eq!(target.as_str(), version);
        }
    }

    #[test]
    fn incomplete_versions_are_refused_with_an_example() {
        let error = "4.17".parse::<TargetVersion>().expect_err("two parts");
        assert!(
            error
                .to_string()
                .ends_with("give the whole version, e.g. 4.17.3"),
            "{error}"
        );
        let error = "4".parse::<TargetVersion>().expect_err("one part");
        assert!(error.to_string().ends_with("e.g. 4.17.3"), "{error}");
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in ["", "latest", "4.17.x", "4.17.3.1", "04.17.3", "4.17.-3"] {
            let error = text.parse::<TargetVersion>().expect_err(text);
            assert!(
                matches!(error, TargetError::Malformed { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_target_is_only_the_very_same_text() {
        let target: TargetVersion = "4.17.3".parse().expect("a whole version");
        assert!(target.is("4.17.3"));
        for other in ["4.17.30", "4.17.3-rc.1", "4.17.3+a", "4.17", "v4.17.3"] {
            assert!(!target.is(other), "{other}");
        }
    }
}
