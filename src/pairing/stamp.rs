//! The stamp in a file name: the one fact that both halves of a run carry on the outside.

use crate::names::{self, POSSIBLY_DIRTY};
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use std::os::unix::ffi::OsStrExt as _;

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
    let at = names::Stamp::find(name)?.at();
    let mark = POSSIBLY_DIRTY.as_bytes();
    let is_dirty = name
        .as_bytes()
        .windows(mark.len())
        .any(|window| window == mark);
    Some(RunStamp { at, is_dirty })
}
