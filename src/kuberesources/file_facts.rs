//! What one file of an archive tells, and what all of them tell together.

use super::facts::ConfiguredProvider;
use super::interest::Interest;
use super::keeping::Keeping;
use super::member::MemberPlace;
use super::pod::{self, StaticPod};
use crate::finding::{Artifact, Code, Finding, Severity};
use crate::kubernetes::certificate::{self, Certificate};
use crate::kubernetes::encryption::KeyRing;
use crate::kubernetes::encryption::{ConfigProvider, EncryptionConfig};
use crate::kubernetes::text::TextError;
use std::collections::{BTreeMap, BTreeSet};

/// What files tell.
#[derive(Debug, Default)]
pub(super) struct FileFacts {
    /// Manifests that could be read, by component and revision.
    pub(super) manifests: BTreeSet<(&'static str, i64)>,
    pub(super) node: Option<String>,
    pub(super) control_plane_nodes: BTreeSet<String>,
    pub(super) infrastructure_name: Option<String>,
    pub(super) api_server_internal_url: Option<String>,
    pub(super) openshift_version: Option<String>,
    pub(super) etcd_endpoints: BTreeMap<String, String>,
    pub(super) encryption_expected: bool,
    pub(super) has_encryption_config: bool,
    pub(super) encryption: Option<Vec<ConfiguredProvider>>,
    pub(super) key_ring: Option<KeyRing>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) findings: Vec<Finding>,
}

impl FileFacts {
    /// Reads one whole file. `path` is its name as it may be shown.
    pub(super) fn of(
        path: &str,
        place: &MemberPlace<'_>,
        interest: Interest,
        data: &[u8],
        keeping: &mut Keeping,
    ) -> Self {
        let mut facts = Self::default();
        if let Err(error) = facts.take((path, place, interest), data, keeping) {
            let message = format!("{path}: {error}");
            let finding = Finding::new(Code::KuberesourcesIncomplete, message);
            facts.findings.push(finding.with("member", path));
        }
        facts
    }

    /// Adds what another file tells; of two that name the same thing the later one counts.
    pub(super) fn add(&mut self, later: Self) {
        self.manifests.extend(later.manifests);
        self.node = later.node.or(self.node.take());
        self.control_plane_nodes.extend(later.control_plane_nodes);
        self.infrastructure_name = later
            .infrastructure_name
            .or(self.infrastructure_name.take());
        self.api_server_internal_url = later
            .api_server_internal_url
            .or(self.api_server_internal_url.take());
        self.openshift_version = later.openshift_version.or(self.openshift_version.take());
        self.etcd_endpoints.extend(later.etcd_endpoints);
        self.encryption_expected |= later.encryption_expected;
        self.has_encryption_config |= later.has_encryption_config;
        if let Some(encryption) = later.encryption {
            self.encryption.get_or_insert_default().extend(encryption);
        }
        if let Some(ring) = later.key_ring {
            self.key_ring.get_or_insert_default().merge(ring);
        }
        self.certificates.extend(later.certificates);
        self.findings.extend(later.findings);
    }

    /// Cuts what all files together tell to what may be kept of an archive.
    pub(super) fn cut(&mut self, keeping: &mut Keeping) {
        let nodes = keeping.nodes(self.control_plane_nodes.len());
        while self.control_plane_nodes.len() > nodes {
            self.control_plane_nodes.pop_last();
        }
        let endpoints = keeping.nodes(self.etcd_endpoints.len());
        while self.etcd_endpoints.len() > endpoints {
            self.etcd_endpoints.pop_last();
        }
        if let Some(encryption) = &mut self.encryption {
            encryption.truncate(keeping.providers(encryption.len()));
        }
    }

