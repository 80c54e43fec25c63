//! What of a backup decides how its restore goes.

use super::hosts::{HostError, Hosts};
use super::input::{Encryption, Plan, PlanInput, PlanRequest, StageCall};
use super::make::plan;
use crate::backup::Backup;
use crate::snapshot::Snapshot;

impl Plan {
    /// The plan that restores `backup`; `None` without a snapshot or without a version.
    ///
    /// # Errors
    ///
    /// What is said of the hosts does not fit the backup.
    pub fn of(backup: &Backup, request: &PlanRequest<'_>) -> Result<Option<Self>, HostError> {
        let hosts = Hosts::of(backup, request.disaster)?;
        let Some(snapshot) = backup.snapshot.as_ref().map(|half| &half.facts) else {
            return Ok(None);
        };
        let Some(version) = backup.version.openshift.as_deref() else {
            return Ok(None);
        };
        let archive = backup.kuberesources.as_ref().map(|half| &half.facts);
        let id = backup.id();
        Ok(Some(plan(&PlanInput {
            version,
            topology: snapshot.cluster.topology.as_ref(),
            staged_directory: request.staged,
            backup_id: id.as_deref(),
            stage_command: stage_command(backup, request.stage_call),
            snapshot_bytes: snapshot.size_bytes,
            kuberesources_bytes: archive.map(|facts| facts.size_bytes),
            has_trailer: snapshot.trailer.is_some(),
            hosts,
            taken_at: backup.taken_at,
            now: request.now,
            encryption: encryption(snapshot),
            webhooks: &snapshot.cluster.blocking_webhooks,
        })))
    }
}

/// `None` when a name is no text: it cannot be pasted.
fn stage_command(backup: &Backup, call: &StageCall) -> Option<Vec<String>> {
    let mut words = vec!["etcd-cat".to_owned(), "stage".to_owned()];
    if call.is_by_path {
        let snapshot = backup.snapshot.as_ref().map(|half| &half.path);
        let archive = backup.kuberesources.as_ref().map(|half| &half.path);
        // The backup, and the places to find both halves at.
        for place in snapshot.into_iter().chain(snapshot).chain(archive) {
            words.push(place.as_os_str().to_str()?.to_owned());
        }
    } else {
        words.push(backup.id()?);
    }
    words.extend(call.options.iter().cloned());
    Some(words)
}

fn encryption(snapshot: &Snapshot) -> Encryption {
    let mut used = snapshot
        .encryption
        .iter()
        .filter(|usage| usage.is_encrypted());
    Encryption {
        has_kms: used.clone().any(|usage| usage.provider == "kms"),
        has_keys: used.any(|usage| usage.provider != "kms"),
    }
}
