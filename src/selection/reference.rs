//! What somebody calls one backup: an id or the start of one, `latest`, `latest-valid`, or a path.

use super::{Candidate, KnownCluster, PREFER_CLEAN, known_clusters, newest_first, recommend};
use crate::backup::{Backup, Located};
use crate::source::ObjectId;
use std::ffi::OsStr;

/// Shorter beginnings of ids are typing errors more often than references.
const MIN_ID_DIGITS: usize = 4;

/// The reference names no backup, or more than one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResolveError {
    /// There is nothing to choose from.
    #[error("no backup is known")]
    Empty,
    /// `latest-valid`, and none is valid.
    #[error("none of the {known} known backups is valid")]
    NoneValid {
        /// How many there are.
        known: usize,
    },
    /// `latest` or `latest-valid`, and there are backups of several clusters.
    #[error(
        "{reference:?} could be of {} clusters: {}",
        clusters.len(),
        clusters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    SeveralClusters {
        /// What was given.
        reference: String,
        /// Those it could mean.
        clusters: Vec<KnownCluster>,
    },
    /// Nothing of that name.
    #[error("no backup is called {reference:?}")]
    NotFound {
        /// What was given.
        reference: String,
    },
    /// Too few digits.
    #[error("{reference:?} is too short for an id, expected at least 4 digits of it")]
    TooShort {
        /// What was given.
        reference: String,
    },
    /// The beginning of several ids.
    #[error("{reference:?} is the beginning of {} ids: {}", candidates.len(), candidates.join(", "))]
    Ambiguous {
        /// What was given.
        reference: String,
        /// The ids, ascending.
        candidates: Vec<String>,
    },
    /// Several records have the same data: with another trailer, or without one.
    #[error("{reference:?} means {} records of the same data: {}", paths.len(), paths.join(", "))]
    SameData {
        /// What was given.
        reference: String,
        /// Where they lie, ascending.
        paths: Vec<String>,
    },
    /// The same file stands in several backups.
    #[error("{reference:?} is part of {} backups: {}", candidates.len(), candidates.join(", "))]
    PathAmbiguous {
        /// What was given.
        reference: String,
        /// The ids, ascending.
        candidates: Vec<String>,
    },
}

/// The one backup that `reference` means.
///
/// A path is compared as it is: make it absolute before, if the backups' paths are.
///
/// # Errors
///
/// When nothing, or more than one backup, answers to the reference.
pub fn resolve<'a>(reference: &str, backups: &'a [Backup]) -> Result<&'a Backup, ResolveError> {
    if backups.is_empty() {
        return Err(ResolveError::Empty);
    }
    // `oc -o name` style output can be pasted back.
    let reference = reference.strip_prefix("backup/").unwrap_or(reference);
    match reference {
        "latest" => latest(backups),
        "latest-valid" => latest_valid(backups),
        _ => by_path(reference, backups).unwrap_or_else(|| by_id(reference, backups)),
    }
}

/// The same where it is no path: of backups of which only the place is known that stands for each.
///
/// # Errors
///
/// When nothing, or more than one backup, answers to the reference.
pub fn resolve_name<'a, B: Candidate>(
    reference: &str,
    backups: &'a [B],
) -> Result<&'a B, ResolveError> {
    let reference = reference.strip_prefix("backup/").unwrap_or(reference);
    match reference {
        "latest" => latest(backups),
        "latest-valid" => latest_valid(backups),
        _ => by_id(reference, backups),
    }
}

/// Newest snapshot, whatever its verdict; kuberesources alone only when there is nothing else.
fn latest<B: Candidate>(backups: &[B]) -> Result<&B, ResolveError> {
    let snapshots: Vec<&B> = backups
        .iter()
        .filter(|one| one.halves().snapshot.is_some())
        .collect();
    let candidates = if snapshots.is_empty() {
        backups.iter().collect()
    } else {
        snapshots
    };
    let sorted = of_one_cluster(candidates, "latest")?;
    sorted.first().copied().ok_or(ResolveError::Empty)
}

