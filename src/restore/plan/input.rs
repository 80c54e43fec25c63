//! What a plan is made from, and what it is.

use crate::openshift::Topology;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;

/// Where the pair is put on the recovery host.
pub(super) const BACKUP_DIRECTORY: &str = "/home/core/assets/backup";

/// How the values in the snapshot are stored.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Encryption {
    /// Plain.
    #[default]
    None,
    /// With keys that lie in the kuberesources.
    Keys,
    /// With a KMS, which must answer during the restore.
    Kms,
}

/// Everything that decides how a restore goes.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    /// OpenShift version of the backup and of the cluster: `4.17.3`.
    pub version: &'a str,
    /// Control plane topology; `None` is taken for three nodes.
    pub topology: Option<&'a Topology>,
    /// Directory that holds the staged pair; `None`: still to be staged.
    pub staged_directory: Option<&'a Path>,
    /// Id of the backup, for the staging command.
    pub backup_id: Option<&'a str>,
    /// Length of the snapshot in bytes.
    pub snapshot_bytes: u64,
    /// Length of the kuberesources in bytes; `None`: there is none.
    pub kuberesources_bytes: Option<u64>,
    /// False for a raw copy, which has no SHA-256 at its end.
    pub has_trailer: bool,
    /// Names of the control plane nodes, as the backup knows them.
    pub control_plane_nodes: &'a [String],
    /// The node to restore on; `None`: the node that the kuberesources is of is not known.
    pub recovery_node: Option<&'a str>,
    /// When the backup was taken.
    pub taken_at: Option<DateTime<Utc>>,
    /// Now.
    pub now: DateTime<Utc>,
    /// How values are stored.
    pub encryption: Encryption,
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
    /// To be pasted as it is; `None` when the step is for eyes and hands.
    pub command: Option<String>,
    /// Where and why, one or two sentences.
    pub text: String,
}

impl Step {
    pub(super) fn run(command: impl Into<String>, text: impl Into<String>) -> Self {
        let command = Some(command.into());
        Self {
            command,
            text: text.into(),
        }
    }

    pub(super) fn look(text: impl Into<String>) -> Self {
        Self {
            command: None,
            text: text.into(),
        }
    }
}

impl PlanInput<'_> {
    /// Time since the backup was taken.
    pub(super) fn age(&self) -> Option<TimeDelta> {
        self.taken_at.map(|taken_at| self.now - taken_at)
    }

    /// The recovery host, by name where the name is one.
    pub(super) fn recovery_host(&self) -> Option<&str> {
        self.recovery_node.filter(|name| is_host_name(name))
    }

    /// The other control plane hosts, as far as they are known by valid names.
    pub(super) fn other_hosts(&self) -> Vec<&str> {
        let names = self.control_plane_nodes.iter().map(String::as_str);
        names
            .filter(|name| is_host_name(name) && Some(*name) != self.recovery_node)
            .collect()
    }
}

/// Names come from inside the backup: only those that no shell gives a meaning go into a command.
fn is_host_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    name.len() <= 253
        && name.bytes().all(is_allowed)
        && is_edge(name.bytes().next())
        && is_edge(name.bytes().next_back())
}
