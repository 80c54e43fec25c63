//! Storage keys: where API servers put objects in etcd, and which resource lies there.
//!
//! `/<prefix>/<plural>/[<namespace>/]<name>` for built-in types, without their API group;
//! `/<prefix>/<group>/<plural>/[<namespace>/]<name>` for custom resources. A few paths are older than the rule.
//! Nothing is allocated: a scan asks for every key.
//!
//! Source: kubernetes `pkg/kubeapiserver/default_storage_factory_builder.go`, apiserver `pkg/server/options/etcd.go`,
//! and the registries of openshift-apiserver and oauth-apiserver.

use std::fmt;

/// A resource as `EncryptionConfiguration` spells it: the plural, a dot and the group, or the plural alone.
///
/// Both parts are bytes of the key, so whoever prints it gets them escaped.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Resource<'k> {
    /// Lower-case plural such as `secrets`.
    pub(crate) plural: &'k [u8],
    /// API group such as `route.openshift.io`; `None` for built-in types, whose keys do not tell it.
    pub(crate) group: Option<&'k [u8]>,
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.plural.escape_ascii())?;
        match self.group {
            Some(group) => write!(f, ".{}", group.escape_ascii()),
            None => Ok(()),
        }
    }
}

/// The resource whose object lies at `storage_key`; `None` for keys that hold no object.
#[inline]
pub(crate) fn resource_of(storage_key: &[u8]) -> Option<Resource<'_>> {
    let (prefix, path) = next_segment(storage_key.strip_prefix(b"/")?)?;
    match prefix {
        b"kubernetes.io" | b"registry" => kubernetes_resource(path),
        b"openshift.io" => openshift_resource(path),
        _ => None,
    }
}

fn kubernetes_resource(path: &[u8]) -> Option<Resource<'_>> {
    let (first, rest) = next_segment(path)?;
    if first.contains(&b'.') {
        let (plural, _) = next_segment(rest)?;
        return Some(Resource {
            plural,
            group: Some(first),
        });
    }
    let resource = match first {
        b"minions" => built_in(b"nodes"),
        b"controllers" => built_in(b"replicationcontrollers"),
        b"ingress" => grouped(b"ingresses", b"networking.k8s.io"),
        b"services" if rest.starts_with(b"specs/") => built_in(b"services"),
        b"services" if rest.starts_with(b"endpoints/") => built_in(b"endpoints"),
        plural => built_in(plural),
    };
    Some(resource)
}

/// Groups are named only where they are needed: for types that OpenShift encrypts, and their neighbours.
fn openshift_resource(path: &[u8]) -> Option<Resource<'_>> {
    let (first, rest) = next_segment(path)?;
    if first == b"oauth" {
        let (kind, _) = next_segment(rest)?;
        let plural: &[u8] = match kind {
            b"accesstokens" => b"oauthaccesstokens",
            b"authorizetokens" => b"oauthauthorizetokens",
            b"clients" => b"oauthclients",
            b"clientauthorizations" => b"oauthclientauthorizations",
            other => other,
        };
        return Some(grouped(plural, b"oauth.openshift.io"));
    }
    let resource = match first {
        b"routes" => grouped(first, b"route.openshift.io"),
        b"useridentities" => grouped(b"identities", b"user.openshift.io"),
        b"users" | b"groups" => grouped(first, b"user.openshift.io"),
        b"images" | b"imagestreams" => grouped(first, b"image.openshift.io"),
        b"builds" | b"buildconfigs" => grouped(first, b"build.openshift.io"),
        b"deploymentconfigs" => grouped(first, b"apps.openshift.io"),
        b"templates" | b"templateinstances" => grouped(first, b"template.openshift.io"),
        plural => built_in(plural),
    };
    Some(resource)
}

fn built_in(plural: &[u8]) -> Resource<'_> {
    Resource {
        plural,
        group: None,
    }
}

fn grouped<'k>(plural: &'k [u8], group: &'k [u8]) -> Resource<'k> {
    Resource {
        plural,
        group: Some(group),
    }
}

/// The bytes before the next slash, and those behind it. `None` when there is no slash or nothing before it.
#[inline]
fn next_segment(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().position(|&byte| byte == b'/')?;
    let (segment, rest) = path.split_at_checked(slash)?;
    (!segment.is_empty()).then(|| (segment, rest.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_spelled_as_in_the_encryption_configuration() {
        let rows = [
            ("/kubernetes.io/secrets/ns/n", "secrets"),
            ("/registry/configmaps/ns/n", "configmaps"),
            ("/kubernetes.io/minions/node-0", "nodes"),
            ("/kubernetes.io/services/specs/ns/n", "services"),
            ("/kubernetes.io/services/endpoints/ns/n", "endpoints"),
            (
                "/kubernetes.io/config.openshift.io/clusterversions/version",
                "clusterversions.config.openshift.io",
            ),
            ("/openshift.io/routes/ns/n", "routes.route.openshift.io"),
            (
                "/openshift.io/oauth/accesstokens/sha256~x",
                "oauthaccesstokens.oauth.openshift.io",
            ),
            (
                "/openshift.io/oauth/authorizetokens/sha256~x",
                "oauthauthorizetokens.oauth.openshift.io",
            ),
            (
                "/openshift.io/useridentities/x:y",
                "identities.user.openshift.io",
            ),
        ];
        for (key, expected) in rows {
            let found = resource_of(key.as_bytes()).map(|resource| resource.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{key}");
        }
    }

    #[test]
    fn keys_without_an_object_have_no_resource() {
        for key in [
            "",
            "/",
            "compact_rev_key",
            "/kubernetes.io/",
            "/kubernetes.io/secrets",
            "/other/secrets/a",
            "//a/b",
        ] {
            assert_eq!(resource_of(key.as_bytes()), None, "{key}");
        }
    }

    #[test]
    fn hostile_bytes_are_escaped_when_shown() {
        let resource = resource_of(b"/kubernetes.io/\x1B[2J\xFF/x").expect("has two segments");
        assert_eq!(resource.to_string(), "\\x1b[2J\\xff");
    }
}
