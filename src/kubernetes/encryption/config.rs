//! `EncryptionConfiguration`: which keys an API server writes and reads with.
//!
//! JSON or YAML. The text holds key bytes, and every parser's error text repeats what it read: so errors here carry
//! a position and nothing else. Our own copies are wiped; a YAML parser's inner buffers are beyond our reach.
//!
//! Source: apiserver `pkg/apis/apiserver/v1/types_encryption.go`.

use crate::kubernetes::encryption::value::Provider as StoredProvider;
use crate::kubernetes::text::{self, TextError};
use crate::secret::Secret;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, Visitor};
use std::fmt;

/// What OpenShift writes as the key of a provider that only marks the place of `identity`: no key at all.
///
/// Source: library-go `pkg/operator/encryption/encryptiondata/config.go`.
const CARRIER_KEY: [u8; 16] = [0; 16];

/// An `EncryptionConfiguration`, entries in file order.
#[derive(Debug)]
pub struct EncryptionConfig {
    /// Entries in file order.
    pub resources: Vec<ResourceProviders>,
}

/// One entry: the providers of some resources.
#[derive(Debug)]
pub struct ResourceProviders {
    /// `secrets`, `routes.route.openshift.io`, `*.group`, `*.*`.
    pub resources: Vec<String>,
    /// The first one writes; all of them read.
    pub providers: Vec<Provider>,
}

/// One provider; those with several keys are one `Provider` for each key, in file order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Provider {
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
pub struct NamedKey {
    /// In OpenShift the decimal suffix of the key's Secret.
    pub name: String,
    /// 16, 24 or 32 bytes in a sound configuration; not checked here.
    pub secret: Secret,
}

impl Provider {
    /// The word that stands for the provider in prefixes and in the configuration.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Identity => super::IDENTITY,
            Self::AesCbc(_) => "aescbc",
            Self::AesGcm(_) => "aesgcm",
            Self::Secretbox(_) => "secretbox",
            Self::Kms { .. } => "kms",
            Self::Other => "unknown",
        }
    }

    /// The key's name, for KMS the provider's; empty for the others.
    pub fn key_name(&self) -> &str {
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
    pub fn covers(&self, resource: &str) -> bool {
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

impl EncryptionConfig {
    /// Reads an `EncryptionConfiguration`, JSON or YAML.
    ///
    /// # Errors
    ///
    /// The text is not UTF-8, no such document, or a key is not base64. The error tells the position only.
    pub fn parse(text: &[u8]) -> Result<Self, TextError> {
        let document: Document = text::parse(text)?;
        let resources = document
            .resources
            .into_iter()
            .map(ResourceProviders::from)
            .collect();
        Ok(Self { resources })
    }
}

#[derive(serde::Deserialize)]
struct Document {
    resources: Vec<Entry>,
}

#[derive(serde::Deserialize)]
struct Entry {
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    providers: Vec<ProviderEntry>,
}

/// A mapping with one key, the provider's word.
#[derive(serde::Deserialize)]
struct ProviderEntry {
    aescbc: Option<Keys>,
    aesgcm: Option<Keys>,
    secretbox: Option<Keys>,
    kms: Option<Kms>,
    #[serde(default, deserialize_with = "presence")]
    identity: bool,
}

#[derive(serde::Deserialize)]
struct Keys {
    #[serde(default)]
    keys: Vec<KeyEntry>,
}

#[derive(serde::Deserialize)]
struct KeyEntry {
    name: text::Scalar,
    secret: KeyBytes,
}

#[derive(serde::Deserialize)]
struct Kms {
    name: text::Scalar,
}

/// Decoded while it is parsed, so that the base64 text is never copied by us.
struct KeyBytes(Secret);

impl<'de> Deserialize<'de> for KeyBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;
        impl Visitor<'_> for Base64 {
            type Value = KeyBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<KeyBytes, E> {
                let bytes = data_encoding::BASE64.decode(text.as_bytes());
                bytes
                    .map(|bytes| KeyBytes(Secret::new(bytes)))
                    .map_err(|_| E::custom("key is not base64"))
            }
        }
        deserializer.deserialize_str(Base64)
    }
}

/// `identity: {}`, and in YAML also `identity:`.
fn presence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer)
        .map(|_| true)
        .map_err(|_| D::Error::custom("identity"))
}

