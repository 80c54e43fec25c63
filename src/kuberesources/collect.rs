//! From members to facts: which files are worth reading, and what each one tells.

use crate::finding::{Code, Finding, Severity};
use crate::kuberesources::ConfiguredProvider;
use crate::kuberesources::member::{COMPONENTS, Place, ROOT};
use crate::kuberesources::pod::{self, Pod};
use crate::kubernetes::certificate::{self, Certificate};
use crate::kubernetes::encryption::KeyRing;
use crate::kubernetes::encryption::config::EncryptionConfig;
use crate::kubernetes::text::TextError;
use std::collections::{BTreeMap, BTreeSet};

/// Where the kube-apiserver's keys lie below its directory.
const ENCRYPTION_CONFIG: [&str; 3] = ["secrets", "encryption-config", "encryption-config"];

/// Bundle of public authorities that administrators add to: it says nothing of this cluster's calendar.
const TRUSTED_BUNDLE: &str = "trusted-ca-bundle";

/// What one file of a component is to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Interest {
    Manifest,
    Config,
    Kubeconfig,
    EncryptionConfig,
    EtcdEndpoint,
    Certificate,
}

impl Interest {
    /// `None`: the file is passed over unread.
    pub(super) fn of(place: &Place<'_>) -> Option<Self> {
        match place.rest.as_slice() {
            [file] if file.strip_suffix("-pod.yaml") == Some(place.component) => {
                Some(Self::Manifest)
            }
            ["configmaps", "config", "config.yaml"] => Some(Self::Config),
            [
                "configmaps",
                "controller-manager-kubeconfig" | "scheduler-kubeconfig",
                "kubeconfig",
            ] => Some(Self::Kubeconfig),
            path if path == ENCRYPTION_CONFIG && place.component == "kube-apiserver" => {
                Some(Self::EncryptionConfig)
            }
            ["configmaps", "etcd-endpoints", _] if place.component == "etcd" => {
                Some(Self::EtcdEndpoint)
            }
            ["configmaps" | "secrets", name, file]
                if file.ends_with(".crt") && *name != TRUSTED_BUNDLE =>
            {
                Some(Self::Certificate)
            }
            _ => None,
        }
    }

    /// True for what goes through a JSON or YAML parser.
    pub(super) fn is_text(self) -> bool {
        !matches!(self, Self::EtcdEndpoint | Self::Certificate)
    }
}

/// What the manifest of one revision directory says.
#[derive(Debug, Default)]
struct Directory {
    has_manifest: bool,
}

