//! What a file name admits.

use super::text::first_few;
use crate::backup::Located;
use crate::finding::{Artifact, Code, Finding, Severity};
use crate::kuberesources::Kuberesources;
use crate::names::{POSSIBLY_DIRTY, PutAside};
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use std::path::Path;

/// `possibly-dirty`: some name of either half carries the mark. Advice where the content proves that nothing was rolling
/// out.
pub(super) fn possibly_dirty(
    snapshot: Option<&Located<Snapshot>>,
    kuberesources: Option<&Located<Kuberesources>>,
) -> Option<Finding> {
    let snapshots = snapshot.into_iter().flat_map(Located::places);
    let archives = kuberesources.into_iter().flat_map(Located::places);
    let places = snapshots.chain(archives).filter(|place| is_dirty(place));
    let places: Vec<String> = places.map(ToString::to_string).collect();
    let first = places.first()?;
    let is_settled = snapshot.is_some_and(|half| half.facts.cluster.is_settled());
    let (severity, message, remedy) = if is_settled {
        (
            Severity::Info,
            format!(
                "forced with operators unchecked, but the content proves that none was rolling out: {first}"
            ),
            "nothing; cluster-restore.sh prefers this name to the same one without the mark",
        )
    } else {
        (
            Severity::Warning,
            format!(
                "forced with operators unchecked, so a rollout may have been under way: {first}"
            ),
            Code::PossiblyDirty.remedy(),
        )
    };
    let artifact = if snapshot.is_some() {
        Artifact::Snapshot
    } else {
        Artifact::Kuberesources
    };
    Some(
        Finding::new(Code::PossiblyDirty, message)
            .severity(severity)
            .artifact(artifact)
            .with("paths", places)
            .remedy(remedy),
    )
}

fn is_dirty(place: &ObjectId) -> bool {
    let name = place.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.contains(POSSIBLY_DIRTY))
}

/// `put-aside`: the bytes lie nowhere under a name that may be believed.
pub(super) fn put_aside(half: &Located<Snapshot>) -> Option<Finding> {
    let failed =
        |place: &ObjectId| place.file_name().and_then(PutAside::of) == Some(PutAside::Failed);
    let message = || {
        let place = &half.path;
        format!("{place}: put aside by the run that took it, since it failed verification")
    };
    half.places()
        .all(failed)
        .then(|| Finding::new(Code::PutAside, message()))
}

/// `incomplete-download`: the bytes lie nowhere under a finished name. A warning where they prove to be whole.
pub(super) fn incomplete_download<T>(
    half: &Located<T>,
    artifact: Artifact,
    is_whole: bool,
) -> Option<Finding> {
    let is_part = |place: &ObjectId| {
        let name = place.file_name().map(Path::new);
        name.and_then(Path::extension)
            .is_some_and(|extension| extension == "part")
    };
    if !half.places().all(is_part) {
        return None;
    }
    let places: Vec<String> = half.places().map(ToString::to_string).collect();
    let shown = first_few(places.iter().cloned(), 3);
    let path = &half.path;
    let (severity, message, remedy) = if is_whole {
        (
            Severity::Warning,
            format!(
                "a save was interrupted when only the file's name was missing; it is complete, as its digest proves: {shown}"
            ),
            format!("give it its name, which is the same without .part: {path}"),
        )
    } else {
        (
            Severity::Error,
            format!("a save was interrupted before the file got its name: {shown}"),
            format!("remove {path} once no backup is running, and take a new backup"),
        )
    };
    Some(
        Finding::new(Code::IncompleteDownload, message)
            .severity(severity)
            .artifact(artifact)
            .with("paths", places)
            .remedy(remedy),
    )
}
