//! What Kubernetes keeps in etcd: storage keys, encodings, objects, encryption at rest, certificates.

pub mod certificate;
pub mod encryption;
