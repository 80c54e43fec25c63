//! Where the cluster's own automated backups lie: on hosts, and on volumes that a host has.

use super::types::List;
use crate::monitor::Monitor;
use crate::oc::client::{Call, Oc, Patience, RunError, commands, is_name};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// On every control-plane host: what the backup server wrote, what was taken before an upgrade (4.9 to 4.14), and what a
/// host kept as a copy (4.4 and 4.5).
///
/// Source: cluster-etcd-operator `pkg/cmd/backuprestore/backupserver.go`, `pkg/operator/upgradebackupcontroller`,
/// `pkg/cmd/rollbackcopy`.
const HOST_DIRECTORIES: [&str; 3] = [
    "/var/lib/etcd-auto-backup",
    "/etc/kubernetes/cluster-backup",
    "/etc/kubernetes/rollbackcopy",
];

/// Volumes asked for; a cluster has one or two.
const MOST_VOLUMES: usize = 16;

/// Directories in which backups of the policy lie, one level down.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct PolicyPlaces {
    /// By host; the empty name stands for every control-plane host.
    on_hosts: BTreeMap<String, BTreeSet<String>>,
    /// Claims whose volumes no host has as a directory: only a pod can look into them.
    pub(crate) claims: Vec<String>,
    /// Claims that cannot be looked into, and why.
    pub(crate) out_of_reach: Vec<String>,
}

impl PolicyPlaces {
    /// Those to look into on a host.
    pub(crate) fn on(&self, node: &str, is_control_plane: bool) -> Vec<String> {
        let common = is_control_plane
            .then_some(HOST_DIRECTORIES)
            .into_iter()
            .flatten()
            .map(str::to_owned);
        // A volume that names no host may be on any of them, and backups are taken on these.
        let anywhere = is_control_plane.then_some("");
        let names = [Some(node), anywhere].into_iter().flatten();
        let volumes = names.filter_map(|name| self.on_hosts.get(name));
        common.chain(volumes.flatten().cloned()).collect()
    }

    fn add(&mut self, claim: &str, volume: &Volume) {
        let source = &volume.spec;
        let local = source.local.as_ref().or(source.host_path.as_ref());
        let Some(path) = local.map(|found| found.path.trim_end_matches('/')) else {
            self.claims.push(claim.to_owned());
            return;
        };
        if !is_plain(path) {
            self.out_of_reach.push(format!(
                "claim {claim} in openshift-etcd: the path of its volume has more than letters, digits, `_`, `-`, `.` and `/`"
            ));
            return;
        }
        let mut hosts = source.hosts();
        if hosts.is_empty() {
            hosts.push(String::new());
        }
        for host in hosts {
            self.on_hosts
                .entry(host)
                .or_default()
                .insert(path.to_owned());
        }
    }
}

/// Asks which claims the policy writes to, and where they are.
///
/// # Errors
/// The API server is away. A cluster that has no such kinds, or does not let them be read, is none.
pub(crate) fn policy_places(
    oc: &Oc,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<PolicyPlaces, RunError> {
    let mut places = PolicyPlaces::default();
    let ask = Asking {
        oc,
        patience,
        monitor,
    };
    let mut claims = BTreeSet::new();
    for call in [commands::etcd_backups(), commands::backup_policies()] {
        let found: Option<List<PolicyObject>> = ask.read(&call, &mut places)?;
        let specs = found
            .into_iter()
            .flat_map(|list| list.items)
            .map(|item| item.spec);
        claims.extend(
            specs
                .flat_map(|spec| [spec.pvc_name, spec.etcd.pvc_name])
                .flatten(),
        );
    }
    for claim in claims
        .iter()
        .filter(|claim| is_name(claim))
        .take(MOST_VOLUMES)
    {
        let Some(found) = ask.read::<Claim>(&commands::etcd_claim(claim), &mut places)? else {
            continue;
        };
        let name = found.spec.volume_name;
        if !is_name(&name) {
            places
                .out_of_reach
                .push(format!("claim {claim} in openshift-etcd has no volume"));
            continue;
        }
        if let Some(volume) = ask.read(&commands::volume(&name), &mut places)? {
            places.add(claim, &volume);
        }
    }
    Ok(places)
}

struct Asking<'a> {
    oc: &'a Oc,
    patience: Patience,
    monitor: &'a dyn Monitor,
}

impl Asking<'_> {
    /// `None` where there is no such thing; one that may not be read is told.
    fn read<T: DeserializeOwned>(
        &self,
        call: &Call,
        places: &mut PolicyPlaces,
    ) -> Result<Option<T>, RunError> {
        match self.oc.json(call, self.patience, self.monitor) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_missing_object() || error.is_unknown_kind() => Ok(None),
            Err(error) if error.is_forbidden() => {
                places.out_of_reach.push(error.reason());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// A path that a shell on the host reads as one word.
pub(crate) fn is_plain(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    path.starts_with('/')
        && path.bytes().all(is_plain)
        && !path.split('/').any(|part| part == ".." || part == ".")
}

/// EtcdBackup (`spec.pvcName`) or Backup (`spec.etcd.pvcName`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PolicyObject {
    spec: PolicySpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PolicySpec {
    pvc_name: Option<String>,
    etcd: PolicyOfEtcd,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PolicyOfEtcd {
    pvc_name: Option<String>,
}

/// PersistentVolumeClaim.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claim {
    spec: ClaimSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimSpec {
    volume_name: String,
}

/// PersistentVolume.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Volume {
    spec: VolumeSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VolumeSpec {
    local: Option<VolumePath>,
    host_path: Option<VolumePath>,
    node_affinity: NodeAffinity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VolumePath {
    path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeAffinity {
    required: NodeSelector,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeSelector {
    node_selector_terms: Vec<NodeTerm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeTerm {
    match_expressions: Vec<NodeExpression>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeExpression {
    key: String,
    operator: String,
    values: Vec<String>,
}

impl VolumeSpec {
    /// Hosts that the volume is on, by `kubernetes.io/hostname`; none is any of them.
    fn hosts(&self) -> Vec<String> {
        let terms = &self.node_affinity.required.node_selector_terms;
        let expressions = terms.iter().flat_map(|term| &term.match_expressions);
        expressions
            .filter(|one| one.key == "kubernetes.io/hostname" && one.operator == "In")
            .flat_map(|one| one.values.iter().cloned())
            .filter(|name| is_name(name))
            .collect()
    }
}
