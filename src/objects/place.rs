//! Storage keys as people see them: resource, namespace and name.

use super::resource::{BuiltIn, Resource, Root};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Prefixes of kube-apiserver: OpenShift's, and that of every other Kubernetes.
const KUBERNETES: [&str; 2] = ["kubernetes.io", "registry"];
/// Prefix of openshift-apiserver and oauth-apiserver.
const OPENSHIFT: &str = "openshift.io";

/// Where an object lies.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// API group; empty for the core group, and for a built-in resource that this program does not know.
    pub group: String,
    /// Such as `pods`.
    pub plural: String,
    /// `None` for cluster-wide objects.
    pub namespace: Option<String>,
    /// The object's name. That of an OAuth token is secret: see [`Place::has_secret_name`].
    pub name: String,
}

impl Place {
    /// Reads a storage key; `None` when no API server puts an object there, or it is not UTF-8.
    pub fn of(storage_key: &[u8]) -> Option<Self> {
        let key = std::str::from_utf8(storage_key).ok()?;
        let (prefix, path) = key.strip_prefix('/')?.split_once('/')?;
        let root = match prefix {
            OPENSHIFT => Root::OpenShift,
            prefix if KUBERNETES.contains(&prefix) => Root::Kubernetes,
            _ => return None,
        };
        if let Some((own, rest)) = built_in(root, path) {
            return Self::new([own.group, own.plural], rest, own.has_namespaces());
        }
        let (first, rest) = path.split_once('/')?;
        if !first.contains('.') {
            return Self::new(["", first], rest, true);
        }
        let (plural, rest) = rest.split_once('/')?;
        Self::new([first, plural], rest, true)
    }

    /// `rest` is what stands behind the resource; without a slash it is a name alone.
    fn new([group, plural]: [&str; 2], rest: &str, has_namespaces: bool) -> Option<Self> {
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) if has_namespaces => (Some(namespace), name),
            _ => (None, rest),
        };
        (!name.is_empty() && !plural.is_empty()).then(|| Self {
            group: group.to_owned(),
            plural: plural.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        })
    }

    /// True where the name opens the cluster's door: OAuth tokens of old releases are their own names.
    pub fn has_secret_name(&self) -> bool {
        self.group == "oauth.openshift.io"
            && matches!(&*self.plural, "oauthaccesstokens" | "oauthauthorizetokens")
    }
}

/// The built-in resource of a path below an API server's prefix, and what stands behind it.
fn built_in(root: Root, path: &str) -> Option<(&'static BuiltIn, &str)> {
    static BY_PATH: LazyLock<HashMap<&str, &BuiltIn>> =
        LazyLock::new(|| BuiltIn::all().iter().map(|own| (own.path, own)).collect());
    let mut slashes = path.match_indices('/').map(|(offset, _)| offset).take(2);
    slashes.find_map(|offset| {
        let (path, rest) = path.split_at_checked(offset)?;
        let own = BY_PATH.get(path).filter(|own| own.root == root)?;
        Some((*own, rest.strip_prefix('/')?))
    })
}

impl Resource {
    /// What the storage keys of its objects may begin with.
    pub fn storage_prefixes(&self) -> Vec<String> {
        let own = BuiltIn::all()
            .iter()
            .find(|own| own.plural == self.plural && own.group == self.group);
        match own.map(|own| (own.root, own.path)) {
            Some((Root::OpenShift, path)) => vec![format!("/{OPENSHIFT}/{path}/")],
            Some((Root::Kubernetes, path)) => KUBERNETES
                .map(|prefix| format!("/{prefix}/{path}/"))
                .to_vec(),
            None => KUBERNETES
                .map(|prefix| format!("/{prefix}/{}/{}/", self.group, self.plural))
                .to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Option<[String; 4]> {
        let place = Place::of(key.as_bytes())?;
        let namespace = place.namespace.unwrap_or_else(|| "-".to_owned());
        Some([place.group, place.plural, namespace, place.name])
    }

    #[test]
    fn keys_are_read_as_their_api_server_wrote_them() {
        let rows = [
            ("/kubernetes.io/pods/ns/n", ["", "pods", "ns", "n"]),
            ("/registry/minions/node-0", ["", "nodes", "-", "node-0"]),
            (
                "/kubernetes.io/services/specs/ns/n",
                ["", "services", "ns", "n"],
            ),
            (
                "/kubernetes.io/services/endpoints/ns/n",
                ["", "endpoints", "ns", "n"],
            ),
            (
                "/kubernetes.io/ingress/ns/n",
                ["networking.k8s.io", "ingresses", "ns", "n"],
            ),
            (
                "/kubernetes.io/clusterroles/system:a/b",
                [
                    "rbac.authorization.k8s.io",
                    "clusterroles",
                    "-",
                    "system:a/b",
                ],
            ),
            (
                "/kubernetes.io/config.openshift.io/clusterversions/version",
                ["config.openshift.io", "clusterversions", "-", "version"],
            ),
            (
                "/registry/example.com/widgets/ns/n",
                ["example.com", "widgets", "ns", "n"],
            ),
            (
                "/kubernetes.io/apiregistration.k8s.io/apiservices/v1.",
                ["apiregistration.k8s.io", "apiservices", "-", "v1."],
            ),
            (
                "/openshift.io/oauth/accesstokens/sha256~x",
                ["oauth.openshift.io", "oauthaccesstokens", "-", "sha256~x"],
            ),
            (
                "/openshift.io/useridentities/a:b",
                ["user.openshift.io", "identities", "-", "a:b"],
            ),
            (
                "/kubernetes.io/masterleases/10.0.0.1",
                ["", "masterleases", "-", "10.0.0.1"],
            ),
        ];
        for (key, expected) in rows {
            assert_eq!(place(key), Some(expected.map(str::to_owned)), "{key}");
        }
    }

    #[test]
    fn other_keys_hold_no_object() {
        for key in [
            "compact_rev_key",
            "/",
            "/kubernetes.io/pods/",
            "/other/pods/ns/n",
            "/kubernetes.io/x",
        ] {
            assert_eq!(place(key), None, "{key}");
        }
        assert_eq!(Place::of(b"/kubernetes.io/pods/ns/\xFF"), None);
    }

    #[test]
    fn objects_lie_where_their_resource_says() {
        for own in BuiltIn::all() {
            for prefix in own.resource().storage_prefixes() {
                let place = Place::of(format!("{prefix}name").as_bytes()).expect("is a key");
                assert_eq!(
                    (&*place.plural, &*place.group),
                    (own.plural, own.group),
                    "{prefix}"
                );
            }
        }
    }

    #[test]
    fn only_tokens_have_secret_names() {
        let is_secret = |key: &[u8]| Place::of(key).is_some_and(|place| place.has_secret_name());
        assert!(is_secret(b"/openshift.io/oauth/accesstokens/x"));
        assert!(is_secret(b"/openshift.io/oauth/authorizetokens/x"));
        assert!(!is_secret(b"/openshift.io/oauth/clients/x"));
    }
}
