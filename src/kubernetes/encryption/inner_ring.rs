//! The keys of openshift-apiserver and oauth-apiserver: Secrets inside the snapshot, sealed with the kube-apiserver's keys.
//!
//! Source: library-go `pkg/operator/encryption/{secrets,encryptiondata}`.

use super::config::{ConfigProvider, EncryptionConfig, NamedKey};
use super::key_ring::{KeyRing, UnsealError};
use super::usage::Sealed;
use crate::kubernetes::envelope::Envelope;
use crate::kubernetes::object::{ObjectMeta, data_entries};
use crate::secret::Secret;

pub(super) const CONFIG_FIELD: &[u8] = b"encryption-config";
pub(super) const KEY_FIELD: &[u8] = b"encryption.apiserver.operator.openshift.io-key";
pub(super) const MODE_ANNOTATION: &str = "encryption.apiserver.operator.openshift.io/mode";

pub(super) const ROUTES: &str = "routes.route.openshift.io";
pub(super) const ACCESS_TOKENS: &str = "oauthaccesstokens.oauth.openshift.io";
const AUTHORIZE_TOKENS: &str = "oauthauthorizetokens.oauth.openshift.io";

/// Resources of the API servers whose keys lie inside the snapshot, in Secrets that the kube-apiserver encrypts.
pub(super) fn is_inner(resource: &str) -> bool {
    matches!(resource, ROUTES | ACCESS_TOKENS | AUTHORIZE_TOKENS)
}

/// The ring of openshift-apiserver and oauth-apiserver.
#[derive(Default)]
pub(super) struct InnerRing {
    pub(super) ring: KeyRing,
    /// A configuration is there, but a key management service holds its key.
    pub(super) is_external: bool,
}

impl InnerRing {
    /// Opens every configuration and key Secret: the newest configuration may lack keys that older values need.
    pub(super) fn open(sealed: &Sealed, ring: &KeyRing) -> Self {
        let mut inner = Self::default();
        for value in &sealed.encryption_configs {
            let Some(place) = InnerPlace::of(&value.storage_key) else {
                continue;
            };
            match ring.open(&value.resource, &value.storage_key, value.value.expose()) {
                Ok(opened) => inner.add(place, &opened),
                Err(UnsealError::External) => inner.is_external = true,
                Err(_) => {}
            }
        }
        inner
    }

    fn add(&mut self, place: InnerPlace<'_>, opened: &[u8]) {
        let Ok(Some(secret)) = Envelope::parse(opened) else {
            return;
        };
        let field = |name: &[u8]| {
            data_entries(secret.raw)
                .find(|(key, _)| *key == name)
                .map(|(_, data)| data)
        };
        match place {
            InnerPlace::Config => {
                if let Some(Ok(config)) = field(CONFIG_FIELD).map(EncryptionConfig::parse) {
                    self.ring.merge(KeyRing::new(config));
                }
            }
            InnerPlace::Key { resources, name } => {
                let Ok(meta) = ObjectMeta::of(secret.raw) else {
                    return;
                };
                let provider = field(KEY_FIELD)
                    .and_then(|key| provider(meta.annotation(MODE_ANNOTATION)?, name, key));
                if let Some(provider) = provider {
                    self.ring.add(
                        resources
                            .iter()
                            .map(|&resource| resource.to_owned())
                            .collect(),
                        provider,
                    );
                }
            }
        }
    }
}

fn provider(mode: &[u8], name: &str, key: &[u8]) -> Option<ConfigProvider> {
    let key = NamedKey {
        name: name.to_owned(),
        secret: Secret::new(key.to_vec()),
    };
    match mode {
        b"aescbc" => Some(ConfigProvider::AesCbc(key)),
        b"aesgcm" => Some(ConfigProvider::AesGcm(key)),
        b"secretbox" => Some(ConfigProvider::Secretbox(key)),
        _ => None,
    }
}

/// Which Secret lies at a storage key: a deployed configuration, or one key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum InnerPlace<'k> {
    Config,
    Key {
        resources: &'static [&'static str],
        name: &'k str,
    },
}

impl<'k> InnerPlace<'k> {
    /// `None` for the kube-apiserver's own Secrets: its keys are those in the kuberesources, or the restore fails.
    fn of(storage_key: &'k [u8]) -> Option<Self> {
        let key = std::str::from_utf8(storage_key).ok()?;
        let (_, path) = key.split_once("/secrets/")?;
        let (namespace, name) = path.split_once('/')?;
        match namespace {
            "openshift-apiserver" | "openshift-oauth-apiserver" => name
                .starts_with("encryption-config-")
                .then_some(Self::Config),
            "openshift-config-managed" => Self::managed(name),
            _ => None,
        }
    }

    fn managed(name: &'k str) -> Option<Self> {
        if let Some(server) = name.strip_prefix("encryption-config-") {
            let is_inner = matches!(server, "openshift-apiserver" | "openshift-oauth-apiserver");
            return is_inner.then_some(Self::Config);
        }
        let (server, id) = name.strip_prefix("encryption-key-")?.rsplit_once('-')?;
        let is_decimal = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let resources: &[&str] = match server {
            // Up to 4.7 this server held the tokens too; its configurations say so themselves.
            "openshift-apiserver" => &[ROUTES],
            "openshift-oauth-apiserver" => &[ACCESS_TOKENS, AUTHORIZE_TOKENS],
            _ => return None,
        };
        is_decimal.then_some(Self::Key {
            resources,
            name: id,
        })
    }
}
