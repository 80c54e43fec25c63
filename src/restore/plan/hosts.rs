//! The control-plane hosts: which a backup knows, and what became of each.

use crate::backup::Backup;
use std::net::IpAddr;

/// What of the control plane is gone, and where to restore.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Disaster {
    /// The host to restore on, by name or address; `None`: the one whose kuberesources it is, or another that lives.
    pub recovery_host: Option<String>,
    /// Hosts that will not come back, by name or address.
    pub lost: Vec<String>,
}

/// A control-plane host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    /// Its name as a node.
    pub name: String,
    /// Its address in the cluster.
    pub address: Option<IpAddr>,
}

/// What was said of the hosts does not fit the backup.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// No host is called so.
    #[error("no control-plane host is called {name:?}, the backup knows {}", known.join(", "))]
    Unknown {
        /// What was given.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// It cannot be the name of a host.
    #[error("{name:?} is neither the name nor the address of a host")]
    NoName {
        /// What was given.
        name: String,
    },
    /// Nothing can be restored on a host that is gone.
    #[error("{name:?} is lost and cannot be the recovery host")]
    RecoveryHostLost {
        /// The host.
        name: String,
    },
    /// One has to live.
    #[error("all control-plane hosts are said to be lost; a restore needs one that lives or boots")]
    NoneLeft,
}

/// What each host is in this restore.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hosts {
    /// The one to restore on; `None` when no host is known.
    pub recovery: Option<Host>,
    /// The others that live.
    pub others: Vec<Host>,
    /// Those that will not come back.
    pub lost: Vec<Host>,
}

impl Host {
    /// What a shell takes for it.
    pub(super) fn target(&self) -> String {
        match self.address {
            Some(address) => address.to_string(),
            None => self.name.clone(),
        }
    }

    /// The same before the colon of `scp`.
    pub(super) fn copy_target(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.target(),
        }
    }

    fn answers_to(&self, wanted: &str) -> bool {
        let short = |name: &str| {
            name.split('.')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        let is_address = self
            .address
            .is_some_and(|address| wanted.parse() == Ok(address));
        is_address
            || self.name.eq_ignore_ascii_case(wanted)
            || (!wanted.contains(':') && short(&self.name) == short(wanted))
    }
}

impl Hosts {
    /// The hosts that `backup` knows, sorted out by what is said of the disaster.
    ///
    /// # Errors
    ///
    /// What is said does not fit.
    pub fn of(backup: &Backup, disaster: &Disaster) -> Result<Self, HostError> {
        let archive = backup.kuberesources.as_ref().map(|half| &half.facts);
        let preferred = archive.and_then(|facts| facts.node.as_deref());
        Self::sorted_out(known_hosts(backup), preferred, disaster)
    }

    /// Sorts out `known`; `preferred` is the recovery host where none is named and it lives.
    pub(super) fn sorted_out(
        mut known: Vec<Host>,
        preferred: Option<&str>,
        disaster: &Disaster,
    ) -> Result<Self, HostError> {
        let names: Vec<String> = known.iter().map(|host| host.name.clone()).collect();
        let mut lost: Vec<Host> = Vec::new();
        for name in &disaster.lost {
            let host = taken(&mut known, name);
            match host {
                Some(host) => lost.push(host),
                None if lost.iter().any(|one| one.answers_to(name)) => {}
                None => lost.push(named(name, &names)?),
            }
        }
        let recovery = match &disaster.recovery_host {
            Some(name) if lost.iter().any(|one| one.answers_to(name)) => {
                return Err(HostError::RecoveryHostLost { name: name.clone() });
            }
            Some(name) => Some(match taken(&mut known, name) {
                Some(host) => host,
                None => named(name, &names)?,
            }),
            None if known.is_empty() && !names.is_empty() => return Err(HostError::NoneLeft),
            None => preferred
                .and_then(|name| taken(&mut known, name))
                .or_else(|| (!known.is_empty()).then(|| known.remove(0))),
        };
        Ok(Self {
            recovery,
            others: known,
            lost,
        })
    }