    fn take(
        &mut self,
        (path, place, interest): (&str, &MemberPlace<'_>, Interest),
        data: &[u8],
        keeping: &mut Keeping,
    ) -> Result<(), TextError> {
        match interest {
            Interest::Manifest => return self.take_manifest((path, place), data, keeping),
            Interest::Config => return self.take_config(place, data, keeping),
            Interest::Kubeconfig => {
                self.api_server_internal_url = keeping.text(pod::internal_server(data)?);
            }
            Interest::EncryptionConfig => self.take_encryption_config(path, data, keeping),
            Interest::EtcdEndpoint => self.take_endpoint(place, data, keeping),
            Interest::Certificate => {
                for certificate in certificate::parse_pem(path, data) {
                    if !keeping.certificate(&certificate) {
                        break;
                    }
                    self.certificates.push(certificate);
                }
            }
        }
        Ok(())
    }

    fn keep_node(&mut self, node: Option<String>, keeping: &mut Keeping) {
        if let Some(node) = node
            && !self.control_plane_nodes.contains(&node)
            && keeping.node(self.control_plane_nodes.len(), &node)
        {
            self.control_plane_nodes.insert(node);
        }
    }

    fn take_manifest(
        &mut self,
        (path, place): (&str, &MemberPlace<'_>),
        data: &[u8],
        keeping: &mut Keeping,
    ) -> Result<(), TextError> {
        let pod = StaticPod::parse(data)?;
        self.manifests.insert((place.component, place.revision));
        if let Some(found) = pod.revision().filter(|found| *found != place.revision) {
            let message = format!(
                "{path} says revision {found}, its directory says {}",
                place.revision
            );
            let finding =
                Finding::new(Code::KuberesourcesIncomplete, message).severity(Severity::Warning);
            self.findings.push(
                finding
                    .with("member", path)
                    .with("found", found)
                    .with("expected", place.revision),
            );
        }
        match place.component {
            "etcd" => {
                self.node = keeping.text(pod.etcd_node());
                for node in pod.etcd_nodes() {
                    self.keep_node(Some(node.to_owned()), keeping);
                }
                self.keep_node(self.node.clone(), keeping);
            }
            "kube-apiserver" => {
                let version = pod.operator_image_version().map(str::to_owned);
                self.openshift_version = keeping.text(version);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_config(
        &mut self,
        place: &MemberPlace<'_>,
        data: &[u8],
        keeping: &mut Keeping,
    ) -> Result<(), TextError> {
        match place.component {
            "kube-apiserver" => self.encryption_expected = pod::is_encryption_expected(data)?,
            "kube-controller-manager" => {
                self.infrastructure_name = keeping.text(pod::cluster_name(data)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_encryption_config(&mut self, path: &str, data: &[u8], keeping: &mut Keeping) {
        self.has_encryption_config = true;
        let config = match EncryptionConfig::parse(data) {
            Ok(config) => config,
            Err(error) => {
                let message = format!("{path}: {error}; its keys cannot be used");
                let finding = Finding::new(Code::EncryptionConfigMissing, message);
                self.findings.push(
                    finding
                        .artifact(Artifact::Kuberesources)
                        .with("member", path),
                );
                return;
            }
        };
        let encryption = self.encryption.get_or_insert_default();
        for provider in configured(&config) {
            if !keeping.provider(&provider, encryption.len()) {
                break;
            }
            encryption.push(provider);
        }
        self.key_ring = Some(KeyRing::new(config));
    }

    fn take_endpoint(&mut self, place: &MemberPlace<'_>, data: &[u8], keeping: &mut Keeping) {
        let Some(name) = place.rest.last() else {
            return;
        };
        let address = String::from_utf8_lossy(data).trim().to_owned();
        // An IPv6 address has 39 characters; the id has 16 hex digits at most.
        let is_id = name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_address = address.len() <= 64 && !address.chars().any(char::is_control);
        if is_id && is_address && keeping.node(self.etcd_endpoints.len(), name) {
            self.etcd_endpoints.insert((*name).to_owned(), address);
        }
    }
}

fn configured(config: &EncryptionConfig) -> impl Iterator<Item = ConfiguredProvider> {
    let entries = config.resources.iter();
    let pairs = entries.flat_map(|entry| {
        entry
            .resources
            .iter()
            .map(move |resource| (resource, &entry.providers))
    });
    let providers = pairs.flat_map(|(resource, providers)| {
        providers.iter().map(move |provider| (resource, provider))
    });
    let describe = |(resource, provider): (&String, &ConfigProvider)| ConfiguredProvider {
        resource: resource.clone(),
        provider: provider.as_str().to_owned(),
        key_name: provider.key_name().to_owned(),
    };
    providers.map(describe)
}
