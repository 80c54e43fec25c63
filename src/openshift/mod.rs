//! What OpenShift keeps in Kubernetes: its version, its identity, its static pods' revisions.

mod cluster;
mod objects;

pub use cluster::{Cluster, HistoryEntry, NodeRevision, OperatorRollout, Topology};
