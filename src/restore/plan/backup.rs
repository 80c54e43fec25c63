//! What of a backup decides how its restore goes.

use super::input::{Encryption, Plan, PlanInput};
use super::make::plan;
use crate::backup::Backup;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use std::path::Path;

impl Plan {
    /// The plan that restores `backup`; `staged` is the directory that holds the pair already.
    ///
    /// `None` without a snapshot or without a version.
    pub fn of(backup: &Backup, staged: Option<&Path>, now: DateTime<Utc>) -> Option<Self> {
        let snapshot = &backup.snapshot.as_ref()?.facts;
        let archive = backup.kuberesources.as_ref().map(|half| &half.facts);
        let id = backup.id();
        Some(plan(&PlanInput {
            version: backup.version.openshift.as_deref()?,
            topology: snapshot.cluster.topology.as_ref(),
            staged_directory: staged,
            backup_id: id.as_deref(),
            snapshot_bytes: snapshot.size_bytes,
            kuberesources_bytes: archive.map(|facts| facts.size_bytes),
            has_trailer: snapshot.trailer.is_some(),
            control_plane_nodes: archive.map_or(&[], |facts| facts.control_plane_nodes.as_slice()),
            recovery_node: archive.and_then(|facts| facts.node.as_deref()),
            taken_at: backup.taken_at,
            now,
            encryption: encryption(snapshot),
        }))
    }
}

fn encryption(snapshot: &Snapshot) -> Encryption {
    match snapshot
        .encryption
        .iter()
        .find(|usage| usage.is_encrypted())
    {
        None => Encryption::None,
        Some(usage) if usage.provider == "kms" => Encryption::Kms,
        Some(_) => Encryption::Keys,
    }
}
