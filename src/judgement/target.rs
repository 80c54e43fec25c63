//! Is this backup one to restore a given version and cluster from, and if not, how near does it come?

use crate::backup::{Backup, Verdict};
use crate::finding::{Code, Severity};
use chrono::{DateTime, Utc};
use semver::Version as Semver;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

/// What somebody wants to restore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Target<'a> {
    /// The exact version, such as `4.17.3`.
    pub version: &'a str,
    /// Cluster id or infrastructure name; `None` when any cluster will do.
    pub cluster: Option<&'a str>,
}

/// One reason why a backup does not serve a target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Taken from another version.
    OtherVersion {
        /// The version it was taken from.
        found: String,
        /// The version wanted.
        wanted: String,
    },
    /// Nothing says which version it was taken from.
    VersionUnknown,
    /// Taken while the cluster was between two versions.
    BetweenVersions {
        /// Before the upgrade, if known.
        from: Option<String>,
        /// Aimed at, if known.
        to: Option<String>,
    },
    /// Taken from another cluster, or from one that cannot be told.
    OtherCluster {
        /// Its infrastructure name or id.
        found: Option<String>,
        /// The cluster wanted.
        wanted: String,
    },
    /// A finding that makes it invalid.
    Finding {
        /// The finding's code.
        code: Code,
        /// Its message.
        message: String,
    },
    /// Its bytes were not proven, or are gone.
    Unverified,
    /// Kuberesources alone hold no data.
    NoSnapshot,
}

impl Reason {
    /// A stable name: the finding's code where there is one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherVersion { .. } => "other-version",
            Self::VersionUnknown => Code::VersionUnknown.as_str(),
            Self::BetweenVersions { .. } => Code::UpgradeInProgress.as_str(),
            Self::OtherCluster { .. } => "other-cluster",
            Self::Finding { code, .. } => code.as_str(),
            Self::Unverified => "unverified",
            Self::NoSnapshot => Code::SnapshotMissing.as_str(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherVersion { found, wanted } => f.write_str(difference(found, wanted)),
            Self::VersionUnknown => f.write_str("nothing says which version it was taken from"),
            Self::BetweenVersions {
                from: Some(from),
                to: Some(to),
            } => {
                write!(f, "taken during the upgrade from {from} to {to}")
            }
            Self::BetweenVersions { .. } => {
                f.write_str("taken while the cluster was between two versions")
            }
            Self::OtherCluster {
                found: Some(found), ..
            } => write!(f, "of another cluster: {found}"),
            Self::OtherCluster { found: None, .. } => {
                f.write_str("nothing says which cluster it was taken from")
            }
            Self::Finding { message, .. } => f.write_str(message),
            Self::Unverified => f.write_str("not verified, or a file is gone"),
            Self::NoSnapshot => f.write_str("kuberesources without a snapshot"),
        }
    }
}

/// `Ok` when the backup may be restored from for this target; otherwise every reason, the decisive one first.
///
/// # Errors
/// The reasons against it: version, cluster, then what makes it invalid or unverified.
pub fn qualifies(backup: &Backup, target: &Target<'_>) -> Result<(), Vec<Reason>> {
    let version = against_version(backup, target.version);
    let cluster = target
        .cluster
        .and_then(|wanted| against_cluster(backup, wanted));
    let mut reasons: Vec<Reason> = version.into_iter().chain(cluster).collect();
    let has_told_version =
        |code: Code| code == Code::UpgradeInProgress && backup.version.openshift.is_none();
    let findings = backup.findings.iter().filter(|finding| {
        finding.severity == Severity::Error
            && !backup.accepted.contains(&finding.code)
            && !has_told_version(finding.code)
            && finding.code != Code::SnapshotMissing
    });
    reasons.extend(findings.map(|finding| Reason::Finding {
        code: finding.code,
        message: finding.message.clone(),
    }));
    if reasons.is_empty() && backup.verdict == Verdict::Unknown {
        reasons.push(Reason::Unverified);
    }
    // Whatever the verdict's reason: an unusable backup never qualifies.
    if reasons.is_empty() && !backup.verdict.is_usable() {
        reasons.push(Reason::Unverified);
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(reasons)
    }
}

fn against_version(backup: &Backup, wanted: &str) -> Option<Reason> {
    if backup.snapshot.is_none() {
        let is_archive = backup.kuberesources.is_some();
        return Some(if is_archive {
            Reason::NoSnapshot
        } else {
            Reason::Unverified
        });
    }
    let version = &backup.version;
    match &version.openshift {
        // Whole strings: 4.17.3 is neither 4.17.30 nor 4.17.3-rc.1.
        Some(found) if found == wanted => None,
        Some(found) => Some(Reason::OtherVersion {
            found: found.clone(),
            wanted: wanted.to_owned(),
        }),
        None if version.upgrading_to.is_some() || version.upgrading_from.is_some() => {
            Some(Reason::BetweenVersions {
                from: version.upgrading_from.clone(),
                to: version.upgrading_to.clone(),
            })
        }
        None => Some(Reason::VersionUnknown),
    }
}

