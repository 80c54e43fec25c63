//! `etcd-cat backup` as a library, against a fake `oc` that behaves like the real one.
#![expect(
    clippy::indexing_slicing,
    reason = "an absent field of a document fails the test, as it should"
)]

mod oc;
