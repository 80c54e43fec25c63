//! What came of the last run of each kind: what a monitor asks of a machine that works at night.

use super::store::Table;
use super::version::Record;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A run that has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// When it ended, by the clock of the machine.
    pub ended_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// Bytes of backups read.
    pub bytes: u64,
    /// How it ended.
    pub exit_code: u8,
    /// It did what it was there for, whatever was found.
    pub is_success: bool,
    /// How many files it passed over, by kind.
    pub passed_over: Vec<(String, u64)>,
}

impl Run {
    /// As it is kept in the place of `before`: of a success it is told even after later failures.
    pub(super) fn record(&self, before: Option<&RunRecord>) -> RunRecord {
        let succeeded_before = before.and_then(|before| before.succeeded_at);
        RunRecord {
            ended_at: self.ended_at,
            milliseconds: self.milliseconds,
            bytes: self.bytes,
            exit_code: self.exit_code,
            succeeded_at: if self.is_success {
                Some(self.ended_at)
            } else {
                succeeded_before
            },
            passed_over: self.passed_over.clone(),
        }
    }
}

/// What is kept of the last run of one kind.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunRecord {
    /// When it ended.
    #[serde(with = "crate::instant")]
    pub ended_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// Bytes of backups read.
    pub bytes: u64,
    /// How it ended.
    pub exit_code: u8,
    /// When a run of this kind was last done to its end.
    #[serde(with = "crate::instant::option")]
    pub succeeded_at: Option<DateTime<Utc>>,
    /// How many files it passed over, by kind.
    pub passed_over: Vec<(String, u64)>,
}

impl Record for RunRecord {
    const TABLE: Table = Table::Runs;
}
