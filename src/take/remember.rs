//! Remembers a backup that is believed: what was learnt of it, and how it was taken.

use super::work_directory::Taken;
use crate::backup::{Backup, Provenance};
use crate::catalogue::{
    Catalogue, CatalogueChange, CatalogueContents, CatalogueError, Content, Forget, SnapshotKey,
    Subject,
};
use crate::oc::BackupRun;
use crate::source::ObjectId;
use crate::survey::{self, Depth};

/// With its neighbours in view, as every later command shows it: an earlier backup may make more of it.
pub(super) fn recalled(
    taken: &Taken,
    snapshot: &ObjectId,
    catalogue: &Catalogue,
    options: &survey::SurveyOptions,
) -> Option<Backup> {
    let options = survey::SurveyOptions {
        depth: Depth::New,
        accept: taken.accepted.clone(),
        ..options.clone()
    };
    let backups = survey::recall(catalogue, &options).ok()?;
    backups.into_iter().find(|backup| holds(backup, snapshot))
}

pub(super) fn holds(backup: &Backup, id: &ObjectId) -> bool {
    let snapshot = backup.snapshot.as_ref();
    snapshot.is_some_and(|snapshot| snapshot.places().any(|place| place == id))
}

/// Remembers what was learnt of it where it lies. A catalogue that refuses takes nothing from the backup.
pub(super) fn record(
    taken: &Taken,
    ids: &[ObjectId; 2],
    contents: &CatalogueContents,
    catalogue: &Catalogue,
) -> Result<(), CatalogueError> {
    let mut changes: Vec<CatalogueChange> =
        ids.iter().flat_map(|id| of_file(contents, id)).collect();
    let subjects: Vec<Subject> = ids
        .iter()
        .filter_map(|id| contents.files.get(id)?.content.subject())
        .collect();
    changes.extend(proofs(contents, &subjects));
    changes.extend(
        subjects
            .iter()
            .flat_map(|subject| of_subject(contents, taken, *subject)),
    );
    changes.extend(locations(ids));
    // The files are new: what lay under their names in other days is another story.
    catalogue.forget(&Forget {
        paths: ids.to_vec(),
        ..Forget::default()
    })?;
    catalogue.record(changes)
}

fn of_file(contents: &CatalogueContents, id: &ObjectId) -> Vec<CatalogueChange> {
    let Some(record) = contents.files.get(id) else {
        return Vec::new();
    };
    let facts = match &record.content {
        Content::Snapshot(key) => contents
            .snapshot(key)
            .map(|facts| CatalogueChange::Snapshot(Box::new(facts))),
        Content::Kuberesources(digest) => contents
            .kuberesources(digest)
            .map(|facts| CatalogueChange::Kuberesources(Box::new(facts))),
        _ => None,
    };
    let file = CatalogueChange::File {
        path: id.clone(),
        identity: record.identity.clone(),
        content: record.content.clone(),
        read_at: record.read_at,
        custody: record.custody.clone(),
    };
    facts.into_iter().chain([file]).collect()
}

fn proofs(contents: &CatalogueContents, subjects: &[Subject]) -> Vec<CatalogueChange> {
    let is_ours = |snapshot: SnapshotKey, kuberesources| {
        subjects.contains(&Subject::Snapshot(snapshot))
            && subjects.contains(&Subject::Kuberesources(kuberesources))
    };
    let keys = contents.proofs.keys().copied();
    keys.filter(|(snapshot, kuberesources)| is_ours(*snapshot, *kuberesources))
        .filter_map(|(snapshot, kuberesources)| {
            Some(CatalogueChange::Proof {
                snapshot,
                kuberesources,
                proof: Box::new(contents.proof(snapshot, kuberesources)?),
            })
        })
        .collect()
}

fn of_subject(
    contents: &CatalogueContents,
    taken: &Taken,
    subject: Subject,
) -> Vec<CatalogueChange> {
    let verifications = contents.verifications(&subject).iter();
    let provenance = match subject {
        Subject::Snapshot(snapshot) => Some(CatalogueChange::Provenance {
            snapshot,
            provenance: Box::new(taken.provenance.clone()),
        }),
        Subject::Kuberesources(_) => None,
    };
    verifications
        .map(|verification| CatalogueChange::Verification {
            subject,
            verification: verification.clone(),
        })
        .chain(provenance)
        .collect()
}

/// Where backups go is where they are looked for.
fn locations(ids: &[ObjectId]) -> Vec<CatalogueChange> {
    let directories = ids.iter().filter_map(ObjectId::parent);
    directories
        .map(|directory| CatalogueChange::Location {
            path: directory,
            first_seen_at: crate::instant::now(),
            file_system: None,
        })
        .collect()
}

pub(super) fn provenance(run: &BackupRun) -> Provenance {
    Provenance {
        node: run.node.clone(),
        oc_version: run.oc_version.clone(),
        // What the cluster was when nobody heard it being taken is for the snapshot to say.
        cluster_version: (!run.script_output.is_empty()).then(|| run.version_before.clone()),
        script_output: run.script_output.join("\n"),
        forced: run.forced.iter().map(ToString::to_string).collect(),
        taken_at: run.started_at,
        pod: run.pod.clone(),
        image: run.image.clone(),
        policy: run.policy.clone(),
    }
}
