//! How the program ends, as a value.

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
