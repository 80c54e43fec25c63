//! etcd-cat reads OpenShift etcd backups and says, from the bytes, whether they will restore a cluster.
//!
//! Data flows one way: bytes -> facts -> findings -> verdict -> view.

pub mod backup;
pub mod digest;
pub mod explain;
pub mod finding;
pub mod kuberesources;
pub mod kubernetes;
pub mod monitor;
pub mod oc;
pub mod openshift;
pub mod snapshot;
