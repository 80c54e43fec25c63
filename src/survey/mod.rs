//! From locations to judged backups: find, read, pair, prove, judge, remember.
//!
//! [`examine`] reads files (`index`, `verify`, `check`), [`examine_stream`] a pipe; [`recall`] asks the catalogue
//! alone (`show`), and [`glance`] only for what a list shows of it.

mod batch;
mod book;
mod examine;
mod file;
mod prove;
mod recall;
mod recorder;
mod search;
mod stream;

pub use batch::default_jobs;
pub use examine::{Depth, Options, Survey, examine};
pub use recall::{glance, recall, refresh};
pub use stream::{STREAM, examine_stream};

use crate::catalogue::CatalogueError;

/// Why a survey could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// The catalogue is damaged, held or not to be written.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Stopped on request; what was finished is remembered.
    #[error("interrupted")]
    Interrupted,
}
