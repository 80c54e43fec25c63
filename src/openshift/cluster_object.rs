//! Where the objects that describe a cluster lie.

use super::component::{component_named, component_of_operator};
use super::recovery;
use std::borrow::Cow;

const CONFIG: &[u8] = b"/kubernetes.io/config.openshift.io/";
const CORE: &[u8] = b"/kubernetes.io/";
const WEBHOOKS: [&str; 2] = [
    "validatingwebhookconfiguration",
    "mutatingwebhookconfiguration",
];
const OPERATOR: &[u8] = b"/kubernetes.io/operator.openshift.io/";

/// An object that says something of the cluster; none of them is ever encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClusterObject {
    /// ClusterVersion `version`.
    Version,
    /// Infrastructure `cluster`.
    Infrastructure,
    /// ClusterOperator of a control-plane component.
    ClusterOperator(&'static str),
    /// The resource of the operator that rolls out the static pods of a component.
    StaticPodOperator(&'static str),
    /// A node.
    Node,
    /// An admission configuration of this kind.
    Webhooks(&'static str),
}

impl ClusterObject {
    /// The object at this storage key; `None` for all others.
    pub(crate) fn at(storage_key: &[u8]) -> Option<Self> {
        if let Some(path) = storage_key.strip_prefix(CONFIG) {
            return match path {
                b"clusterversions/version" => Some(Self::Version),
                b"infrastructures/cluster" => Some(Self::Infrastructure),
                _ => path
                    .strip_prefix(b"clusteroperators/")
                    .and_then(component_named)
                    .map(Self::ClusterOperator),
            };
        }
        if let Some(path) = storage_key.strip_prefix(CORE) {
            if path.starts_with(b"minions/") {
                return Some(Self::Node);
            }
            let kind = WEBHOOKS.into_iter().find(|kind| {
                let rest = path.strip_prefix(kind.as_bytes());
                rest.is_some_and(|rest| rest.starts_with(b"s/"))
            });
            if kind.is_some() {
                return kind.map(Self::Webhooks);
            }
        }
        let plural = storage_key
            .strip_prefix(OPERATOR)?
            .strip_suffix(b"/cluster")?;
        component_of_operator(plural).map(Self::StaticPodOperator)
    }

    /// What is kept of a stored value until it is known to be alive: all of a custom resource, which is JSON, and as JSON
    /// what is wanted of the others. `None`: nothing.
    pub(crate) fn excerpt(self, value: &[u8]) -> Option<Cow<'_, [u8]>> {
        let json = match self {
            Self::Node => serde_json::to_vec(&recovery::node(value)?),
            Self::Webhooks(kind) => serde_json::to_vec(&recovery::webhook(kind, value)?),
            _ => return Some(Cow::Borrowed(value)),
        };
        json.ok().map(Cow::Owned)
    }
}
