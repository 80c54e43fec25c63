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

/// Where an object lies, as far as its key tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ObjectPlace<'k> {
    /// Its resource.
    pub(crate) resource: Resource<'k>,
    /// The API group that stands in the key: of custom resources, and of those that define them.
    pub(crate) key_group: Option<&'k [u8]>,
    /// What follows the resource: the name, or namespace, slash and name.
    pub(crate) path: &'k [u8],
}

/// The resource whose object lies at `storage_key`; `None` for keys that hold no object.
#[inline]
pub(crate) fn resource_of(storage_key: &[u8]) -> Option<Resource<'_>> {
    any_place_of(storage_key).map(|place| place.resource)
}

/// Where the object at `storage_key` lies; `None` for keys that hold none, and for the few whose objects are not called
/// after their key: what the API servers keep for themselves.
#[inline]
pub(crate) fn place_of(storage_key: &[u8]) -> Option<ObjectPlace<'_>> {
    any_place_of(storage_key).filter(|place| {
        let is_own =
            |plural: &[u8]| matches!(plural, b"ranges" | b"masterleases" | b"peerserverleases");
        place.key_group.is_some() || !is_own(place.resource.plural)
    })
}

#[inline]
fn any_place_of(storage_key: &[u8]) -> Option<ObjectPlace<'_>> {
    let (prefix, path) = next_segment(storage_key.strip_prefix(b"/")?)?;
    match prefix {
        b"kubernetes.io" | b"registry" => kubernetes_place(path),
        b"openshift.io" => openshift_place(path),
        _ => None,
    }
}

/// The prefixes of API servers, as OpenShift and Kubernetes set them.
const PREFIXES: [&[u8]; 3] = [b"/kubernetes.io/", b"/openshift.io/", b"/registry/"];
/// Bytes in which a key may differ from one of an API server and still be taken for one that was damaged.
const MAX_DIFFERING_BYTES: usize = 2;

/// The key begins almost as those of API servers do, and is none: one that was damaged, rather than somebody else's.
pub(crate) fn is_damaged_place(storage_key: &[u8]) -> bool {
    let begins_almost_as = |prefix: &[u8]| {
        storage_key.get(..prefix.len()).is_some_and(|start| {
            let differing = start.iter().zip(prefix).filter(|(one, other)| one != other);
            differing.count() <= MAX_DIFFERING_BYTES
        })
    };
    any_place_of(storage_key).is_none() && PREFIXES.into_iter().any(begins_almost_as)
}

fn kubernetes_place(path: &[u8]) -> Option<ObjectPlace<'_>> {
    let (first, rest) = next_segment(path)?;
    if first.contains(&b'.') {
        let (plural, path) = next_segment(rest)?;
        return Some(ObjectPlace {
            resource: grouped(plural, first),
            key_group: Some(first),
            path,
        });
    }
    let (resource, path) = match first {
        b"minions" => (built_in(b"nodes"), rest),
        b"controllers" => (built_in(b"replicationcontrollers"), rest),
        b"ingress" => (grouped(b"ingresses", b"networking.k8s.io"), rest),
        b"services" => service_place(rest),
        plural => (built_in(plural), rest),
    };
    Some(ObjectPlace {
        resource,
        key_group: None,
        path,
    })
}

fn service_place(path: &[u8]) -> (Resource<'_>, &[u8]) {
    if let Some(path) = path.strip_prefix(b"endpoints/") {
        return (built_in(b"endpoints"), path);
    }
    let path = path.strip_prefix(b"specs/").unwrap_or(path);
    (built_in(b"services"), path)
}

/// Groups are named only where they are needed: for types that OpenShift encrypts, and their neighbours.
fn openshift_place(path: &[u8]) -> Option<ObjectPlace<'_>> {
    let (first, rest) = next_segment(path)?;
    if first == b"oauth" {
        let (kind, path) = next_segment(rest)?;
        let plural: &[u8] = match kind {
            b"accesstokens" => b"oauthaccesstokens",
            b"authorizetokens" => b"oauthauthorizetokens",
            b"clients" => b"oauthclients",
            b"clientauthorizations" => b"oauthclientauthorizations",
            other => other,
        };
        return Some(ObjectPlace {
            resource: grouped(plural, b"oauth.openshift.io"),
            key_group: None,
            path,
        });
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
    Some(ObjectPlace {
        resource,
        key_group: None,
        path: rest,
    })
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
    fn a_damaged_key_is_told_from_a_foreign_one() {
        for key in [
            "/kuberneues.io/secrets/ns/n",
            "?registry/secrets/ns/n",
            "/openshiftnio/routes/ns/n",
            "/kubernetes.io/namespaces.default",
        ] {
            assert!(is_damaged_place(key.as_bytes()), "{key}");
        }
        for key in [
            "/kubernetes.io/secrets/ns/n",
            "/registry/ranges/serviceips",
            "/cilium/state/x",
            "/reg",
            "",
            "compact_rev_key",
        ] {
            assert!(!is_damaged_place(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn hostile_bytes_are_escaped_when_shown() {
        let resource = resource_of(b"/kubernetes.io/\x1B[2J\xFF/x").expect("has two segments");
        assert_eq!(resource.to_string(), "\\x1b[2J\\xff");
    }
}
