//! How often each name occurs in archives that were gone through: of several members of one name the last is meant, and which
//! that is shows only at the end of the archive. Whoever opens another member of the same archive need not look again.

use crate::source::{ObjectId, ObjectIdentity};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Mutex, PoisonError};

/// Archives that are kept in mind: an archive in an archive is as many as it is deep.
const MAX_ARCHIVES: usize = 4;
/// Bytes of names that are counted in one archive.
const MAX_NAME_BYTES: usize = 256 << 10;

/// What was counted last.
#[derive(Debug, Default)]
pub(in crate::source) struct LastMembers(Mutex<Vec<Counted>>);

#[derive(Debug)]
struct Counted {
    archive: ObjectId,
    /// Of the outermost object: another one may hold other members.
    identity: ObjectIdentity,
    names: Names,
}

/// How often each name was met.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    counts: BTreeMap<OsString, u64>,
    bytes: usize,
}

impl Names {
    /// Counts a name; `always`: even where there are too many others.
    pub(super) fn count(&mut self, name: &OsStr, always: bool) {
        if let Some(count) = self.counts.get_mut(name) {
            *count = count.saturating_add(1);
        } else if always || self.bytes.saturating_add(name.len()) <= MAX_NAME_BYTES {
            self.bytes = self.bytes.saturating_add(name.len());
            self.counts.insert(name.to_owned(), 1);
        }
    }

    /// How many of this name stand in front of its last one; `None` where it was not met, or not counted.
    pub(super) fn before_last(&self, name: &OsStr) -> Option<u64> {
        let count = self.counts.get(name)?;
        Some(count.saturating_sub(1))
    }
}

impl LastMembers {
    /// What is known of an archive in an object that looks like this.
    pub(super) fn before_last(
        &self,
        archive: &ObjectId,
        identity: &ObjectIdentity,
        name: &OsStr,
    ) -> Option<u64> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut same = counted
            .iter()
            .filter(|one| one.archive == *archive && one.identity == *identity);
        same.next()?.names.before_last(name)
    }

    /// Keeps what was counted, in the place of what was counted first.
    pub(super) fn keep(&self, archive: &ObjectId, identity: &ObjectIdentity, names: Names) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.retain(|one| one.archive != *archive);
        if counted.len() >= MAX_ARCHIVES {
            counted.remove(0);
        }
        counted.push(Counted {
            archive: archive.clone(),
            identity: identity.clone(),
            names,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileIdentity;

    #[test]
    fn what_was_counted_is_of_that_object_alone() {
        let known = LastMembers::default();
        let archive = |number: usize| ObjectId::parse(OsStr::new(&format!("/b{number}.tar")));
        let now = ObjectIdentity::File(FileIdentity::default());
        let other = ObjectIdentity::File(FileIdentity {
            size_bytes: 7,
            ..FileIdentity::default()
        });
        let mut names = Names::default();
        for name in ["a", "b", "a"] {
            names.count(OsStr::new(name), false);
        }
        for number in 0..MAX_ARCHIVES {
            known.keep(&archive(number), &now, names.clone());
        }
        let before = |number, identity, name| {
            known.before_last(&archive(number), identity, OsStr::new(name))
        };
        assert_eq!(before(0, &now, "a"), Some(1));
        assert_eq!(before(0, &now, "b"), Some(0));
        assert_eq!(before(0, &now, "c"), None);
        assert_eq!(before(0, &other, "a"), None);
        known.keep(&archive(MAX_ARCHIVES), &now, names);
        assert_eq!(before(0, &now, "a"), None, "the first makes room");
        assert_eq!(before(1, &now, "a"), Some(1));
    }

    #[test]
    fn no_archive_makes_it_count_without_end() {
        let mut names = Names::default();
        for number in 0..100_000 {
            names.count(OsStr::new(&format!("{number:0100}")), false);
        }
        names.count(OsStr::new("wanted"), true);
        names.count(OsStr::new("wanted"), true);
        assert!(names.counts.len() < 3000, "{}", names.counts.len());
        assert_eq!(names.before_last(OsStr::new("wanted")), Some(1));
    }
}
