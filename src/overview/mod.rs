//! The judged list in short, kept in the catalogue: enough for a list without loading a fact or pairing anything again.
//!
//! It is drawn from the rest of the catalogue and from the files as they were then (`draw`), kept in a table of its own
//! ([`Overview`]), and read as of any instant as long as the files are there that were there: the parts that a question is
//! about (`sight`, `surroundings`), and whether files have come or gone (`presence`), which a directory mostly tells for all
//! of them (`stamp`). Whether some were rewritten is asked for those that an answer rests on (`looks`, `believed`). Whoever
//! finishes a survey has it drawn anew.

mod believed;
mod draw;
mod glance;
mod looks;
mod presence;
mod record;
mod seen;
mod sight;
mod stamp;
mod surroundings;

pub(crate) use draw::{DrawnOf, FileSeen, draw};
pub use glance::Glance;
pub(crate) use glance::{Question, Sight};
pub(crate) use looks::Looks;
pub use record::{
    Overview, OverviewDirectory, OverviewFile, OverviewGroup, OverviewHead, OverviewRow,
};
pub use stamp::DirectoryStamp;
pub(crate) use stamp::Stamps;
pub(crate) use surroundings::Surroundings;
