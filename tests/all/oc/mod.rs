//! `etcd-cat backup` against a fake `oc` that behaves like the real one: one file for each kind of thing that can happen.
#![expect(
    clippy::indexing_slicing,
    reason = "an absent field of a document fails the test, as it should"
)]

pub(crate) mod cluster;
pub(crate) mod command;
mod failures;
mod fallback;
mod happy;
mod interrupted;
mod live;
mod outage;
mod real_answers;
mod real_etcd;
mod refusals;
mod table;
mod transfer;
