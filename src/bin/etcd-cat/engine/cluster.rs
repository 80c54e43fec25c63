//! The cluster behind `oc`, and what its failures mean to the user.

use crate::args::OcArgs;
use crate::engine::LiveCluster;
use crate::error::{Failure, code};
use etcd_cat::monitor::Monitor;
use etcd_cat::oc::{self, BackupFailure, ClientOptions, Oc, OcError};
use etcd_cat::take::TakeError;

/// Asks the cluster for its id and version.
pub(crate) fn live_cluster(args: &OcArgs, monitor: &dyn Monitor) -> Result<LiveCluster, Failure> {
    let oc = client(args)?;
    let live = oc::live_target(&oc, monitor).map_err(|error| failed(error.into()))?;
    if live.is_upgrading {
        let message = format!(
            "the cluster is between two versions, on its way to {}",
            live.version
        );
        return Err(
            Failure::new(code::OC, message).hint("say what is to be restored: --valid-for VERSION")
        );
    }
    let version = live
        .version
        .parse()
        .map_err(|error| Failure::new(code::OC, error))?;
    Ok(LiveCluster {
        id: Some(live.cluster_id),
        version: Some(version),
    })
}

/// The one place of the command that makes a client of `oc`.
pub(super) fn client(args: &OcArgs) -> Result<Oc, Failure> {
    let options = ClientOptions {
        program: args.oc.clone(),
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        ..ClientOptions::default()
    };
    Oc::new(options).map_err(|error| failed(error.into()))
}

pub(super) fn failed(error: OcError) -> Failure {
    let remedy = error.remedy();
    let failure = Failure::new(code_of(&error), error);
    match remedy {
        Some(remedy) => failure.hint(remedy),
        None => failure,
    }
}

fn code_of(error: &OcError) -> &'static str {
    match error {
        OcError::Refused { .. } | OcError::NoRoom { .. } | OcError::AlreadyRunning { .. } => {
            code::REFUSED
        }
        OcError::Option { .. } => code::USAGE,
        OcError::Io(_) | OcError::Exists { .. } => code::IO,
        OcError::NotBroughtHere { source, .. } => code_of(source),
        _ => code::OC,
    }
}

/// Why there is no backup.
pub(super) fn failed_to_take(error: TakeError) -> Failure {
    match error {
        TakeError::NotBegun(error) => failed(error),
        TakeError::Destination(error) => Failure::new(code::DESTINATION, error),
        TakeError::BrokenOff(failure) => broken(*failure),
        error => Failure::new(code::OC, error),
    }
}

/// A run that broke off: what is still in the cluster matters more than any other advice.
fn broken(failure: BackupFailure) -> Failure {
    failed(failure.error).remains(failure.leftovers)
}
