//! Encryption at rest: prefixes of stored values, the key ring, and the proof that it opens them.

mod cipher;
mod config;
mod config_document;
mod hosted;
mod inner_ring;
mod key_proof;
mod key_ring;
mod proof;
mod trial;
mod unsealer;
mod usage;
mod value;

pub(crate) use config::{ConfigProvider, EncryptionConfig};
pub use key_proof::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
pub use key_ring::KeyRing;
pub(crate) use key_ring::UnsealError;
pub use proof::OpenedBehindKeys;
pub use proof::prove;
pub(crate) use proof::{enter_everything, prove_with_one_ring};
pub(crate) use trial::{Keys, OddValues, Tried};
pub(crate) use unsealer::Unsealer;
pub use usage::EncryptionUse;
pub use usage::Sealed;
pub use usage::SealedValue;
pub(crate) use usage::{IDENTITY, is_of_kube_apiserver};
pub(crate) use value::{EncryptedValue, StoredValue};
