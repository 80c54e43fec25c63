//! From members to facts: what each file tells.

use super::facts::ConfiguredProvider;
use super::interest::Interest;
use super::keeping::Keeping;
use super::limits::ArchiveLimits;
use super::member::MemberPlace;
use super::pod::{self, StaticPod};
use crate::finding::{Artifact, Code, Finding, Severity};
use crate::kubernetes::certificate::{self, Certificate};
use crate::kubernetes::encryption::KeyRing;
use crate::kubernetes::encryption::{ConfigProvider, EncryptionConfig};
use crate::kubernetes::text::TextError;
use std::collections::{BTreeMap, BTreeSet};

/// What the manifest of one revision directory says.
#[derive(Debug, Default)]
pub(super) struct RevisionDirectory {
    pub(super) has_manifest: bool,
}

/// Facts as they come in.
#[derive(Debug)]
pub(super) struct Collector {
    keeping: Keeping,
    pub(super) directories: BTreeMap<&'static str, BTreeMap<i64, RevisionDirectory>>,
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
    pub(super) is_below_root: bool,
    pub(super) has_dot: bool,
    /// A `snapshot.db` at the top: an archive of 4.3.0 or 4.3.1, where one file was the whole backup.
    pub(super) has_snapshot: bool,
}

impl Collector {
    pub(super) fn new(limits: ArchiveLimits) -> Self {
        Self {
            keeping: Keeping::new(limits),
            directories: BTreeMap::new(),
            node: None,
            control_plane_nodes: BTreeSet::new(),
            infrastructure_name: None,
            api_server_internal_url: None,
            openshift_version: None,
            etcd_endpoints: BTreeMap::new(),
            encryption_expected: false,
            has_encryption_config: false,
            encryption: None,
            key_ring: None,
            certificates: Vec::new(),
            findings: Vec::new(),
            is_below_root: false,
            has_dot: false,
            has_snapshot: false,
        }
    }

    /// All findings. Nothing more is to be collected.
    pub(super) fn take_findings(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(self.keeping.finding());
        findings
    }

    /// Notes that a component's directory, or something in it, is there.
    pub(super) fn see(&mut self, place: &MemberPlace<'_>) {
        self.has_dot |= place.has_dot;
        self.directories
            .entry(place.component)
            .or_default()
            .entry(place.revision)
            .or_default();
        // The names of certificates tell the nodes even where their content is damaged.
        if let [
            "secrets",
            "etcd-all-certs" | "etcd-all-serving" | "etcd-all-peer",
            file,
        ] = place.rest.as_slice()
        {
            let peer = pod::node_of_certificate(file, "etcd-peer-");
            let node = peer.or_else(|| pod::node_of_certificate(file, "etcd-serving-"));
            self.keep_node(node);
        }
    }

    /// Reads one whole file. `path` is its name as it may be shown.
    pub(super) fn take(
        &mut self,
        path: &str,
        place: &MemberPlace<'_>,
        interest: Interest,
        data: &[u8],
    ) {
        let taken = match interest {
            Interest::Manifest => self.take_manifest(path, place, data),
            Interest::Config => self.take_config(place, data),
            Interest::Kubeconfig => pod::internal_server(data).map(|server| {
                let before = self.api_server_internal_url.take();
                self.api_server_internal_url = self.keeping.text(server).or(before);
            }),
            Interest::EncryptionConfig => {
                self.take_encryption_config(path, data);
                Ok(())
            }
            Interest::EtcdEndpoint => {
                self.take_endpoint(place, data);
                Ok(())
            }
            Interest::Certificate => {
                for certificate in certificate::parse_pem(path, data) {
                    if !self.keeping.certificate(&certificate) {
                        break;
                    }
                    self.certificates.push(certificate);
                }
                Ok(())
            }
        };
        if let Err(error) = taken {
            let message = format!("{path}: {error}");
            self.findings
                .push(Finding::new(Code::KuberesourcesIncomplete, message).with("member", path));
        }
    }

    fn take_manifest(
        &mut self,
        path: &str,
        place: &MemberPlace<'_>,
        data: &[u8],
    ) -> Result<(), TextError> {
        let pod = StaticPod::parse(data)?;
        let directory = self
            .directories
            .entry(place.component)
            .or_default()
            .entry(place.revision)
            .or_default();
        directory.has_manifest = true;
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
                self.node = self.keeping.text(pod.etcd_node()).or(self.node.take());
                for node in pod.etcd_nodes() {
                    self.keep_node(Some(node.to_owned()));
                }
                self.keep_node(self.node.clone());
            }
            "kube-apiserver" => {
                let version = pod.operator_image_version().map(str::to_owned);
                let before = self.openshift_version.take();
                self.openshift_version = self.keeping.text(version).or(before);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_config(&mut self, place: &MemberPlace<'_>, data: &[u8]) -> Result<(), TextError> {
        match place.component {
            "kube-apiserver" => self.encryption_expected |= pod::is_encryption_expected(data)?,
            "kube-controller-manager" => {
                let name = pod::cluster_name(data)?;
                let before = self.infrastructure_name.take();
                self.infrastructure_name = self.keeping.text(name).or(before);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_encryption_config(&mut self, path: &str, data: &[u8]) {
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
            if !self.keeping.provider(&provider, encryption.len()) {
                break;
            }
            encryption.push(provider);
        }
        self.key_ring
            .get_or_insert_default()
            .merge(KeyRing::new(config));
    }

    fn take_endpoint(&mut self, place: &MemberPlace<'_>, data: &[u8]) {
        let Some(name) = place.rest.last() else {
            return;
        };
        let address = String::from_utf8_lossy(data).trim().to_owned();
        // An IPv6 address has 39 characters; the id has 16 hex digits at most.
        let is_id = name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_address = address.len() <= 64 && !address.chars().any(char::is_control);
        if is_id && is_address && self.keeping.node(self.etcd_endpoints.len(), name) {
            self.etcd_endpoints.insert((*name).to_owned(), address);
        }
    }

    fn keep_node(&mut self, node: Option<String>) {
        if let Some(node) = node
            && !self.control_plane_nodes.contains(&node)
            && self.keeping.node(self.control_plane_nodes.len(), &node)
        {
            self.control_plane_nodes.insert(node);
        }
    }

    /// Revision by component: of several, the highest one that has a manifest.
    pub(super) fn revisions(&self) -> BTreeMap<String, i64> {
        let newest = |directories: &BTreeMap<i64, RevisionDirectory>| {
            let with_manifest = directories
                .iter()
                .rev()
                .find(|(_, directory)| directory.has_manifest);
            with_manifest
                .or_else(|| directories.iter().next_back())
                .map(|(revision, _)| *revision)
        };
        let pairs = self
            .directories
            .iter()
            .map(|(component, found)| Some(((*component).to_owned(), newest(found)?)));
        pairs.flatten().collect()
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
