//! The trial of one stored value: does it open, and is what it opens to the object that lies there?

use super::inner_ring::{InnerRing, is_inner};
use super::key_proof::NamedValues;
use super::key_ring::{KeyRing, UnsealError};
use super::usage::Sealed;
use crate::kubernetes::stored_object::look_at;
use std::fmt;
use std::sync::Arc;

/// What came of trying a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tried {
    /// It opens to the object that its storage key says.
    Opened,
    /// It opens, to another object.
    Mismatched,
    /// It does not open, or to nothing that is an object.
    Shut(UnsealError),
}

/// The keys of both stages: of the kube-apiserver, and of the API servers whose keys lie in the snapshot.
pub(crate) struct Keys {
    outer: Arc<KeyRing>,
    inner: InnerRing,
}

/// Live values of one resource, provider and key that are not what they should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OddValues {
    pub(crate) resource: String,
    pub(crate) provider: String,
    pub(crate) key_name: String,
    pub(crate) damaged: NamedValues,
    pub(crate) mismatched: NamedValues,
}

impl Keys {
    /// Opens the inner keys of a snapshot with the outer ones.
    pub(crate) fn open(sealed: &Sealed, ring: Arc<KeyRing>) -> Self {
        let inner = InnerRing::open(sealed, &ring);
        Self { outer: ring, inner }
    }

    /// Tries a stored value on the keys of its resource.
    pub(crate) fn try_value(&self, resource: &str, storage_key: &[u8], stored: &[u8]) -> Tried {
        let ring = if is_inner(resource) {
            &self.inner.ring
        } else {
            &self.outer
        };
        try_on(ring, resource, storage_key, stored)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// Opens a value and looks at the object in it: not every provider authenticates, and one does not bind to the place.
pub(super) fn try_on(ring: &KeyRing, resource: &str, storage_key: &[u8], stored: &[u8]) -> Tried {
    match ring.open(resource, storage_key, stored) {
        Err(error) => Tried::Shut(error),
        Ok(opened) => match look_at(storage_key, &opened) {
            Ok(_) => Tried::Opened,
            Err(defect) if defect.is_mismatch() => Tried::Mismatched,
            Err(_) => Tried::Shut(UnsealError::KeyWrong),
        },
    }
}
