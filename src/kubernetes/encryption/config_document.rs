//! The text of an `EncryptionConfiguration`, JSON or YAML.
//!
//! It holds key bytes, and every parser's error text repeats what it read: so errors here carry a position and nothing
//! else. Our own copies are wiped; a YAML parser's inner buffers are beyond our reach.

use super::config::{ConfigProvider, EncryptionConfig, NamedKey, ResourceProviders};
use crate::kubernetes::text::{self, TextError};
use crate::secret::Secret;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, Visitor};
use std::fmt;

/// What OpenShift writes as the key of a provider that only marks the place of `identity`: no key at all.
///
/// Source: library-go `pkg/operator/encryption/encryptiondata/config.go`.
const CARRIER_KEY: [u8; 16] = [0; 16];

impl EncryptionConfig {
    /// Reads an `EncryptionConfiguration`, JSON or YAML.
    ///
    /// # Errors
    ///
    /// The text is not UTF-8, no such document, larger than any real one, or a key is not base64. The error tells the position only.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, TextError> {
        let document: ConfigDocument = text::parse(text)?;
        let resources = document
            .resources
            .into_iter()
            .map(ResourceProviders::from)
            .collect();
        let config = Self { resources };
        if config.is_beyond_any_real_one() {
            return Err(TextError::Entries);
        }
        Ok(config)
    }
}

#[derive(serde::Deserialize)]
struct ConfigDocument {
    resources: Vec<ResourcesEntry>,
}

#[derive(serde::Deserialize)]
struct ResourcesEntry {
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    providers: Vec<ProviderEntry>,
}

/// A mapping with one key, the provider's word.
#[derive(serde::Deserialize)]
struct ProviderEntry {
    aescbc: Option<KeysEntry>,
    aesgcm: Option<KeysEntry>,
    secretbox: Option<KeysEntry>,
    kms: Option<KmsEntry>,
    #[serde(default, deserialize_with = "presence")]
    identity: bool,
}

#[derive(serde::Deserialize)]
struct KeysEntry {
    #[serde(default)]
    keys: Vec<KeyEntry>,
}

#[derive(serde::Deserialize)]
struct KeyEntry {
    name: text::Scalar,
    secret: KeyBytes,
}

#[derive(serde::Deserialize)]
struct KmsEntry {
    name: text::Scalar,
}

/// Decoded while it is parsed, so that the base64 text is never copied by us.
pub(super) struct KeyBytes(pub(super) Secret);

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

impl From<ResourcesEntry> for ResourceProviders {
    fn from(entry: ResourcesEntry) -> Self {
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
    fn into_providers(self) -> Vec<ConfigProvider> {
        let mut providers = Vec::new();
        let is_known = self.identity
            || self.kms.is_some()
            || self.aescbc.is_some()
            || self.aesgcm.is_some()
            || self.secretbox.is_some();
        providers.extend(
            self.aescbc
                .into_iter()
                .flat_map(KeysEntry::named)
                .map(ConfigProvider::AesCbc),
        );
        let real = |key: &NamedKey| key.secret.expose() != CARRIER_KEY;
        providers.extend(
            self.aesgcm
                .into_iter()
                .flat_map(KeysEntry::named)
                .filter(real)
                .map(ConfigProvider::AesGcm),
        );
        providers.extend(
            self.secretbox
                .into_iter()
                .flat_map(KeysEntry::named)
                .map(ConfigProvider::Secretbox),
        );
        providers.extend(self.kms.map(|kms| ConfigProvider::Kms { name: kms.name.0 }));
        providers.extend(self.identity.then_some(ConfigProvider::Identity));
        providers.extend((!is_known).then_some(ConfigProvider::Other));
        providers
    }
}

impl KeysEntry {
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
            let of = |p: &ConfigProvider| {
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
