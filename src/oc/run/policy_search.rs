//! Where the backups of the cluster's own policy are looked for: which directories on which hosts.

use super::error::OcError;
use super::options::BackupOptions;
use crate::monitor::Monitor;
use crate::oc::client::{Oc, commands};
use crate::oc::cluster::look::ObservedCluster;
use crate::oc::cluster::preflight::{Host, hosts};
use crate::oc::cluster::{ReasonCode, RefusalReason, policy_places};

/// Where is looked, and where it could not be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct PolicySearch {
    /// Directories by host.
    pub(super) hosts: Vec<(String, Vec<String>)>,
    /// Claims that a pod looks into.
    pub(super) claims: Vec<String>,
    /// Hosts and claims that are out of reach, and why.
    pub(super) out_of_reach: Vec<String>,
}

impl PolicySearch {
    /// A pod that looks into a claim is talked to by `oc exec` alone.
    fn look_into(&mut self, claims: &[String], may_exec: bool) {
        if may_exec {
            self.claims.extend_from_slice(claims);
            return;
        }
        let told = claims.iter().map(|claim| {
            let place = claim_place(claim);
            format!("{place}: its volume is no directory of a host, and `oc exec` is not allowed")
        });
        self.out_of_reach.extend(told);
    }
}

/// How a claim is called where others have a node.
pub(super) fn claim_place(claim: &str) -> String {
    format!("claim {claim} in {}", commands::ETCD_NAMESPACE)
}

/// Where to look: on each control-plane host that is Ready and each host that has a volume of the policy, or on the one
/// that was asked for.
pub(super) fn search(
    oc: &Oc,
    look: &ObservedCluster,
    options: &BackupOptions,
    monitor: &dyn Monitor,
) -> Result<PolicySearch, OcError> {
    let places = policy_places(oc, options.look_patience(), monitor)?;
    let mut search = PolicySearch {
        out_of_reach: places.out_of_reach.clone(),
        ..PolicySearch::default()
    };
    if options.node.is_none() {
        search.look_into(&places.claims, look.may_exec);
    }
    for host in hosts(look) {
        let Host {
            name,
            is_ready,
            is_control_plane,
        } = host;
        let is_asked_for = options.node.as_deref().is_none_or(|asked| asked == name);
        let directories = places.on(&name, is_control_plane);
        if !is_asked_for || directories.is_empty() {
            continue;
        }
        if is_ready {
            search.hosts.push((name, directories));
        } else {
            search.out_of_reach.push(format!(
                "{} on {name}, which is not Ready",
                directories.join(", ")
            ));
        }
    }
    if search.hosts.is_empty() {
        let what = options.node.as_deref().map_or_else(
            || "no control-plane node is Ready".to_owned(),
            |name| format!("{name} is no Ready node that has backups of the cluster's own policy"),
        );
        let reasons = vec![RefusalReason::new(ReasonCode::NoHealthyNode, what)];
        return Err(OcError::Refused { reasons });
    }
    Ok(search)
}
