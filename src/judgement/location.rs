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
    snapshot: &Located<Snapshot>,
    kuberesources: &Located<Kuberesources>,
) -> Option<Finding> {
    encrypted(&snapshot.facts).next()?;
    let mut pairs = snapshot
        .places()
        .flat_map(|place| kuberesources.places().map(move |second| (place, second)));
    let (snapshot, kuberesources) =
        pairs.find(|(place, second)| place.directory() == second.directory())?;
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
    snapshot: &Located<Snapshot>,
    kuberesources: Option<&Located<Kuberesources>>,
    picks: &Picks,
) -> Option<Finding> {
    let directory = snapshot.path.as_path()?.parent()?;
    let place = |name: &Option<OsString>| name.as_ref().map(|name| directory.join(name));
    let is_own = |pick: &PathBuf| snapshot.places().any(|place| *place == *pick);
    let is_partner = |pick: &PathBuf| {
        kuberesources.is_some_and(|archive| archive.places().any(|place| *place == *pick))
    };
    let taken_snapshot = place(&picks.snapshot).filter(|pick| !is_own(pick));
    let taken_kuberesources = place(&picks.kuberesources).filter(|pick| !is_partner(pick));
    let taken: Vec<PathBuf> = taken_snapshot
        .into_iter()
        .chain(taken_kuberesources)
        .collect();
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
        snapshot.facts.computed.id()
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
