//! What is to be known of one backup of the overview besides its summary, until its files were looked for.

use super::sight::at;
use crate::selection::UsableKind;

/// One backup.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) places: Vec<(u32, u32)>,
    /// The number of its cluster and version.
    pub(super) group: u32,
    /// The number of its cluster.
    pub(super) cluster: Option<u32>,
    /// The version is known.
    pub(super) has_version: bool,
    /// What it is for a choice; `None` where it is not usable.
    pub(super) kind: Option<UsableKind>,
    /// The selection shows it, as long as its files are as they were.
    pub(super) is_shown: bool,
    /// Its files are looked at, or lie where none is.
    pub(super) is_looked_at: bool,
    /// The name of its place is read.
    pub(super) is_named: bool,
}

impl Seen {
    /// One of its files can be looked at.
    pub(super) fn is_near(&self, near: &[bool]) -> bool {
        let mut places = self.places.iter();
        places.any(|(directory, _)| at(near, *directory) == Some(&true))
    }
}
