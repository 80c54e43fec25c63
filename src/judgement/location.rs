//! What is wrong with where the files lie.

use super::encryption::encrypted;
use crate::backup::Located;
use crate::finding::{Code, Finding};
use crate::kuberesources::Kuberesources;
use crate::names::Picks;
use crate::snapshot::Snapshot;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// `keys-beside-snapshot`.
pub(super) fn keys_beside(
    half: &Located<Snapshot>,
    other: &Located<Kuberesources>,
) -> Option<Finding> {
    encrypted(&half.facts).next()?;
    let mut pairs = half
        .places()
        .flat_map(|place| other.places().map(move |other| (place, other)));
    let (snapshot, kuberesources) =
        pairs.find(|(place, other)| place.directory() == other.directory())?;
    let directory = snapshot.directory().unwrap_or_default();
    let directory = directory.display().to_string();
    let message = format!(
        "encryption is on and both halves lie in {directory}: whoever reads it has data and keys"
    );
    let remedy = format!("keep {kuberesources} in another place with other access rights");
    let finding = Finding::new(Code::KeysBesideSnapshot, message).with("directory", directory);
    Some(
        finding
            .with("kuberesources", kuberesources.to_string())
            .remedy(remedy),
    )
}

/// `restore-picks-other`: in the directory of the shown snapshot the script takes files with other bytes.
///
/// Where one half is missing the script stops, or takes the other half from another backup: both are told only when
/// it would take something.
pub(super) fn picks_other(
    half: &Located<Snapshot>,
    other: Option<&Located<Kuberesources>>,
    picks: &Picks,
) -> Option<Finding> {
    let directory = half.path.as_path()?.parent()?;
    let place = |name: &Option<OsString>| name.as_ref().map(|name| directory.join(name));
    let is_own = |pick: &PathBuf| half.places().any(|place| *place == *pick);
    let is_partner =
        |pick: &PathBuf| other.is_some_and(|other| other.places().any(|place| *place == *pick));
    let snapshot = place(&picks.snapshot).filter(|pick| !is_own(pick));
    let kuberesources = place(&picks.kuberesources).filter(|pick| !is_partner(pick));
    let taken: Vec<PathBuf> = snapshot.into_iter().chain(kuberesources).collect();
    if taken.is_empty() {
        return None;
    }
    let names: Vec<String> = taken.iter().filter_map(|pick| name_of(pick)).collect();
    let directory = directory.display().to_string();
    let message = format!(
        "cluster-restore.sh run on {directory} would not take this pair but {} there",
        names.join(" and ")
    );
    let remedy = format!(
        "copy this pair alone with etcd-cat stage {} --to DIR and run the script on DIR",
        half.facts.computed.id()
    );
    let taken: Vec<String> = taken
        .iter()
        .map(|pick| pick.display().to_string())
        .collect();
    let finding = Finding::new(Code::RestorePicksOther, message).with("directory", directory);
    Some(finding.with("picks", taken).remedy(remedy))
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.display().to_string())
}
