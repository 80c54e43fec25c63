//! The stamp in a file name: the one fact that both halves of a run carry on the outside.

use crate::names::{Stamp, says_possibly_dirty};
use crate::source::ObjectId;
use chrono::{DateTime, Utc};

/// When a name says that a backup was taken, and whether it was forced. Both halves of one run agree in both.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct RunStamp {
    /// The digits, read as UTC; content corrects them later.
    pub at: DateTime<Utc>,
    /// The name carries `__POSSIBLY_DIRTY__`.
    pub is_dirty: bool,
}

/// The stamp of a file by its own name, renamed or not.
pub(crate) fn stamp_of(id: &ObjectId) -> Option<RunStamp> {
    let name = id.file_name()?;
    Some(RunStamp {
        at: Stamp::find(name)?.at(),
        is_dirty: says_possibly_dirty(name),
    })
}