    /// Hosts of which something is to be done: those that live.
    pub(super) fn living(&self) -> impl Iterator<Item = &Host> {
        self.recovery.iter().chain(&self.others)
    }

    /// Do enough live for etcd to have kept its quorum?
    pub(super) fn has_quorum(&self) -> bool {
        let living = self.living().count();
        !self.lost.is_empty() && living > self.lost.len()
    }
}

fn taken(known: &mut Vec<Host>, wanted: &str) -> Option<Host> {
    let index = known.iter().position(|host| host.answers_to(wanted))?;
    Some(known.remove(index))
}

/// A host of which only the user knows.
fn named(name: &str, known: &[String]) -> Result<Host, HostError> {
    if !is_host_name(name) {
        return Err(HostError::NoName {
            name: name.to_owned(),
        });
    }
    if !known.is_empty() {
        return Err(HostError::Unknown {
            name: name.to_owned(),
            known: known.to_vec(),
        });
    }
    Ok(Host {
        name: name.to_owned(),
        address: name.parse().ok(),
    })
}

/// Every control-plane host that either half names by a valid name, by name, with its address where one is known.
fn known_hosts(backup: &Backup) -> Vec<Host> {
    let snapshot = backup.snapshot.as_ref().map(|half| &half.facts);
    let archive = backup.kuberesources.as_ref().map(|half| &half.facts);
    let members = snapshot.map_or(&[][..], |facts| facts.members.as_slice());
    let operators = snapshot.map_or(&[][..], |facts| facts.cluster.operators.as_slice());
    let mut names: Vec<&str> = Vec::new();
    names.extend(
        archive
            .iter()
            .flat_map(|facts| &facts.control_plane_nodes)
            .map(String::as_str),
    );
    names.extend(
        operators
            .iter()
            .flat_map(|one| &one.nodes)
            .map(|one| one.node.as_str()),
    );
    let nodes = snapshot.map_or(&[][..], |facts| facts.cluster.control_plane.as_slice());
    names.extend(nodes.iter().map(|node| node.name.as_str()));
    if names.is_empty() {
        let members = members.iter().map(|member| member.name.as_str());
        names.extend(members.filter(|name| *name != "etcd-bootstrap"));
    }
    names.retain(|name| is_host_name(name));
    names.sort_unstable();
    names.dedup();
    let of_node = |name: &str| {
        let node = nodes.iter().find(|node| node.name == name)?;
        usable(node.internal_address.as_deref()?)
    };
    let of_member = |name: &str| {
        let member = members.iter().find(|member| member.name == name)?;
        let from_url = member.peer_urls.iter().find_map(|url| address_in(url));
        from_url.or_else(|| {
            let id = format!("{:x}", member.id);
            let endpoint = archive?.etcd_endpoints.get(&id)?;
            usable(endpoint.trim_matches(['[', ']']))
        })
    };
    names
        .into_iter()
        .map(|name| Host {
            name: name.to_owned(),
            address: of_node(name).or_else(|| of_member(name)),
        })
        .collect()
}

/// The address in `https://10.0.0.10:2380` or `https://[fd00::10]:2380`.
fn address_in(url: &str) -> Option<IpAddr> {
    let (_, rest) = url.split_once("://")?;
    let (host, _) = rest.rsplit_once(':')?;
    usable(host.trim_matches(['[', ']']))
}

/// An address that leads to another machine.
fn usable(address: &str) -> Option<IpAddr> {
    let address: IpAddr = address.parse().ok()?;
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Names come from inside the backup: only those that no shell gives a meaning go into a command.
fn is_host_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_address = name.parse::<IpAddr>().is_ok();
    is_address
        || name.len() <= 253
            && name.bytes().all(is_allowed)
            && is_edge(name.bytes().next())
            && is_edge(name.bytes().next_back())
}
