//! What is wrong with where the files lie.

use super::encryption::encrypted;
use crate::backup::Located;
use crate::finding::{Code, Finding};
use crate::kuberesources::Kuberesources;
use crate::snapshot::Snapshot;
use std::path::{Path, PathBuf};

/// What `cluster-restore.sh` would take from one directory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DirectoryPicks {
    /// The last `snapshot*.db` in version order.
    pub snapshot: Option<PathBuf>,
    /// The last `static_kuberesources*.tar.gz` in version order.
    pub kuberesources: Option<PathBuf>,
}

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
        pairs.find(|(place, other)| place.parent() == other.parent())?;
    let directory = snapshot
        .parent()
        .unwrap_or(Path::new(""))
        .display()
        .to_string();
    let message = format!(
        "encryption is on and both halves lie in {directory}: whoever reads it has data and keys"
    );
    let remedy = format!(
        "keep {} in another place with other access rights",
        kuberesources.display()
    );
    let finding = Finding::new(Code::KeysBesideSnapshot, message).with("directory", directory);
    Some(
        finding
            .with("kuberesources", kuberesources.display().to_string())
            .remedy(remedy),
    )
}

/// `restore-picks-other`: in the directory of the shown snapshot the script takes files with other bytes.
pub(super) fn picks_other(
    half: &Located<Snapshot>,
    other: Option<&Located<Kuberesources>>,
    picks: &DirectoryPicks,
) -> Option<Finding> {
    let is_own = |pick: &PathBuf| half.places().any(|place| place == pick);
    let is_partner =
        |pick: &PathBuf| other.is_some_and(|other| other.places().any(|place| place == pick));
    let snapshot = picks.snapshot.as_ref().filter(|pick| !is_own(pick));
    let kuberesources = picks
        .kuberesources
        .as_ref()
        .filter(|pick| !is_partner(pick));
    let taken: Vec<String> = snapshot
        .into_iter()
        .chain(kuberesources)
        .map(|pick| pick.display().to_string())
        .collect();
    if taken.is_empty() {
        return None;
    }
    let directory = half
        .path
        .parent()
        .unwrap_or(Path::new(""))
        .display()
        .to_string();
    let message = format!(
        "cluster-restore.sh run on {directory} would take {} instead",
        taken.join(" and ")
    );
    let remedy = format!(
        "copy this pair alone with etcd-cat stage {} --to DIR and run the script on DIR",
        short_id(&half.facts)
    );
    let finding = Finding::new(Code::RestorePicksOther, message).with("directory", directory);
    Some(finding.with("picks", taken).remedy(remedy))
}

fn short_id(snapshot: &Snapshot) -> String {
    snapshot.computed.to_string().chars().take(12).collect()
}
