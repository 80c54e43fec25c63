//! Each code provoked from hand-made facts, and the healthy backup that has none.

mod certificates;
mod names;
mod pairs;
mod state;

use super::{Standpoint, judge, verdict};
use crate::backup::{Backup, TakenAtSource, Verdict};
use crate::finding::{Code, Evidence, Finding, Severity};
use crate::fixture::{
    DB, TAR, at, certificate, codes, digest, encrypted, healthy, history, judged, judged_accepting,
    kuberesources, located, only, snapshot, usage,
};
use crate::inventory::{Inventory, Replaced, UnreadableFile};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::KeyOutcome;
use crate::names::Picks;
use crate::openshift::Topology;
use crate::snapshot::{Flavour, Snapshot};
use crate::source::ObjectId;
use std::collections::HashMap;
use std::ffi::OsString;

/// The healthy pair after something was done to its snapshot.
pub(super) fn with_snapshot(spoil: impl Fn(&mut Snapshot)) -> Inventory {
    let mut inventory = healthy();
    inventory
        .snapshots
        .iter_mut()
        .for_each(|half| spoil(&mut half.facts));
    inventory
}

/// The healthy pair after something was done to its kuberesources.
pub(super) fn with_archive(spoil: impl Fn(&mut Kuberesources)) -> Inventory {
    let mut inventory = healthy();
    inventory
        .kuberesources
        .iter_mut()
        .for_each(|half| spoil(&mut half.facts));
    inventory
}

pub(super) fn alone(spoil: impl Fn(&mut Snapshot)) -> Inventory {
    let mut inventory = with_snapshot(spoil);
    inventory.kuberesources.clear();
    inventory
}

pub(super) fn renamed(db: &str) -> Inventory {
    let mut inventory = healthy();
    inventory
        .snapshots
        .iter_mut()
        .for_each(|half| half.path = ObjectId::from(db));
    inventory
}

pub(super) fn renamed_alone(db: &str) -> Inventory {
    let mut inventory = renamed(db);
    inventory.kuberesources.clear();
    inventory
}

pub(super) fn message(backup: &Backup, code: Code) -> String {
    let mut found = backup
        .findings
        .iter()
        .filter(|finding| finding.code == code);
    found
        .next()
        .map(|finding| finding.message.clone())
        .unwrap_or_default()
}

#[test]
fn healthy_backup_has_no_finding() {
    let backup = only(healthy());
    assert_eq!(codes(&backup), [""; 0]);
    assert_eq!(backup.verdict, Verdict::Valid);
    assert_eq!(backup.version.openshift.as_deref(), Some("4.17.3"));
    assert_eq!(
        (backup.taken_at, backup.taken_at_source),
        (Some(at("2024-11-02T03:00:07Z")), Some(TakenAtSource::Lease))
    );
    assert_eq!(backup.named_at, Some(at("2024-11-02T03:00:00Z")));
}

#[test]
fn healthy_encrypted_backup_in_two_places_has_no_finding() {
    let backup = only(encrypted(KeyOutcome::Decrypted));
    assert_eq!(codes(&backup), [""; 0]);
    assert!(backup.key_proof.is_some());
}

pub(super) type Case = (&'static str, Inventory, &'static [&'static str], Verdict);

pub(super) fn check(cases: Vec<Case>) {
    for (name, inventory, expected, verdict) in cases {
        let backup = only(inventory);
        assert_eq!(codes(&backup), expected, "{name}: {:#?}", backup.findings);
        assert_eq!(backup.verdict, verdict, "{name}");
    }
}

pub(super) const CA: &str =
    "static-pod-resources/etcd-pod-3/configmaps/etcd-all-bundles/server-ca-bundle.crt";

pub(super) const LEAF: &str =
    "/kubernetes.io/secrets/openshift-kube-apiserver/aggregator-client tls.crt";
