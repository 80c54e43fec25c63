//! What a command answers, told as a document, a page or names.
//!
//! An answer is a type that implements [`Answer`]; in which form it is told is decided in `format` alone.

mod backup;
mod cells;
mod check;
mod clusters;
mod difference;
mod digest;
mod explanation;
mod filing;
mod findings;
mod fleet;
mod format;
mod list;
mod listed;
pub(crate) mod locations;
pub(crate) mod nagios;
mod object_list;
mod objects;
pub(crate) mod report;
mod show;
mod stage;
mod table;
pub(crate) mod text;
mod unchanged;
pub(crate) mod units;
mod verify;
pub(crate) mod views;
mod words;
mod wrap;

pub(crate) use check::CheckAnswer;
pub(crate) use clusters::ClusterList;
pub(crate) use difference::{DifferenceAnswer, unified};
pub(crate) use explanation::{CodeList, TopicDetails};
pub(crate) use fleet::{FleetMerge, FleetPlan, FleetWork};
pub(crate) use format::{Format, json, write};
pub(crate) use list::{BackupList, BriefList};
pub(crate) use listed::{Listed, ObjectList, SourceLine};
pub(crate) use locations::LocationList;
pub(crate) use objects::{ObjectsText, object_name};
pub(crate) use show::BackupDetails;
pub(crate) use stage::StageRun;
pub(crate) use unchanged::UnchangedReport;
pub(crate) use verify::VerifyReport;

use chrono::{DateTime, Utc};
use etcd_cat::selection::Candidate;
use serde::Serialize;
use std::io;

/// How an answer is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    /// Document, page or names.
    pub(crate) format: Format,
    /// Columns of the terminal; `None` on a pipe: nothing is wrapped or left out.
    pub(crate) width: Option<usize>,
    /// Whether verdicts are coloured.
    pub(crate) is_coloured: bool,
    /// Whether pages show what they usually cut short.
    pub(crate) is_verbose: bool,
    /// Ages are as of this instant.
    pub(crate) now: DateTime<Utc>,
}

impl Style {
    /// How many of a long row are shown.
    fn at_most(&self, usual: usize) -> usize {
        if self.is_verbose { usize::MAX } else { usual }
    }
}

/// Something to tell, in whatever form it is asked for.
pub(crate) trait Answer {
    /// For programs: one document, its fields in the order of the contract.
    fn document(&self, style: &Style) -> impl Serialize;

    /// For other commands: the names of what it tells of.
    fn names(&self) -> Vec<String>;

    /// For people: whole lines.
    fn page(&self, style: &Style) -> String;
}

/// Renders an answer, with its final newline.
pub(crate) fn render(answer: &impl Answer, style: &Style) -> io::Result<String> {
    if style.format.is_page() {
        // It can be long, and is there once.
        return Ok(answer.page(style));
    }
    let mut text = Vec::new();
    write(answer, style, &mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// How a backup is called, such that it can be given to another command: `backup/ID`; a file without any readable byte
/// has no name.
fn name(backup: &impl Candidate) -> Option<String> {
    backup.id().map(|id| format!("backup/{id}"))
}

#[cfg(test)]
mod tests;
