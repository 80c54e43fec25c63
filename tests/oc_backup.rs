//! `etcd-cat backup` as a library, against a fake `oc` that behaves like the real one.

mod oc;
