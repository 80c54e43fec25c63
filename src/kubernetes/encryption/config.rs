//! `EncryptionConfiguration`: which keys an API server writes and reads with.
//!
//! Source: apiserver `pkg/apis/apiserver/v1/types_encryption.go`.

use super::usage::IDENTITY;
use super::value::StoredProvider;
use crate::secret::Secret;

/// An `EncryptionConfiguration`, entries in file order.
#[derive(Debug)]
pub(crate) struct EncryptionConfig {
    /// Entries in file order.
    pub(crate) resources: Vec<ResourceProviders>,
}

/// One entry: the providers of some resources.
#[derive(Debug)]
pub(crate) struct ResourceProviders {
    /// `secrets`, `routes.route.openshift.io`, `*.group`, `*.*`.
    pub(crate) resources: Vec<String>,
    /// The first one writes; all of them read.
    pub(crate) providers: Vec<ConfigProvider>,
}

/// One provider; those with several keys are one `ConfigProvider` for each key, in file order.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum ConfigProvider {
    /// Values are stored plain.
    Identity,
    /// AES-CBC.
    AesCbc(NamedKey),
    /// AES-GCM.
    AesGcm(NamedKey),
    /// XSalsa20-Poly1305.
    Secretbox(NamedKey),
    /// A key management service; the key is not here.
    Kms {
        /// The provider's name, which stands in the prefix of values.
        name: String,
    },
    /// A provider that this program does not know.
    Other,
}

/// A key and the name that stands in the prefix of values.
#[derive(Debug)]
pub(crate) struct NamedKey {
    /// In OpenShift the decimal suffix of the key's Secret.
    pub(crate) name: String,
    /// 16, 24 or 32 bytes in a sound configuration; not checked here.
    pub(crate) secret: Secret,
}

/// Resources, providers, and providers of all resources that a configuration may have: every value is held against
/// every one. OpenShift writes at most some fifty.
const MAX_ENTRIES: usize = 2000;
/// Longest name of a resource or a key. A longer one is in no prefix.
const MAX_NAME_BYTES: usize = 256;

impl EncryptionConfig {
    /// True when it has more entries or longer names than any real configuration.
    pub(super) fn is_beyond_any_real_one(&self) -> bool {
        let sum = |count: fn(&ResourceProviders) -> usize| {
            let counts = self.resources.iter().map(count);
            counts.fold(0, usize::saturating_add)
        };
        let product = |entry: &ResourceProviders| {
            let providers = entry.providers.len();
            entry.resources.len().saturating_mul(providers)
        };
        let is_long = |name: &str| name.len() > MAX_NAME_BYTES;
        sum(|entry| entry.resources.len() + entry.providers.len()) > MAX_ENTRIES
            || sum(product) > MAX_ENTRIES
            || self.resources.len() > MAX_ENTRIES
            || self.resources.iter().any(|entry| {
                entry.resources.iter().any(|name| is_long(name))
                    || entry
                        .providers
                        .iter()
                        .any(|provider| is_long(provider.key_name()))
            })
    }
}

impl ConfigProvider {
    /// The word that stands for the provider in prefixes and in the configuration.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Identity => IDENTITY,
            Self::AesCbc(_) => "aescbc",
            Self::AesGcm(_) => "aesgcm",
            Self::Secretbox(_) => "secretbox",
            Self::Kms { .. } => "kms",
            Self::Other => "unknown",
        }
    }

    /// The key's name, for KMS the provider's; empty for the others.
    pub(crate) fn key_name(&self) -> &str {
        match self {
            Self::AesCbc(key) | Self::AesGcm(key) | Self::Secretbox(key) => &key.name,
            Self::Kms { name } => name,
            Self::Identity | Self::Other => "",
        }
    }

    /// True when values with this prefix are for this provider and key.
    pub(super) fn serves(&self, provider: StoredProvider<'_>, key_name: &[u8]) -> bool {
        let is_provider = match self {
            Self::AesCbc(_) => provider == StoredProvider::AesCbc,
            Self::AesGcm(_) => provider == StoredProvider::AesGcm,
            Self::Secretbox(_) => provider == StoredProvider::Secretbox,
            Self::Kms { .. } => provider == StoredProvider::Kms,
            Self::Identity | Self::Other => false,
        };
        is_provider && self.key_name().as_bytes() == key_name
    }
}

impl ResourceProviders {
    /// True when the entry covers `resource`, wildcards included.
    pub(crate) fn covers(&self, resource: &str) -> bool {
        self.resources
            .iter()
            .any(|pattern| matches(pattern, resource))
    }
}

/// `*.*` is everything, `*.` the core group, `*.apps` one group. A built-in type's storage key does not tell its group,
/// so `deployments` is taken for `deployments.apps`.
fn matches(pattern: &str, resource: &str) -> bool {
    let (plural, group) = split_group(pattern);
    let (found_plural, found_group) = split_group(resource);
    match (plural, group) {
        ("*", Some("*")) => true,
        ("*", Some("")) => found_group.is_none(),
        ("*", Some(group)) => found_group == Some(group),
        (plural, group) => {
            plural == found_plural && (found_group.is_none() || found_group == group)
        }
    }
}

fn split_group(resource: &str) -> (&str, Option<&str>) {
    match resource.split_once('.') {
        Some((plural, group)) => (plural, Some(group)),
        None => (resource, None),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_cover_groups() {
        let rows = [
            ("secrets", "secrets", true),
            ("secrets", "configmaps", false),
            ("*.*", "routes.route.openshift.io", true),
            ("*.", "secrets", true),
            ("*.", "routes.route.openshift.io", false),
            ("*.route.openshift.io", "routes.route.openshift.io", true),
            ("deployments.apps", "deployments", true),
            ("routes.route.openshift.io", "routes.other.io", false),
        ];
        for (pattern, resource, expected) in rows {
            assert_eq!(matches(pattern, resource), expected, "{pattern} {resource}");
        }
    }
}
