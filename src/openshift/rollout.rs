//! Whether the static pods of a component were being replaced.

use super::cluster::{NodeRevision, OperatorRollout};

/// What is still to come on a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PendingRevision {
    /// The operator is rolling out this revision there.
    Target(i64),
    /// A newer revision exists and its turn has not come.
    Newest(i64),
}

impl OperatorRollout {
    /// The revision that `node` is still to come to; `None` when it has the newest one.
    pub fn pending(&self, node: &NodeRevision) -> Option<PendingRevision> {
        if node.target_revision != 0 {
            return Some(PendingRevision::Target(node.target_revision));
        }
        self.latest_available_revision
            .filter(|&latest| latest != node.current_revision)
            .map(PendingRevision::Newest)
    }

    /// The operator says that it is changing something, or `node` is not at the newest revision.
    pub(crate) fn is_rolling_on(&self, node: &NodeRevision) -> bool {
        self.progressing == Some(true) || self.pending(node).is_some()
    }

    /// The same of any node.
    pub(crate) fn is_rolling(&self) -> bool {
        self.progressing == Some(true) || self.nodes.iter().any(|node| self.pending(node).is_some())
    }
}
