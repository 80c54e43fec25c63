//! The few fields of the archive's texts that we use: pod manifests, component configuration, kubeconfigs.

use crate::kubernetes::text::{OneOrMany, Scalar, TextError, parse};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `<component>-pod.yaml`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StaticPod {
    #[serde(default)]
    metadata: StaticPodMetadata,
    spec: StaticPodSpec,
}

#[derive(Debug, Default, Deserialize)]
struct StaticPodMetadata {
    #[serde(default)]
    labels: Option<BTreeMap<String, Scalar>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StaticPodSpec {
    #[serde(default)]
    init_containers: Option<Vec<PodContainer>>,
    containers: Vec<PodContainer>,
}

#[derive(Debug, Default, Deserialize)]
struct PodContainer {
    #[serde(default)]
    command: Option<Vec<Scalar>>,
    #[serde(default)]
    args: Option<Vec<Scalar>>,
    #[serde(default)]
    env: Option<Vec<EnvironmentVariable>>,
}

#[derive(Debug, Deserialize)]
struct EnvironmentVariable {
    #[serde(default)]
    name: Scalar,
    #[serde(default)]
    value: Scalar,
}

impl StaticPod {
    pub(super) fn parse(text: &[u8]) -> Result<Self, TextError> {
        parse(text)
    }

    /// Label `revision`, or what the container's environment says.
    pub(super) fn revision(&self) -> Option<i64> {
        let label = self
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get("revision"));
        let of_environment = || {
            self.variable("STATIC_POD_VERSION")
                .or_else(|| self.variable("ETCD_STATIC_POD_VERSION"))
        };
        label
            .map(|label| label.0.as_str())
            .or_else(of_environment)?
            .parse()
            .ok()
    }

    /// `OPERATOR_IMAGE_VERSION`, in the kube-apiserver's manifest since 4.19.
    pub(super) fn operator_image_version(&self) -> Option<&str> {
        self.variable("OPERATOR_IMAGE_VERSION")
            .filter(|version| !version.is_empty())
    }

    /// The node that the etcd pod was made for: its own certificates are named after it.
    pub(super) fn etcd_node(&self) -> Option<String> {
        let of_variable = self
            .variable("ETCDCTL_CERT")
            .and_then(|path| node_of_certificate(path, "etcd-peer-"));
        of_variable.or_else(|| {
            self.words()
                .find_map(|word| node_of_certificate(word, "etcd-serving-"))
        })
    }

    /// Values of `NODE_<node>_ETCD_NAME`: every control-plane node.
    pub(super) fn etcd_nodes(&self) -> impl Iterator<Item = &str> {
        let is_name = |variable: &&EnvironmentVariable| {
            variable.name.0.starts_with("NODE_") && variable.name.0.ends_with("_ETCD_NAME")
        };
        self.variables()
            .filter(is_name)
            .map(|variable| variable.value.0.as_str())
            .filter(|name| !name.is_empty())
    }

    fn containers(&self) -> impl Iterator<Item = &PodContainer> {
        self.spec
            .containers
            .iter()
            .chain(self.spec.init_containers.iter().flatten())
    }

    fn variables(&self) -> impl Iterator<Item = &EnvironmentVariable> {
        self.containers()
            .flat_map(|container| container.env.iter().flatten())
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables()
            .find(|variable| variable.name.0 == name)
            .map(|variable| variable.value.0.as_str())
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let scripts = self
            .containers()
            .flat_map(|container| container.command.iter().chain(&container.args).flatten());
        scripts.flat_map(|script| script.0.split_whitespace())
    }
}

/// Longest name that a node may have, as a DNS name.
const MAX_NODE_BYTES: usize = 253;

/// `.../etcd-peer-<node>.crt`: the node's name, which may hold dots. `None` also for `etcd-serving-metrics-<node>`.
pub(super) fn node_of_certificate(path: &str, prefix: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let node = file.strip_prefix(prefix)?.strip_suffix(".crt")?;
    let is_name =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '.';
    (!node.is_empty()
        && node.len() <= MAX_NODE_BYTES
        && node.chars().all(is_name)
        && !node.starts_with("metrics-"))
    .then(|| node.to_owned())
}

