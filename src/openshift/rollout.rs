//! Whether the static pods of a component were being replaced.

use super::cluster::{Cluster, NodeRevision, OperatorRollout};
use super::component::COMPONENTS;

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

    /// The operator says that it is changing nothing, and every node is known to be at the newest revision.
    fn is_settled(&self) -> bool {
        self.progressing == Some(false)
            && self.latest_available_revision.is_some()
            && !self.nodes.is_empty()
            && !self.is_rolling()
    }

    /// The same of any node.
    pub(crate) fn is_rolling(&self) -> bool {
        self.progressing == Some(true) || self.nodes.iter().any(|node| self.pending(node).is_some())
    }
}

impl Cluster {
    /// Proof that nothing was rolling out: every component is there and had settled, at one version.
    pub(crate) fn is_settled(&self) -> bool {
        let has_settled = |component: &str| {
            let mut operators = self.operators.iter();
            operators.any(|operator| operator.component == component && operator.is_settled())
        };
        self.settled_version().is_some()
            && COMPONENTS.iter().all(|component| has_settled(component))
    }
}
