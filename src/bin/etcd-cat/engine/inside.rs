//! What is in a backup.

use super::Request;
use super::cluster::{client, failed};
use crate::args::OcArgs;
use crate::error::{Failure, code};
use crate::exit::Exit;
use etcd_cat::inspect::{
    self, Contents, Differences, FoundObjects, InspectError, KindRow, Sizes, Subject, Trust, Wanted,
};
use etcd_cat::monitor::Monitor;
use etcd_cat::survey::Depth;

/// What there is of each kind.
pub(crate) fn kinds(
    subject: &Subject,
    trust: Trust,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<(Contents, Vec<KindRow>), Failure> {
    let options = request.options(Depth::Everything);
    Ok(inspect::read_kinds(subject, trust, &options, monitor)?)
}

/// The objects of one kind.
pub(crate) fn objects(
    subject: &Subject,
    wanted: &Wanted,
    trust: Trust,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<FoundObjects, Failure> {
    let options = request.options(Depth::Everything);
    Ok(inspect::find_objects(
        subject, wanted, trust, &options, monitor,
    )?)
}

/// What two backups do not have in common.
pub(crate) fn differences(
    from: &Subject,
    to: &Subject,
    namespace: Option<&str>,
    trust: Trust,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Differences, Failure> {
    let options = request.options(Depth::Everything);
    let differences = inspect::compare(from, to, namespace, trust, &options, monitor)?;
    Ok(differences)
}

/// What a backup and the live cluster do not have in common.
pub(crate) fn live_differences(
    from: &Subject,
    oc: &OcArgs,
    namespace: Option<&str>,
    trust: Trust,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Differences, Failure> {
    let oc = client(oc)?;
    let options = request.options(Depth::Everything);
    let differences = inspect::compare_live(from, &oc, namespace, trust, &options, monitor)?;
    Ok(differences)
}

/// The largest keys, and those written most often.
pub(crate) fn sizes(
    subject: &Subject,
    trust: Trust,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Sizes, Failure> {
    let options = request.options(Depth::Everything);
    Ok(inspect::read_sizes(subject, trust, &options, monitor)?)
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        let error = match error {
            InspectError::Oc(error) => return failed(error.into()),
            error => error,
        };
        match &error {
            InspectError::Unproven { id, findings } => {
                let hint = format!(
                    "see etcd-cat verify {}; --unverified shows what can be read all the same",
                    crate::output::text::path(id)
                );
                let details = findings.iter();
                let details = details.map(|one| format!("{}: {}", one.code, one.message));
                let details = details.collect();
                Self::new(code::UNPROVEN, error)
                    .exit(Exit::Bad)
                    .details(details)
                    .hint(hint)
            }
            InspectError::Several { found, .. } => {
                let details = found.iter().map(crate::output::text::path).collect();
                Self::new(code::REFERENCE, error)
                    .details(details)
                    .hint("give the path of one of them")
            }
            InspectError::NoSnapshot { .. } | InspectError::NoHalf => {
                Self::new(code::REFERENCE, error)
                    .hint("give a snapshot, or a backup that has one: etcd-cat list")
            }
            InspectError::Replaced { .. } => {
                Self::new(code::IO, error).hint("read it again: etcd-cat index")
            }
            InspectError::Kind(_) => {
                Self::new(code::USAGE, error).hint("see which kinds there are: etcd-cat ls BACKUP")
            }
            InspectError::Revision { .. } => Self::new(code::USAGE, error)
                .hint("see which versions there are: etcd-cat history BACKUP KIND NAME"),
            InspectError::TooMuch { .. } => {
                Self::new(code::USAGE, error).hint("ask for less: -n NAMESPACE, or names")
            }
            InspectError::OtherCluster { .. } => Self::new(code::OC, error)
                .hint("name its kubeconfig or context: --kubeconfig FILE, --context NAME"),
            InspectError::NothingListed { .. } => Self::new(code::OC, error).hint(
                "log in as somebody who may list them, or ask for one namespace: -n NAMESPACE",
            ),
            InspectError::Interrupted => Self::new(code::INTERRUPTED, error),
            _ => Self::new(code::IO, error),
        }
    }
}