/// `config.yaml` of the kube-apiserver: is there to be an encryption configuration?
pub(super) fn is_encryption_expected(text: &[u8]) -> Result<bool, TextError> {
    #[derive(Deserialize)]
    struct ApiServerConfig {
        #[serde(default, rename = "apiServerArguments")]
        arguments: Option<BTreeMap<String, OneOrMany>>,
    }
    let config: ApiServerConfig = parse(text)?;
    let provider = config
        .arguments
        .unwrap_or_default()
        .remove("encryption-provider-config");
    Ok(provider
        .unwrap_or_default()
        .0
        .iter()
        .any(|path| !path.is_empty()))
}

/// `config.yaml` of the kube-controller-manager: `extendedArguments["cluster-name"]`, the infrastructure name.
pub(super) fn cluster_name(text: &[u8]) -> Result<Option<String>, TextError> {
    #[derive(Deserialize)]
    struct ControllerManagerConfig {
        #[serde(default, rename = "extendedArguments")]
        arguments: Option<BTreeMap<String, OneOrMany>>,
    }
    let config: ControllerManagerConfig = parse(text)?;
    let names = config
        .arguments
        .unwrap_or_default()
        .remove("cluster-name")
        .unwrap_or_default();
    Ok(names.0.into_iter().find(|name| !name.is_empty()))
}

/// KubeconfigServer of the cluster `lb-int` in a kubeconfig, else of its first cluster: the internal API URL.
pub(super) fn internal_server(text: &[u8]) -> Result<Option<String>, TextError> {
    #[derive(Deserialize)]
    struct Kubeconfig {
        #[serde(default)]
        clusters: Option<Vec<NamedCluster>>,
    }
    #[derive(Deserialize)]
    struct NamedCluster {
        #[serde(default)]
        name: Scalar,
        #[serde(default)]
        cluster: KubeconfigServer,
    }
    #[derive(Default, Deserialize)]
    struct KubeconfigServer {
        #[serde(default)]
        server: Scalar,
    }
    let kubeconfig: Kubeconfig = parse(text)?;
    let mut clusters = kubeconfig.clusters.unwrap_or_default();
    clusters.sort_by_key(|cluster| cluster.name.0 != "lb-int");
    let servers = clusters.into_iter().map(|cluster| cluster.cluster.server.0);
    Ok(servers.into_iter().find(|server| !server.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_json_and_as_yaml() {
        let json = r#"{"kind":"StaticPod","metadata":{"labels":{"revision":"7"}},"spec":{"containers":[{"command":["/bin/sh",
            "-c","exec etcd --cert-file=/x/etcd-serving-m.example.com.crt"],"env":[
            {"name":"NODE_m_example_com_ETCD_NAME","value":"m.example.com"},{"name":"FIELD","valueFrom":{}},
            {"name":"ETCDCTL_CERT","value":"/x/etcd-peer-m.example.com.crt"}]}]}}"#;
        let yaml = "kind: StaticPod\nmetadata:\n  labels:\n    revision: 7\nspec:\n  containers:\n  - args: [a]\n    env:\n    \
            - {name: ETCDCTL_CERT, value: /x/etcd-peer-m.example.com.crt}\n    \
            - {name: NODE_x_ETCD_NAME, value: m.example.com}\n";
        for text in [json, yaml] {
            let pod = StaticPod::parse(text.as_bytes()).expect("is sound");
            assert_eq!(pod.revision(), Some(7));
            assert_eq!(pod.etcd_node().as_deref(), Some("m.example.com"));
            assert_eq!(pod.etcd_nodes().collect::<Vec<_>>(), ["m.example.com"]);
        }
        assert!(StaticPod::parse(b"{}").is_err());
        assert!(StaticPod::parse(b"").is_err());
    }

    #[test]
    fn the_internal_load_balancer_is_preferred() {
        let text = b"clusters:\n- {name: a, cluster: {server: 'https://a'}}\n- {name: lb-int, cluster: {server: 'https://b'}}";
        assert_eq!(internal_server(text), Ok(Some("https://b".to_owned())));
    }

    #[test]
    fn arguments_are_texts_or_lists() {
        let expected = br#"{"apiServerArguments":{"encryption-provider-config":["/x"],"v":2}}"#;
        assert_eq!(is_encryption_expected(expected), Ok(true));
        assert_eq!(
            is_encryption_expected(b"apiServerArguments:\n  v: ['2']\n"),
            Ok(false)
        );
        assert_eq!(
            cluster_name(b"extendedArguments: {cluster-name: [c-x1]}"),
            Ok(Some("c-x1".to_owned()))
        );
    }
}
