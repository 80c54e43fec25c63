//! Repositories of programs that keep files cut into pieces, each piece once: restic, kopia, borg.

use super::recognised::{Foreign, ForeignKind};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

/// A repository, by what lies in its directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repository {
    Restic,
    Kopia,
    Borg,
}

impl Repository {
    /// What is said of it.
    pub(crate) fn told(self) -> Foreign {
        Foreign::new(ForeignKind::Repository, self.what(), self.remedy())
    }

    fn what(self) -> &'static str {
        match self {
            Self::Restic => {
                "a restic repository: backups may be in it, cut into pieces and encrypted"
            }
            Self::Kopia => {
                "a kopia repository: backups may be in it, cut into pieces and encrypted"
            }
            Self::Borg => "a borg repository: backups may be in it, cut into pieces",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Restic => {
                "name the file in it: restic -r FILE dump latest /PATH/snapshot.db | etcd-cat verify -, \
                or restore both halves: restic -r FILE restore latest --target DIR"
            }
            Self::Kopia => {
                "connect to it and name the file in it: kopia show ID/PATH/snapshot.db | etcd-cat verify -, \
                or restore both halves: kopia restore ID DIR"
            }
            Self::Borg => {
                "name the file in it: borg extract --stdout FILE::ARCHIVE PATH/snapshot.db | etcd-cat verify -, \
                or restore both halves with borg extract FILE::ARCHIVE"
            }
        }
    }

    /// Does a path below its directory belong to it? Backups may lie beside the pieces.
    pub(crate) fn owns(self, below: &[&[u8]]) -> bool {
        let Some((first, rest)) = below.split_first() else {
            return false;
        };
        let is_in = |names: &[&[u8]]| !rest.is_empty() && names.contains(first);
        match self {
            Self::Restic => {
                *first == b"config" || is_in(&[b"data", b"index", b"keys", b"snapshots", b"locks"])
            }
            Self::Kopia => below
                .last()
                .is_some_and(|last| last.ends_with(b".f") || is_kopia_file(last)),
            Self::Borg => {
                is_in(&[b"data"])
                    || matches!(*first, b"README" | b"config" | b"nonce")
                    || [&b"index."[..], b"hints.", b"integrity."]
                        .iter()
                        .any(|start| first.starts_with(start))
            }
        }
    }
}

fn is_kopia_file(name: &[u8]) -> bool {
    name.starts_with(b"kopia.") || name == b".storageconfig" || name == b".shards"
}

/// The directories that are repositories, of some files: the path of each as its directory and its name.
pub(crate) fn repositories<'n>(
    files: impl Iterator<Item = (&'n OsStr, &'n OsStr)>,
) -> BTreeMap<&'n [u8], Repository> {
    let mut seen: BTreeMap<&[u8], BTreeSet<Mark>> = BTreeMap::new();
    for (directory, name) in files {
        let (directory, name) = (directory.as_encoded_bytes(), name.as_encoded_bytes());
        if let Some((place, mark)) = mark(directory, name) {
            seen.entry(place).or_default().insert(mark);
        }
    }
    let is = |marks: &BTreeSet<Mark>| {
        let has = |wanted: &[Mark]| wanted.iter().all(|mark| marks.contains(mark));
        if has(&[Mark::Config, Mark::Key, Mark::Id]) {
            Some(Repository::Restic)
        } else if has(&[Mark::Kopia]) {
            Some(Repository::Kopia)
        } else if has(&[Mark::Config, Mark::BorgIndex, Mark::BorgData]) {
            Some(Repository::Borg)
        } else {
            None
        }
    };
    seen.into_iter()
        .filter_map(|(place, marks)| Some((place, is(&marks)?)))
        .collect()
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Mark {
    Config,
    /// `keys/<64 hex digits>`.
    Key,
    /// `snapshots/…`, `index/…` or `data/…` named by 64 hex digits.
    Id,
    Kopia,
    BorgIndex,
    BorgData,
}

/// What a file marks, and the directory of the repository that it would belong to.
fn mark<'d>(directory: &'d [u8], name: &[u8]) -> Option<(&'d [u8], Mark)> {
    let up = |directory: &'d [u8], name: &[u8]| -> Option<&'d [u8]> {
        let above = directory.strip_suffix(name)?;
        Some(above.strip_suffix(b"/").unwrap_or(above))
    };
    if name == b"config" {
        return Some((directory, Mark::Config));
    }
    if name.starts_with(b"kopia.repository") || name.starts_with(b"kopia.blobcfg") {
        return Some((directory, Mark::Kopia));
    }
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if name.strip_prefix(b"index.").is_some_and(is_number) {
        return Some((directory, Mark::BorgIndex));
    }
    if is_number(name) {
        let (above, last) = split(directory);
        return is_number(last)
            .then(|| up(above, b"data"))?
            .map(|place| (place, Mark::BorgData));
    }
    let is_id = name.len() == 64
        && name
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    if !is_id {
        return None;
    }
    if let Some(place) = up(directory, b"keys") {
        return Some((place, Mark::Key));
    }
    let place = up(directory, b"snapshots").or_else(|| up(directory, b"index"));
    let place = place.or_else(|| up(split(directory).0, b"data"));
    place.map(|place| (place, Mark::Id))
}

/// The directory above, and the last name.
fn split(directory: &[u8]) -> (&[u8], &[u8]) {
    let slash = directory.iter().rposition(|byte| *byte == b'/');
    let slash = slash.unwrap_or_default();
    let (above, last) = directory.split_at_checked(slash).unwrap_or_default();
    (above, last.strip_prefix(b"/").unwrap_or(last))
}
