//! The command, held to its contract on real backups.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "a test that fails is to stop where it fails"
)]

#[cfg(feature = "object-stores")]
mod across_stores;
mod archive;
#[cfg(feature = "object-stores")]
mod arriving;
#[cfg(feature = "object-stores")]
mod buckets;
pub(crate) mod bundles;
mod cases;
mod catalogue;
mod checksums;
mod clusters;
mod completions;
pub(crate) mod contract;
#[cfg(feature = "object-stores")]
mod credentials;
#[cfg(feature = "object-stores")]
mod custody;
mod decrypt;
pub(crate) mod edit;
mod ends;
pub(crate) mod environment;
mod findings;
mod foreign;
mod healthy;
mod hosted;
mod hostile_bundles;
mod hostile_zips;
#[cfg(feature = "object-stores")]
mod killed;
mod kindness;
mod layouts;
#[cfg(feature = "object-stores")]
mod many_objects;
mod mended;
mod options;
mod packed;
mod pairs;
mod places;
mod readonly;
#[cfg(feature = "object-stores")]
mod real_stores;
mod secrets;
mod selection;
mod signals;
#[cfg(feature = "object-stores")]
mod stopped;
mod strange;
mod undone;
mod zips;
