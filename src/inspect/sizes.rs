//! Why a database is so large: its largest keys, and those that are written most often.

use super::contents::{Contents, Trust, is_definition};
use super::error::InspectError;
use super::object::ObjectRow;
use super::subject::Subject;
use crate::monitor::Monitor;
use crate::snapshot::{EntryRequest, KeyFilter, StoredEntry};
use crate::survey::SurveyOptions;
use std::cmp::Reverse;

/// Keys that are told of each.
const MOST: usize = 100;

/// The largest keys, and those written most often.
#[derive(Debug)]
pub struct Sizes {
    /// Where they are from.
    pub contents: Contents,
    /// The largest, the largest first.
    pub largest: Vec<ObjectRow>,
    /// Written most often since their creation, the most often first.
    pub most_written: Vec<ObjectRow>,
}

/// Reads a snapshot for its largest keys and those written most often.
///
/// # Errors
///
/// See [`InspectError`].
pub fn read_sizes(
    subject: &Subject,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Sizes, InspectError> {
    let request = EntryRequest {
        keys: KeyFilter::All,
        values: KeyFilter::matching(is_definition),
        ..EntryRequest::default()
    };
    let mut contents = Contents::read(subject, &request, trust, options, monitor)?;
    let mut entries = std::mem::take(&mut contents.entries);
    let rows = |entries: &[StoredEntry]| {
        let rows = entries
            .iter()
            .filter_map(|entry| ObjectRow::of(entry, &contents));
        rows.take(MOST).collect()
    };
    entries.sort_unstable_by(|left, right| {
        let sizes = right.value_bytes.cmp(&left.value_bytes);
        sizes.then_with(|| left.key.cmp(&right.key))
    });
    let largest = rows(&entries);
    entries.sort_by_key(|entry| Reverse(entry.version));
    let most_written = rows(&entries);
    Ok(Sizes {
        contents,
        largest,
        most_written,
    })
}
