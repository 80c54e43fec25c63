//! What a plan is made from, and what it is.

use super::hosts::{Disaster, Hosts};
use crate::openshift::{BlockingWebhook, Topology};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;

/// How the values in the snapshot are stored.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Encryption {
    /// Some with keys that lie in the kuberesources.
    pub has_keys: bool,
    /// Some with a KMS, which must answer during the restore.
    pub has_kms: bool,
}

/// How this program is called to stage a backup, so that what is printed runs as it stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StageCall {
    /// Options such as `--catalogue PATH`, as words.
    pub options: Vec<String>,
    /// The backup is named by its files, as no catalogue knows it.
    pub is_by_path: bool,
}

/// What besides the backup decides how its restore goes.
#[derive(Clone, Debug)]
pub struct PlanRequest<'a> {
    /// Directory that holds the staged pair; `None`: still to be staged.
    pub staged: Option<&'a Path>,
    /// What of the control plane is gone.
    pub disaster: &'a Disaster,
    /// How this program is called.
    pub stage_call: &'a StageCall,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Everything that decides how a restore goes.
#[derive(Clone, Debug)]
pub(super) struct PlanInput<'a> {
    /// OpenShift version of the backup and of the cluster: `4.17.3`.
    pub(super) version: &'a str,
    /// Control plane topology; `None` is taken for three nodes.
    pub(super) topology: Option<&'a Topology>,
    /// Directory that holds the staged pair; `None`: still to be staged.
    pub(super) staged_directory: Option<&'a Path>,
    /// Id of the backup, which names directories.
    pub(super) backup_id: Option<&'a str>,
    /// The words of the staging command but for its directory; `None`: there is nothing to name it by.
    pub(super) stage_command: Option<Vec<String>>,
    /// Length of the snapshot in bytes.
    pub(super) snapshot_bytes: u64,
    /// Length of the kuberesources in bytes; `None`: there is none.
    pub(super) kuberesources_bytes: Option<u64>,
    /// False for a raw copy, which has no SHA-256 at its end.
    pub(super) has_trailer: bool,
    /// What becomes of each control-plane host.
    pub(super) hosts: Hosts,
    /// When the backup was taken.
    pub(super) taken_at: Option<DateTime<Utc>>,
    /// Now.
    pub(super) now: DateTime<Utc>,
    /// How values are stored.
    pub(super) encryption: Encryption,
    /// Webhooks that reject what they cannot be asked about.
    pub(super) webhooks: &'a [BlockingWebhook],
}

/// What to know and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What to know first, most important first.
    pub warnings: Vec<String>,
    /// In this order; empty when this program knows no safe way.
    pub steps: Vec<Step>,
    /// Free space to have below `/var` of the recovery host, in bytes.
    pub space_needed_bytes: u64,
}

/// One step of a plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// What it is for, one or two sentences.
    pub text: String,
    /// To be pasted as it is; `None` when the step is for eyes and hands.
    pub command: Option<String>,
    /// Where: `this machine`, `recovery host master-0`, ...
    pub place: String,
}

impl Step {
    pub(super) fn run(
        place: impl Into<String>,
        command: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            text: text.into(),
            command: Some(command.into()),
            place: place.into(),
        }
    }

    pub(super) fn look(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            command: None,
            place: place.into(),
        }
    }
}

impl PlanInput<'_> {
    /// Time since the backup was taken.
    pub(super) fn age(&self) -> Option<TimeDelta> {
        self.taken_at.map(|taken_at| self.now - taken_at)
    }

    /// Where the pair is put on the recovery host: below the home of the user `core`, who may write there.
    pub(super) fn remote_directory(&self) -> String {
        format!("/home/core/{}", self.directory_name())
    }

    /// The name of the staged directory, here and there.
    pub(super) fn directory_name(&self) -> String {
        format!("restore-{}", self.backup_id.unwrap_or("pair"))
    }

    /// One control plane node, so nothing to stop elsewhere.
    pub(super) fn is_single_node(&self) -> bool {
        self.topology == Some(&Topology::SingleReplica)
    }

    /// Are other control-plane hosts there, or may they be?
    pub(super) fn has_others(&self) -> bool {
        let is_known_alone = self.hosts.recovery.is_some()
            && self.hosts.others.is_empty()
            && !self.hosts.lost.is_empty();
        !self.is_single_node() && !is_known_alone
    }
}

/// A word for a POSIX shell.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+:@%,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