/// What a check recommends, whatever the version.
fn latest_valid<B: Candidate>(backups: &[B]) -> Result<&B, ResolveError> {
    let usable = backups.iter().filter(|backup| backup.is_restorable());
    let sorted = of_one_cluster(usable.collect(), "latest-valid")?;
    let recommended = recommend(&sorted, PREFER_CLEAN);
    let none = ResolveError::NoneValid {
        known: backups.len(),
    };
    let index = recommended.map(|(index, _)| index);
    index
        .and_then(|index| sorted.get(index))
        .copied()
        .ok_or(none)
}

/// Newest first, when all of them can be of one cluster.
fn of_one_cluster<'a, B: Candidate>(
    mut candidates: Vec<&'a B>,
    reference: &str,
) -> Result<Vec<&'a B>, ResolveError> {
    let clusters = known_clusters(candidates.iter().copied());
    if clusters.len() > 1 {
        return Err(ResolveError::SeveralClusters {
            reference: reference.to_owned(),
            clusters,
        });
    }
    candidates.sort_by(|left, right| newest_first(*left, *right));
    Ok(candidates)
}

fn by_path<'a>(reference: &str, backups: &'a [Backup]) -> Option<Result<&'a Backup, ResolveError>> {
    let id = ObjectId::parse(OsStr::new(reference));
    let found: Vec<&Backup> = backups
        .iter()
        .filter(|backup| lies_at(backup, &id))
        .collect();
    match found.as_slice() {
        [] => None,
        [one] => Some(Ok(one)),
        several => Some(Err(ResolveError::PathAmbiguous {
            reference: reference.to_owned(),
            candidates: ids(several),
        })),
    }
}

fn lies_at(backup: &Backup, id: &ObjectId) -> bool {
    let snapshot = backup.snapshot.iter().flat_map(Located::places);
    let kuberesources = backup.kuberesources.iter().flat_map(Located::places);
    snapshot
        .chain(kuberesources)
        .chain(&backup.unreadable_path)
        // An archive stands for what is packed into it.
        .any(|place| place == id || place.as_os_str() == id.as_os_str() || place.outermost() == id)
}

fn by_id<'a, B: Candidate>(reference: &str, backups: &'a [B]) -> Result<&'a B, ResolveError> {
    let wanted = reference.to_ascii_lowercase();
    let is_hex = !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = || reference.to_owned();
    if !is_hex {
        return Err(ResolveError::NotFound { reference: name() });
    }
    if wanted.len() < MIN_ID_DIGITS {
        return Err(ResolveError::TooShort { reference: name() });
    }
    let has_prefix = |backup: &&B| {
        let digest = backup.digest().map(|digest| digest.to_string());
        digest.is_some_and(|digest| digest.starts_with(&wanted))
    };
    let found: Vec<&B> = backups.iter().filter(has_prefix).collect();
    match found.as_slice() {
        [] => Err(ResolveError::NotFound { reference: name() }),
        [one] => Ok(one),
        several if have_same_data(several) => usable_one(several).ok_or_else(|| {
            let mut paths: Vec<String> = several
                .iter()
                .filter_map(|backup| backup.place().map(|place| place.to_string()))
                .collect();
            paths.sort();
            ResolveError::SameData {
                reference: name(),
                paths,
            }
        }),
        several => Err(ResolveError::Ambiguous {
            reference: name(),
            candidates: ids(several),
        }),
    }
}

/// Records with the same data and other trailers; the beginning of a digest can be that of other data.
fn have_same_data(backups: &[&impl Candidate]) -> bool {
    let mut digests = backups.iter().map(|backup| backup.digest());
    let first = digests.next();
    digests.all(|digest| Some(digest) == first)
}

/// Of several with the same data, the one that can be restored from.
fn usable_one<'a, B: Candidate>(backups: &[&'a B]) -> Option<&'a B> {
    let mut usable = backups.iter().filter(|one| one.is_restorable());
    match (usable.next(), usable.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

fn ids(backups: &[&impl Candidate]) -> Vec<String> {
    let mut ids: Vec<String> = backups.iter().filter_map(|backup| backup.id()).collect();
    ids.sort();
    ids.dedup();
    ids
}
