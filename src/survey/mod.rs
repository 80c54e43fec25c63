//! From locations to judged backups: find, read, pair, prove, judge, remember.
//!
//! [`examine`] reads files, [`examine_stream`] a pipe; [`recall`] asks the catalogue alone (`show`), and [`glance`] only
//! for what a list shows of it. [`index`], [`verify`] and [`check_remembered`] know where to look.
//!
//! An examination goes through the files of this room in this order: `search` lists the locations and tells known objects
//! from new ones; `file` opens one and reads it, `batch` many at a time; `recorder` has the catalogue remember each soon
//! after it is read; `prove` tries the keys of each archive on the values of each snapshot that may be its own; `knowledge`
//! holds all of it, and has it paired and judged in the end. Where the bytes lie is the stores' business alone.

mod abreast;
mod archive;
mod archive_checksums;
mod archive_halves;
mod archive_walk;
mod arrival;
mod batch;
mod changes;
mod check;
mod completion;
mod elsewhere;
mod entries;
mod every_value;
mod examination;
mod examine;
mod file;
mod forget;
mod hosted_keys;
mod knowledge;
mod locations;
mod many_archives;
mod member_checksums;
mod news;
mod one;
mod options;
mod passed_over;
mod place;
mod prove;
mod prove_hosted;
mod recall;
mod recorded;
mod recorder;
mod remembered;
mod search;
mod stream;
mod unchanged;

pub(crate) use abreast::{AT_A_TIME, abreast};
pub use batch::default_jobs;
pub use check::{CheckError, Checked, check_locations, check_remembered};
pub(crate) use entries::{EntriesError, find_archives, find_snapshot, key_ring, read_entries};
pub use examination::Survey;
pub use examine::examine;
pub(crate) use examine::examine_planned;
pub use forget::forget;
pub(crate) use hosted_keys::hosted_key_ring;
pub use locations::{index, index_in_short, rebuild, verify};
pub use news::{BackupNews, LocationProblem, News, SearchedLocation};
pub use one::recall_one;
pub use options::{Decrypt, Depth, SurveyOptions};
pub(crate) use recall::drawn;
pub use recall::{glance, glance_to_list, kept_glance, recall, refresh, within};
pub use remembered::{
    LocationState, MissingRecords, RememberedLocation, drop_location, forget_missing, locations,
    missing,
};
pub use stream::{STREAM, examine_stream};
pub use unchanged::{Indexed, Unchanged, is_changed};

use crate::catalogue::CatalogueError;

/// Why a survey could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// The catalogue is damaged, held or not to be written.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// There is nothing to read.
    #[error("no location is given, and none is remembered")]
    NoLocation,
    /// Stopped on request; what was finished is remembered.
    #[error("interrupted")]
    Interrupted,
}

#[cfg(test)]
mod tests;
