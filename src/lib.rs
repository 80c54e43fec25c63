//! etcd-cat reads OpenShift etcd backups and says, from the bytes, whether they will restore a cluster.
//!
//! Data flows one way: bytes -> facts -> findings -> verdict -> view. The modules are listed in that order; each
//! uses only what stands above it.

// What bytes are made of
pub(crate) mod buffer;
pub mod bytes;
pub mod digest;
pub mod instant;
pub mod monitor;
pub mod parallel;
pub(crate) mod protobuf;
pub(crate) mod secret;

// What can be said of them
pub mod finding;

// What that means at length
pub mod explain;

// Where bytes come from
pub mod source;

// What names say
pub mod names;

// What files are that no backup can be read from
pub(crate) mod foreign;

// Formats, from the file up to OpenShift
mod bbolt;
mod etcd;
pub mod kubernetes;
pub mod objects;
pub mod openshift;

// One pass over one file
pub mod kuberesources;
pub mod snapshot;

// Where files lie and what they are together
pub mod backup;
pub mod discovery;
pub mod inventory;
pub mod pairing;

#[cfg(test)]
mod fixture;

pub mod judgement;
pub mod selection;

// How each cluster stands
pub mod clusters;

// What is remembered, and what is done with it
pub mod catalogue;
pub mod metrics;
pub mod oc;
pub mod overview;
pub mod restore;
pub mod survey;
pub mod take;

// What is in a backup
pub mod inspect;
// One proof by many machines
pub mod fleet;
