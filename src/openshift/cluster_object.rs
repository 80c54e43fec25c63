//! Where the objects that describe a cluster lie.

use super::component::{component_named, component_of_operator};

const CONFIG: &[u8] = b"/kubernetes.io/config.openshift.io/";
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
        let plural = storage_key
            .strip_prefix(OPERATOR)?
            .strip_suffix(b"/cluster")?;
        component_of_operator(plural).map(Self::StaticPodOperator)
    }
}
