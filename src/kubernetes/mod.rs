//! What Kubernetes keeps in etcd: storage keys, encodings, objects, encryption at rest, certificates.

pub mod certificate;
pub(crate) mod encoding;
pub mod encryption;
pub(crate) mod envelope;
pub(crate) mod json;
pub(crate) mod key_text;
pub(crate) mod object;
pub(crate) mod storage_key;
pub(crate) mod stored_object;
pub(crate) mod text;
mod text_budget;
mod text_error;
