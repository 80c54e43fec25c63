//! What OpenShift keeps in Kubernetes, and the rules by which it is read: versions, identity, revisions of static pods.

pub(crate) mod api;
mod cluster;
mod cluster_object;
mod component;
mod learn;
mod recovery;
mod rollout;
mod rotation;
mod version;

pub use cluster::{Cluster, HistoryEntry, NodeRevision, OperatorRollout, Topology};
pub(crate) use cluster_object::ClusterObject;
pub use component::COMPONENTS;
pub use recovery::{BlockingWebhook, ControlPlaneNode};
pub use rollout::PendingRevision;
pub(crate) use rotation::FirstRotation;
pub(crate) use version::settled_version;