/// Facts as they come in.
#[derive(Debug, Default)]
pub(super) struct Collector {
    directories: BTreeMap<&'static str, BTreeMap<i64, Directory>>,
    pub(super) node: Option<String>,
    pub(super) control_plane_nodes: BTreeSet<String>,
    pub(super) infrastructure_name: Option<String>,
    pub(super) api_server_internal_url: Option<String>,
    pub(super) openshift_version: Option<String>,
    pub(super) etcd_endpoints: BTreeMap<String, String>,
    pub(super) encryption_expected: bool,
    has_encryption_config: bool,
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
    /// Notes that a component's directory, or something in it, is there.
    pub(super) fn see(&mut self, place: &Place<'_>) {
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
            self.control_plane_nodes
                .extend(peer.or_else(|| pod::node_of_certificate(file, "etcd-serving-")));
        }
    }

    /// Reads one whole file. `path` is its name as it may be shown.
    pub(super) fn take(&mut self, path: &str, place: &Place<'_>, interest: Interest, data: &[u8]) {
        let taken = match interest {
            Interest::Manifest => self.take_manifest(path, place, data),
            Interest::Config => self.take_config(place, data),
            Interest::Kubeconfig => pod::internal_server(data).map(|server| {
                self.api_server_internal_url = server.or(self.api_server_internal_url.take());
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
                self.certificates.extend(certificate::parse_pem(path, data));
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
        place: &Place<'_>,
        data: &[u8],
    ) -> Result<(), TextError> {
        let pod = Pod::parse(data)?;
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
                self.node = pod.etcd_node().or(self.node.take());
                self.control_plane_nodes
                    .extend(pod.etcd_nodes().map(str::to_owned));
                self.control_plane_nodes.extend(self.node.clone());
            }
            "kube-apiserver" => {
                let version = pod.operator_image_version().map(str::to_owned);
                self.openshift_version = version.or(self.openshift_version.take());
            }
            _ => {}
        }
        Ok(())
    }

    fn take_config(&mut self, place: &Place<'_>, data: &[u8]) -> Result<(), TextError> {
        match place.component {
            "kube-apiserver" => self.encryption_expected |= pod::is_encryption_expected(data)?,
            "kube-controller-manager" => {
                self.infrastructure_name =
                    pod::cluster_name(data)?.or(self.infrastructure_name.take());
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
                        .artifact(crate::finding::Artifact::Kuberesources)
                        .with("member", path),
                );
                return;
            }
        };
        self.encryption
            .get_or_insert_default()
            .extend(configured(&config));
        self.key_ring
            .get_or_insert_default()
            .merge(KeyRing::new(config));
    }

    fn take_endpoint(&mut self, place: &Place<'_>, data: &[u8]) {
        let Some(name) = place.rest.last() else {
            return;
        };
        let address = String::from_utf8_lossy(data).trim().to_owned();
        // An IPv6 address has 39 characters; the id has 16 hex digits at most.
        let is_id = name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && address.len() <= 64 && !address.chars().any(char::is_control) {
            self.etcd_endpoints.insert((*name).to_owned(), address);
        }
    }

    /// Revision by component: of several, the highest one that has a manifest.
    pub(super) fn revisions(&self) -> BTreeMap<String, i64> {
        let newest = |directories: &BTreeMap<i64, Directory>| {
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

    /// What is not there, once everything was seen.
    pub(super) fn missing(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = COMPONENTS
            .iter()
            .filter_map(|component| self.missing_of(component))
            .collect();
        findings.extend(self.several());
        if self.has_dot {
            findings.push(dot_names());
        }
        if self.encryption_expected && !self.has_encryption_config {
            findings.push(no_keys());
        }
        findings
    }

    fn missing_of(&self, component: &str) -> Option<Finding> {
        let found = self.directories.get(component);
        let message = match found {
            None if self.has_snapshot && component != "kube-apiserver" => return None,
            None => format!("{ROOT}/{component}-pod-<revision> is not in the archive"),
            Some(found) if found.values().any(|directory| directory.has_manifest) => return None,
            Some(found) => {
                let revision = found.keys().next_back()?;
                format!(
                    "{ROOT}/{component}-pod-{revision}/{component}-pod.yaml is not in the archive, or not readable"
                )
            }
        };
        Some(Finding::new(Code::KuberesourcesIncomplete, message).with("component", component))
    }

    /// Up to 4.17 the restore looks for one member by a pattern that two would match.
    fn several(&self) -> impl Iterator<Item = Finding> {
        self.directories.iter().filter(|(_, found)| found.len() > 1).map(|(component, found)| {
            let revisions: Vec<String> = found.keys().take(10).map(i64::to_string).collect();
            let message = format!(
                "{} revision directories of {component} ({}), expected one: cluster-restore.sh up to 4.17 stops at this \
                after etcd's data was moved away",
                found.len(),
                revisions.join(", ")
            );
            let finding = Finding::new(Code::KuberesourcesIncomplete, message);
            finding.with("component", *component).with("revisions", revisions)
        })
    }
}

fn configured(config: &EncryptionConfig) -> Vec<ConfiguredProvider> {
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
    let describe =
        |(resource, provider): (&String, &crate::kubernetes::encryption::config::Provider)| {
            ConfiguredProvider {
                resource: resource.clone(),
                provider: provider.as_str().to_owned(),
                key_name: provider.key_name().to_owned(),
            }
        };
    providers.map(describe).collect()
}

fn dot_names() -> Finding {
    let message = format!(
        "names of members begin with ./: tar -xzf FILE {ROOT}, as cluster-restore.sh runs it, finds none of them and \
        stops after etcd's data was moved away"
    );
    let remedy = "unpack the archive and pack it again from the directory above: tar -czf FILE static-pod-resources";
    Finding::new(Code::KuberesourcesIncomplete, message).remedy(remedy)
}

fn no_keys() -> Finding {
    let path = ENCRYPTION_CONFIG.join("/");
    let message =
        format!("the kube-apiserver is configured to encrypt, but {path} is not in the archive");
    Finding::new(Code::EncryptionConfigMissing, message)
        .artifact(crate::finding::Artifact::Kuberesources)
}
