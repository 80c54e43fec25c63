//! Opens the stored values of one snapshot, whichever API server sealed them.

use super::inner_ring::{InnerRing, is_inner};
use super::key_ring::{KeyRing, UnsealError};
use super::usage::Sealed;
use crate::kubernetes::storage_key::resource_of;
use std::fmt;
use zeroize::Zeroizing;

/// All keys at hand for one snapshot: those of its kuberesources, and those that lie inside it. In memory only.
pub(crate) struct Unsealer {
    ring: KeyRing,
    /// Those inside; `None` where all API servers have the same keys.
    inner: Option<InnerRing>,
}

impl Unsealer {
    /// Takes the keys of the kuberesources, and with them those inside the snapshot.
    pub(crate) fn new(sealed: &Sealed, ring: Option<KeyRing>) -> Self {
        let ring = ring.unwrap_or_default();
        let inner = Some(InnerRing::open(sealed, &ring));
        Self { ring, inner }
    }

    /// Takes the keys that all API servers have.
    pub(crate) fn of_one_ring(ring: Option<KeyRing>) -> Self {
        let ring = ring.unwrap_or_default();
        Self { ring, inner: None }
    }

    /// Opens what is stored at a key; a plain value is returned as it is.
    ///
    /// # Errors
    ///
    /// See [`UnsealError`].
    pub(crate) fn open(
        &self,
        storage_key: &[u8],
        stored: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let resource = resource_of(storage_key).map(|resource| resource.to_string());
        let resource = resource.unwrap_or_default();
        let inner = self.inner.as_ref().filter(|_| is_inner(&resource));
        let Some(inner) = inner else {
            return self.ring.open(&resource, storage_key, stored);
        };
        match inner.ring.open(&resource, storage_key, stored) {
            Err(UnsealError::ConfigMissing) if inner.is_external => Err(UnsealError::External),
            opened => opened,
        }
    }
}

impl fmt::Debug for Unsealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsealer({:?})", self.ring)
    }
}
