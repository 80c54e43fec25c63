//! What Kubernetes keeps in etcd: storage keys, encodings, objects, encryption at rest, certificates.

pub mod certificate;
pub mod encryption;
pub mod envelope;
pub mod storage_key;
pub mod text;
