//! Named reasons not to take a backup now, and which of them a person may override.

use std::fmt;
use std::str::FromStr;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $forceable:literal;)*) => {
        /// The stable name of a reason not to take a backup.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum ReasonCode { $($(#[$doc])* $name,)* }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kebab-case name that `--force` takes.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// True when a person can know better than the check.
            pub fn is_forceable(self) -> bool {
                match self { $(Self::$name => $forceable,)* }
            }
        }
    };
}

reasons! {
    /// `oc` has no credentials that the API server accepts.
    NotLoggedIn = "not-logged-in", false;
    /// A permission that the procedure needs is missing.
    Forbidden = "forbidden", false;
    /// A hosted control plane (HyperShift): there is no control-plane host to run the script on.
    HostedControlPlane = "hosted-control-plane", false;
    /// The cluster is between two versions: a backup is valid for neither.
    UpgradeInProgress = "upgrade-in-progress", true;
    /// A control-plane operator is rolling out; forcing passes `--force` to the script.
    RolloutInProgress = "rollout-in-progress", true;
    /// A control-plane operator is degraded or not available.
    OperatorDegraded = "operator-degraded", true;
    /// The API server does not tell how the operators are; forcing passes `--force` to the script, which asks as well.
    OperatorUnknown = "operator-unknown", true;
    /// Installed less than 24 hours ago: the first certificate rotation is not over.
    TooYoung = "too-young", true;
    /// Inside the hours of `--not-during`.
    NotDuring = "not-during", true;
    /// No control-plane node that is Ready (or not the one asked for).
    NoHealthyNode = "no-healthy-node", false;
    /// The file would not fit here.
    NoSpaceLocal = "no-space-local", true;
    /// The host has less than twice the database free; filling it would stop etcd.
    NoSpaceNode = "no-space-node", false;
    /// Another run on this machine is at it.
    AlreadyRunning = "already-running", false;
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason with what was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusalReason {
    /// Its name.
    pub code: ReasonCode,
    /// What was found, expected what.
    pub message: String,
}

impl RefusalReason {
    pub(crate) fn new(code: ReasonCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// A code that `--force` does not take.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ForceError {
    /// No reason has this name.
    #[error(
        "no reason has the code {found:?}, expected one of {}",
        forceable_codes()
    )]
    Unknown {
        /// As it was given.
        found: String,
    },
    /// Forcing it could not lead to a backup, or could harm the cluster.
    #[error("{code} cannot be overridden, expected one of {}", forceable_codes())]
    NotForceable {
        /// The code.
        code: ReasonCode,
    },
}

fn forceable_codes() -> String {
    let codes = ReasonCode::ALL.iter().filter(|code| code.is_forceable());
    codes
        .map(|code| code.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for ReasonCode {
    type Err = ForceError;

    fn from_str(text: &str) -> Result<Self, ForceError> {
        let found = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        found.ok_or_else(|| ForceError::Unknown {
            found: text.to_owned(),
        })
    }
}

/// Reads the value of `--force`.
///
/// # Errors
/// The code is unknown, or must not be overridden.
pub fn parse_forced(text: &str) -> Result<ReasonCode, ForceError> {
    let code = ReasonCode::from_str(text)?;
    if code.is_forceable() {
        Ok(code)
    } else {
        Err(ForceError::NotForceable { code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sensible_reasons_are_forced() {
        assert_eq!(parse_forced("too-young"), Ok(ReasonCode::TooYoung));
        assert_eq!(
            parse_forced("no-space-node"),
            Err(ForceError::NotForceable {
                code: ReasonCode::NoSpaceNode
            })
        );
        assert!(matches!(
            parse_forced("so-what"),
            Err(ForceError::Unknown { .. })
        ));
    }
}
