//! How a survey is made.

use crate::discovery::Shard;
use crate::finding::Code;
use crate::source::{PageCache, Stores};
use chrono::{DateTime, Utc};

/// How much is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Every byte of every file (`verify`).
    Everything,
    /// Files whose device, inode, size or modification time the catalogue does not know (`index`).
    New,
}

/// How many encrypted values keys are tried on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Decrypt {
    /// A few of each resource, provider and key: enough to tell a wrong key.
    #[default]
    Sample,
    /// All that are alive, which takes a second reading of each snapshot.
    All,
}

/// How a survey is made.
#[derive(Clone, Debug)]
pub struct SurveyOptions {
    /// How much is read.
    pub depth: Depth,
    /// How many encrypted values keys are tried on.
    pub decrypt: Decrypt,
    /// Files read at the same time, at least 1, which keeps to one processor.
    pub jobs: usize,
    /// The instant that counts as now for ages and certificates.
    pub as_of: DateTime<Utc>,
    /// Codes that do not count this time.
    pub accept: Vec<Code>,
    /// What becomes of the page cache.
    pub page_cache: PageCache,
    /// Where objects are read from.
    pub stores: Stores,
    /// Only this part of what lies at the locations; `None`: all of it.
    pub shard: Option<Shard>,
}
