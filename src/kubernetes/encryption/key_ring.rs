//! The keys at hand, in memory only, and the trial of a stored value on them.

use crate::kubernetes::encryption::cipher;
use crate::kubernetes::encryption::config::{ConfigProvider, EncryptionConfig, ResourceProviders};
use crate::kubernetes::encryption::value::{EncryptedValue, StoredProvider, StoredValue};
use std::fmt;
use zeroize::Zeroizing;

/// Resources and providers of all configurations of one ring: every value is held against every one. OpenShift keeps
/// a few revisions of some fifty.
const MAX_ENTRIES: usize = 8192;

/// The keys of one or more EncryptionConfigurations.
#[derive(Default)]
pub struct KeyRing {
    entries: Vec<ResourceProviders>,
    /// Resources and providers in all of them.
    size: usize,
}

/// Why a stored value was not opened.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UnsealError {
    /// The prefix does not end within its bounds.
    #[error("the value's encryption prefix is malformed")]
    Malformed,
    /// The ring says nothing of this resource.
    #[error("no encryption configuration covers the resource")]
    ConfigMissing,
    /// The ring has no key of this provider and name for the resource.
    #[error("the encryption key is not in the key ring")]
    KeyMissing,
    /// Keys of this name are there and none opens the value.
    #[error("the encryption key does not open the value")]
    KeyWrong,
    /// The key is held by a key management service, or the provider is unknown.
    #[error("the provider cannot be tried offline")]
    External,
}

impl KeyRing {
    /// Takes over the keys of a configuration.
    pub(crate) fn new(config: EncryptionConfig) -> Self {
        let mut ring = Self::default();
        ring.extend(config.resources);
        ring
    }

    /// Adds the keys of another ring. Keys of one name may differ: all are tried.
    pub(crate) fn merge(&mut self, other: Self) {
        self.extend(other.entries);
    }

    fn extend(&mut self, entries: impl IntoIterator<Item = ResourceProviders>) {
        for entry in entries {
            let size = self.size + 1 + entry.resources.len() + entry.providers.len();
            if size > MAX_ENTRIES {
                return;
            }
            self.size = size;
            self.entries.push(entry);
        }
    }

    /// Adds one key that is known outside of any configuration.
    pub(crate) fn add(&mut self, resources: Vec<String>, provider: ConfigProvider) {
        let providers = vec![provider];
        self.extend([ResourceProviders {
            resources,
            providers,
        }]);
    }

    /// The resources that the ring names, in no particular order; wildcards stay as they are.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .flat_map(|entry| &entry.resources)
            .map(String::as_str)
    }

    /// Opens a stored value that lies at `storage_key`; a plain one is returned as it is.
    ///
    /// # Errors
    ///
    /// See [`UnsealError`]: no configuration, no key of that name, none that opens it, or not to be tried offline.
    pub(crate) fn open(
        &self,
        resource: &str,
        storage_key: &[u8],
        stored: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        match StoredValue::parse(stored) {
            StoredValue::Plain => Ok(Zeroizing::new(stored.to_vec())),
            StoredValue::Malformed => Err(UnsealError::Malformed),
            StoredValue::Encrypted(value) => self.open_encrypted(resource, storage_key, value),
        }
    }

    fn open_encrypted(
        &self,
        resource: &str,
        storage_key: &[u8],
        value: EncryptedValue<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        self.has(resource, value.provider, value.key_name)?;
        let keys = self.keys(resource, value.provider, value.key_name);
        keys.into_iter()
            .find_map(|key| try_key(key, storage_key, value.payload))
            .ok_or(UnsealError::KeyWrong)
    }

    /// Whether there is a key to try for a resource, a provider and a key name.
    ///
    /// # Errors
    ///
    /// [`UnsealError::ConfigMissing`], [`UnsealError::KeyMissing`] or [`UnsealError::External`].
    pub(crate) fn has(
        &self,
        resource: &str,
        provider: StoredProvider<'_>,
        key_name: &[u8],
    ) -> Result<(), UnsealError> {
        if !self.entries.iter().any(|entry| entry.covers(resource)) {
            return Err(UnsealError::ConfigMissing);
        }
        if matches!(provider, StoredProvider::Other(_)) {
            return Err(UnsealError::External);
        }
        if self.keys(resource, provider, key_name).is_empty() {
            return Err(UnsealError::KeyMissing);
        }
        if provider == StoredProvider::Kms {
            Err(UnsealError::External)
        } else {
            Ok(())
        }
    }

    fn keys(
        &self,
        resource: &str,
        provider: StoredProvider<'_>,
        key_name: &[u8],
    ) -> Vec<&ConfigProvider> {
        let entries = self.entries.iter().filter(|entry| entry.covers(resource));
        entries
            .flat_map(|entry| &entry.providers)
            .filter(|key| key.serves(provider, key_name))
            .collect()
    }
}

fn try_key(
    provider: &ConfigProvider,
    storage_key: &[u8],
    payload: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    match provider {
        ConfigProvider::AesCbc(key) => cipher::open_aescbc(key.secret.expose(), payload),
        ConfigProvider::AesGcm(key) => {
            cipher::open_aesgcm(key.secret.expose(), storage_key, payload)
        }
        ConfigProvider::Secretbox(key) => cipher::open_secretbox(key.secret.expose(), payload),
        ConfigProvider::Identity | ConfigProvider::Kms { .. } | ConfigProvider::Other => None,
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let providers: usize = self.entries.iter().map(|entry| entry.providers.len()).sum();
        write!(
            f,
            "KeyRing({} entries, {providers} providers)",
            self.entries.len()
        )
    }
}
