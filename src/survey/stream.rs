//! A snapshot that comes through a pipe: read once, judged by itself, and not remembered, for it lies nowhere.

use super::batch::hash_on;
use super::book::Book;
use super::file::unreadable;
use super::{Options, Survey, SurveyError};
use crate::catalogue::CatalogueContents;
use crate::discovery::{FileIdentity, Skipped};
use crate::monitor::Monitor;
use crate::snapshot::{self, ReadError};
use crate::source::{Counting, unpack};
use std::io::Read;
use std::path::Path;

/// The name that a stream goes by.
pub const STREAM: &str = "-";

/// No file has it.
const NOWHERE: FileIdentity = FileIdentity {
    device: 0,
    inode: 0,
    size_bytes: 0,
    modified_seconds: 0,
    modified_nanoseconds: 0,
};

/// Reads a snapshot from `stream`, plain or packed with gzip or zstd, to its end.
///
/// # Errors
///
/// [`SurveyError::Interrupted`] when `monitor` asked to stop.
pub fn examine_stream(
    stream: impl Read + Send,
    options: &Options,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let path = Path::new(STREAM);
    let mut book = Book::new(CatalogueContents::default());
    let mut survey = Survey::default();
    monitor.expect(1, 0);
    monitor.begin(path, 0);
    let read = unpack(Counting::new(stream, monitor))
        .map_err(|source| ReadError::Io { offset: 0, source })
        .and_then(|mut bytes| snapshot::read(&mut bytes, hash_on(options), monitor));
    monitor.finish(path);
    match read {
        Ok(reading) => {
            survey.files = 1;
            survey.bytes = reading.snapshot.size_bytes;
            book.enter_snapshot(path, NOWHERE, reading.snapshot);
        }
        Err(ReadError::Interrupted) => return Err(SurveyError::Interrupted),
        Err(ReadError::Io { offset, source }) => {
            let reason = source.to_string();
            book.enter(path, NOWHERE, unreadable(&reason, Some(offset)));
            survey.skipped.push(Skipped {
                path: path.to_owned(),
                reason,
                is_error: true,
            });
        }
    }
    survey.backups = book.judged(options)?;
    Ok(survey)
}
