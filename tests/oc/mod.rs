//! One file for each kind of thing that can happen to a backup through `oc`.

mod cluster;
mod command;
mod failures;
mod fallback;
mod happy;
mod interrupted;
mod live;
mod real_etcd;
mod refusals;
mod transfer;
