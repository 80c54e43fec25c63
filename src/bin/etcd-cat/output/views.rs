//! The contract: documents as programs read them. Fields stand in the order of the contract.
//!
//! A field may be added at the end; none is ever renamed, removed or given another meaning.

mod backup;
mod clusters;
mod difference;
mod encryption;
mod explanation;
mod fleet;
mod locations;
mod objects;
mod reports;
mod restore_choice;
mod run;

pub(crate) use backup::{BackupView, digest_state, etcd_minor};
pub(crate) use clusters::ClusterListView;
pub(crate) use difference::DifferenceView;
pub(crate) use explanation::{ExplanationListView, ExplanationView};
pub(crate) use fleet::{FleetMergeView, FleetPlanView, FleetWorkView};
pub(crate) use locations::LocationListView;
pub(crate) use objects::ObjectListView;
pub(crate) use reports::{BackupListView, RestoreCheckView, StageRunView, VerifyReportView};
pub(crate) use run::{BackupRunView, LeftoverView};

/// Version of all documents.
pub(crate) const API_VERSION: &str = "etcd-cat/v1";

#[cfg(test)]
mod tests;
