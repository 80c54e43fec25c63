//! A raw copy of a database that the restore of its release takes as it is.

use super::kind::ClusterKind;
use crate::backup::Version;
use crate::finding::{Code, Finding, Severity};
use crate::snapshot::Snapshot;

/// The first release whose resource agent restores a copy of a two-node cluster with fencing without its hash.
const SKIPS_HASH_SINCE: (u64, u64) = (4, 22);

/// `digest-missing` is a warning where the cluster's own restore does without the hash and everything else is sound.
pub(super) fn weigh(finding: Finding, facts: &Snapshot, version: &Version) -> Finding {
    let mut others = facts.findings.iter().filter(|other| **other != finding);
    if finding.code != Code::DigestMissing || others.any(Finding::is_error) {
        return finding;
    }
    let Some((made, remedy)) = restored_without_hash(facts, version) else {
        return finding;
    };
    let message = format!("no digest: {made}; its structure and revisions are sound");
    Finding {
        message,
        ..finding.severity(Severity::Warning).remedy(remedy)
    }
}

/// How such a copy is made, and how it is restored; `None` where a restore asks for the hash.
fn restored_without_hash(
    facts: &Snapshot,
    version: &Version,
) -> Option<(&'static str, &'static str)> {
    match ClusterKind::of(facts) {
        ClusterKind::FencedCopy if release(version)? >= SKIPS_HASH_SINCE => Some((
            "the resource agent of two-node clusters with fencing copies the stopped member's database",
            "restore it by the procedure of two-node clusters with fencing, which skips the hash check",
        )),
        ClusterKind::MicroShift => Some((
            "MicroShift copies the data directory of its stopped etcd",
            "restore it with microshift restore, which copies the directory back",
        )),
        _ => None,
    }
}

/// Major and minor version.
fn release(version: &Version) -> Option<(u64, u64)> {
    let version = semver::Version::parse(version.openshift.as_deref()?).ok()?;
    Some((version.major, version.minor))
}