fn against_cluster(backup: &Backup, wanted: &str) -> Option<Reason> {
    let cluster = &backup.snapshot.as_ref()?.facts.cluster;
    let is_id = cluster
        .id
        .as_deref()
        .is_some_and(|id| id.eq_ignore_ascii_case(wanted));
    if is_id || cluster.infrastructure_name.as_deref() == Some(wanted) {
        return None;
    }
    let found = cluster
        .infrastructure_name
        .clone()
        .or_else(|| cluster.id.clone());
    Some(Reason::OtherCluster {
        found,
        wanted: wanted.to_owned(),
    })
}

/// How two versions differ, in the words of the release notes.
fn difference(found: &str, wanted: &str) -> &'static str {
    let Ok(found) = Semver::parse(found) else {
        return "another version";
    };
    let Ok(wanted) = Semver::parse(wanted) else {
        return "another version";
    };
    if (found.major, found.minor) != (wanted.major, wanted.minor) {
        "other minor version"
    } else if found.patch != wanted.patch {
        "other z-stream"
    } else {
        "other build of the same z-stream"
    }
}

/// A backup that does not qualify.
#[derive(Clone, Debug, PartialEq)]
pub struct NearMiss<'a> {
    /// The backup.
    pub backup: &'a Backup,
    /// Every reason against it, the decisive one first; never empty.
    pub reasons: Vec<Reason>,
    /// One line, such as `newest 4.17.3: key 7 not in the kuberesources` or `4.17.2: other z-stream`.
    pub text: String,
}

/// All backups that do not qualify, nearest first: the wanted cluster before others, then the wanted version,
/// then its z-stream by distance, other minors, unknown ones; among equals the newest first.
pub fn nearest_misses<'a>(backups: &'a [Backup], target: &Target<'_>) -> Vec<NearMiss<'a>> {
    let failed = backups
        .iter()
        .filter_map(|backup| Some((backup, qualifies(backup, target).err()?)));
    let mut misses: Vec<(&Backup, Vec<Reason>)> = failed.collect();
    misses.sort_by_cached_key(|(backup, reasons)| {
        let taken_at: Reverse<Option<DateTime<Utc>>> = Reverse(backup.taken_at);
        (
            has_other_cluster(reasons),
            distance(backup, target.version),
            taken_at,
            backup.path().cloned(),
        )
    });
    let prefixes = prefixes(
        misses
            .iter()
            .map(|(backup, _)| version_name(backup))
            .collect(),
    );
    let text = |prefix: String, reasons: &[Reason]| {
        let first = reasons.first().map(ToString::to_string).unwrap_or_default();
        match reasons.len() {
            0 | 1 => format!("{prefix}: {first}"),
            count => format!("{prefix}: {first} (and {} more)", count - 1),
        }
    };
    let joined = misses.into_iter().zip(prefixes);
    joined
        .map(|((backup, reasons), prefix)| NearMiss {
            backup,
            text: text(prefix, &reasons),
            reasons,
        })
        .collect()
}

/// Of several with one name the first, which is the newest, says so.
fn prefixes(names: Vec<String>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in &names {
        *counts.entry(name.clone()).or_default() += 1;
    }
    let is_newest = |name: &String| counts.remove(name).is_some_and(|count| count > 1);
    let newest: Vec<bool> = names.iter().map(is_newest).collect();
    let prefix = |(name, is_newest)| {
        if is_newest {
            format!("newest {name}")
        } else {
            name
        }
    };
    names.into_iter().zip(newest).map(prefix).collect()
}

fn has_other_cluster(reasons: &[Reason]) -> bool {
    reasons
        .iter()
        .any(|reason| matches!(reason, Reason::OtherCluster { .. }))
}

fn version_name(backup: &Backup) -> String {
    let version = &backup.version;
    match (
        &version.openshift,
        &version.upgrading_from,
        &version.upgrading_to,
    ) {
        (Some(version), ..) => version.clone(),
        (None, Some(from), Some(to)) => format!("{from} to {to}"),
        (None, None, Some(to)) => to.clone(),
        _ => "unknown version".to_owned(),
    }
}

/// Class, then steps within the class; smaller is nearer.
fn distance(backup: &Backup, wanted: &str) -> (u8, u64) {
    let version = &backup.version;
    if version.openshift.as_deref() == Some(wanted) {
        return (0, 0);
    }
    let is_part = |part: &Option<String>| part.as_deref() == Some(wanted);
    if is_part(&version.upgrading_from) || is_part(&version.upgrading_to) {
        return (1, 0);
    }
    let found = version.openshift.as_ref().or(version.upgrading_to.as_ref());
    let found = found.and_then(|found| Semver::parse(found).ok());
    let Some((found, wanted)) = found.zip(Semver::parse(wanted).ok()) else {
        return (5, 0);
    };
    if found.major != wanted.major {
        (4, found.major.abs_diff(wanted.major))
    } else if found.minor != wanted.minor {
        (3, found.minor.abs_diff(wanted.minor))
    } else {
        (2, found.patch.abs_diff(wanted.patch))
    }
}
