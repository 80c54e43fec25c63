//! What `cluster-restore.sh` would take from a directory, as a part of documents.

use crate::output::text;
use etcd_cat::backup::Verdict;
use etcd_cat::judgement::{ChoiceOutcome, RestoreChoice};
use etcd_cat::source::ObjectId;
use serde::Serialize;
use std::path::PathBuf;

/// What `cluster-restore.sh` run on a directory would take there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RestoreChoiceView {
    /// The directory.
    directory: String,
    /// The snapshot.
    snapshot: Option<String>,
    /// The kuberesources; null where the script would find none and stop half way.
    kuberesources: Option<String>,
    /// The backup that the two are; null where they are not one, or could not be looked at.
    backup: Option<String>,
    /// The verdict on that backup.
    verdict: Option<Verdict>,
    /// It would join halves of two backups, or take one that does not restore.
    harmful: bool,
}

impl RestoreChoiceView {
    /// Of one directory.
    pub(super) fn new((directory, choice): (&PathBuf, &RestoreChoice)) -> Self {
        let path = |path: &Option<PathBuf>| {
            let path = path.as_deref();
            path.map(|path| text::path(ObjectId::from(path)))
        };
        let (backup, verdict) = match &choice.outcome {
            ChoiceOutcome::Backup { id, verdict } => (id.clone(), Some(*verdict)),
            ChoiceOutcome::Nothing | ChoiceOutcome::Mixture | ChoiceOutcome::Unknown => {
                (None, None)
            }
        };
        Self {
            directory: text::path(ObjectId::from(directory.as_path())),
            snapshot: path(&choice.snapshot),
            kuberesources: path(&choice.kuberesources),
            backup,
            verdict,
            harmful: choice.is_harmful(),
        }
    }
}
