//! The key of a hosted control plane, as its backup has it: the Secret that the HostedCluster names, as JSON.
//!
//! Source: hypershift `etcd-upload/bundle.go`; `AESCBCKeySecretKey` and the name of the key in
//! `control-plane-operator/controllers/hostedcontrolplane/v2/kas/aescbc.go`.

use super::config::{ConfigProvider, EncryptionConfig, NamedKey, ResourceProviders};
use super::config_document::KeyBytes;
use super::key_ring::KeyRing;
use crate::digest::fnv1_32;
use crate::kubernetes::text;

/// Lengths of an AES key.
const KEY_BYTES: [usize; 3] = [16, 24, 32];

#[derive(serde::Deserialize)]
struct SecretDocument {
    data: SecretData,
}

#[derive(serde::Deserialize)]
struct SecretData {
    key: Option<KeyBytes>,
}

impl KeyRing {
    /// The key that a Secret holds; `None` when it holds another thing.
    pub(crate) fn of_hosted_secret(json: &[u8]) -> Option<Self> {
        let document: SecretDocument = text::parse(json).ok()?;
        let secret = document.data.key?.0;
        if !KEY_BYTES.contains(&secret.len()) {
            return None;
        }
        let name = format!("key-{}", fnv1_32(secret.expose()));
        let providers = vec![ConfigProvider::AesCbc(NamedKey { name, secret })];
        // All API servers of a hosted control plane read one configuration.
        let resources = vec!["*.*".to_owned()];
        Some(Self::new(EncryptionConfig {
            resources: vec![ResourceProviders {
                resources,
                providers,
            }],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::KeyRing;

    #[test]
    fn only_the_secret_of_a_key_is_one() {
        let key = data_encoding::BASE64.encode(&[7; 32]);
        let ring =
            KeyRing::of_hosted_secret(format!("{{\"data\":{{\"key\":\"{key}\"}}}}").as_bytes());
        assert!(ring.is_some());
        for other in [
            r#"{"data":{"tls.crt":"YQ==","tls.key":"YQ=="}}"#,
            r#"{"data":{"key":"YQ=="}}"#,
            r#"{"data":{"key":"not base64"}}"#,
            r#"{"kind":"Secret"}"#,
            "",
        ] {
            assert!(
                KeyRing::of_hosted_secret(other.as_bytes()).is_none(),
                "{other}"
            );
        }
    }
}