impl From<Entry> for ResourceProviders {
    fn from(entry: Entry) -> Self {
        let providers = entry
            .providers
            .into_iter()
            .flat_map(ProviderEntry::into_providers)
            .collect();
        Self {
            resources: entry.resources,
            providers,
        }
    }
}

impl ProviderEntry {
    fn into_providers(self) -> Vec<Provider> {
        let mut providers = Vec::new();
        let is_known = self.identity
            || self.kms.is_some()
            || self.aescbc.is_some()
            || self.aesgcm.is_some()
            || self.secretbox.is_some();
        providers.extend(
            self.aescbc
                .into_iter()
                .flat_map(Keys::named)
                .map(Provider::AesCbc),
        );
        let real = |key: &NamedKey| key.secret.expose() != CARRIER_KEY;
        providers.extend(
            self.aesgcm
                .into_iter()
                .flat_map(Keys::named)
                .filter(real)
                .map(Provider::AesGcm),
        );
        providers.extend(
            self.secretbox
                .into_iter()
                .flat_map(Keys::named)
                .map(Provider::Secretbox),
        );
        providers.extend(self.kms.map(|kms| Provider::Kms { name: kms.name.0 }));
        providers.extend(self.identity.then_some(Provider::Identity));
        providers.extend((!is_known).then_some(Provider::Other));
        providers
    }
}

impl Keys {
    fn named(self) -> impl Iterator<Item = NamedKey> {
        self.keys.into_iter().map(|key| NamedKey {
            name: key.name.0,
            secret: key.secret.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENSHIFT: &str = r#"{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[
        {"resources":["configmaps"],"providers":[
            {"aescbc":{"keys":[{"name":"7","secret":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}]}},
            {"identity":{}},
            {"aesgcm":{"keys":[{"name":"6","secret":"AAAAAAAAAAAAAAAAAAAAAA=="}]}}]},
        {"resources":["secrets"],"providers":[
            {"kms":{"apiVersion":"v2","name":"8_secrets","endpoint":"unix:///x"}},{"future":{"a":[1]}}]}]}"#;

    fn spelled(config: &EncryptionConfig) -> Vec<String> {
        let entries = config.resources.iter();
        let line = |entry: &ResourceProviders| {
            let of = |p: &Provider| {
                format!(
                    "{} {}:{}",
                    entry.resources.join(","),
                    p.as_str(),
                    p.key_name()
                )
            };
            entry.providers.iter().map(of).collect::<Vec<_>>()
        };
        entries.flat_map(line).collect()
    }

    #[test]
    fn providers_come_in_file_order_and_the_carrier_is_no_key() {
        let config = EncryptionConfig::parse(OPENSHIFT.as_bytes()).expect("is sound");
        let expected = [
            "configmaps aescbc:7",
            "configmaps identity:",
            "secrets kms:8_secrets",
            "secrets unknown:",
        ];
        assert_eq!(spelled(&config), expected);
    }

    #[test]
    fn yaml_several_resources_and_a_byte_order_mark_are_read() {
        let yaml = "\u{FEFF}apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n\
            - resources: [secrets, '*.apps']\n  providers:\n  - secretbox:\n      keys:\n      - name: 1\n        \
            secret: QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n  - identity:\n";
        let config = EncryptionConfig::parse(yaml.as_bytes()).expect("is sound");
        assert_eq!(
            spelled(&config),
            ["secrets,*.apps secretbox:1", "secrets,*.apps identity:"]
        );
    }

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

    #[test]
    fn no_error_repeats_what_was_read() {
        let secret = "SUPERSECRET";
        let texts = [
            format!(
                r#"{{"resources":[{{"providers":[{{"aescbc":{{"keys":[{{"name":"7","secret":"{secret}"}}]}}}}]}}]}}"#
            ),
            format!(r#"{{"resources":"{secret}"}}"#),
            format!("resources:\n- providers:\n  - aescbc: {secret}\n"),
            format!("resources: [{secret}"),
            format!("{secret}: &a [*{secret}]"),
            secret.to_owned(),
        ];
        for text in texts {
            let error = EncryptionConfig::parse(text.as_bytes()).expect_err("is not sound");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("SUPER"), "{shown}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let config = EncryptionConfig::parse(OPENSHIFT.as_bytes()).expect("is sound");
        let shown = format!("{config:?}");
        assert!(
            shown.contains("Secret(32 bytes)") && !shown.contains("65, 65"),
            "{shown}"
        );
    }
}
