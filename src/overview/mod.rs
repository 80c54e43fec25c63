//! The judged list in short, kept in the catalogue: enough for a list without loading a fact or pairing anything again.
//!
//! It is drawn from the rest of the catalogue and from the files as they were then (`draw`), kept in a table of its own
//! ([`Overview`]), and read as of any instant as long as the files are there that were there. Whoever finishes a survey
//! has it drawn anew.

mod draw;
mod presence;
mod record;
mod summarise;

pub(crate) use draw::{FileSeen, draw};
pub use record::{Overview, OverviewDirectory, OverviewFile, OverviewHead, OverviewRow};
