//! Is a new backup due? For `--if-older-than` and `--if-version-changed`.

use crate::backup::Backup;
use crate::catalogue::Catalogue;
use crate::instant::rfc3339_seconds;
use crate::monitor::Monitor;
use crate::oc::{BackupOptions, LiveTarget, Oc, OcError, cluster_of};
use crate::survey;
use chrono::{DateTime, TimeDelta, Utc};

/// A clock may differ by this much before an instant counts as lying in the future.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);

/// What the catalogue knows of one usable backup.
#[derive(Clone, Debug, Eq, PartialEq)]
struct KnownBackup {
    /// ClusterVersion `spec.clusterID`.
    cluster_id: String,
    /// Exact version that it restores.
    version: String,
    /// When it was taken.
    taken_at: DateTime<Utc>,
}

/// Under what condition a backup is due. Both `None` and `false`: always.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DueOptions {
    /// `--if-older-than`: when none of the live version is younger than this.
    pub if_older_than: Option<TimeDelta>,
    /// `--if-version-changed`: when there is none of the live version.
    pub if_version_changed: bool,
}

/// The answer, with its reason in words.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Due {
    /// Take one.
    Yes(String),
    /// There is one that will do.
    No(String),
}

/// Decides whether the usable backups (any order, any cluster) make a new one of the live cluster unnecessary.
fn is_due(
    live: &LiveTarget,
    known: &[KnownBackup],
    options: DueOptions,
    now: DateTime<Utc>,
) -> Due {
    if options.if_older_than.is_none() && !options.if_version_changed {
        return Due::Yes("asked for".to_owned());
    }
    let version = &live.version;
    // A backup from the future says nothing of age: counting it would keep the job silent until its day comes.
    let newest = known
        .iter()
        .filter(|backup| backup.cluster_id == live.cluster_id && backup.version == *version)
        .map(|backup| backup.taken_at)
        .filter(|taken_at| *taken_at <= now + CLOCK_SKEW)
        .max();
    let Some(taken_at) = newest else {
        return Due::Yes(format!("no usable backup of version {version} is known"));
    };
    let shown = rfc3339_seconds(taken_at);
    match options.if_older_than {
        Some(limit) if now - taken_at >= limit => Due::Yes(format!(
            "the newest usable backup of version {version} is of {shown}"
        )),
        _ => Due::No(format!(
            "a usable backup of version {version} was taken at {shown}"
        )),
    }
}

/// A usable backup that is young enough makes a new one needless; says which.
pub(super) fn needless(
    oc: &Oc,
    catalogue: &Catalogue,
    due: DueOptions,
    backup: &BackupOptions,
    options: &survey::SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Option<String>, OcError> {
    if due == DueOptions::default() {
        return Ok(None);
    }
    let live = cluster_of(oc, backup, monitor)?;
    let backups = match survey::recall(catalogue, options) {
        Ok(backups) => backups,
        // One backup too many is better than none; that the catalogue is of no use is told in the end.
        Err(error) => {
            monitor.note(&format!("a backup is due: {error}"));
            return Ok(None);
        }
    };
    let known: Vec<KnownBackup> = backups.iter().filter_map(known).collect();
    Ok(match is_due(&live, &known, due, options.as_of) {
        Due::No(reason) => Some(reason),
        Due::Yes(reason) => {
            monitor.note(&format!("a backup is due: {reason}"));
            None
        }
    })
}

fn known(backup: &Backup) -> Option<KnownBackup> {
    if !backup.verdict.is_usable() {
        return None;
    }
    Some(KnownBackup {
        cluster_id: backup.snapshot.as_ref()?.facts.cluster.id.clone()?,
        version: backup.version.openshift.clone()?,
        taken_at: backup.taken_at?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(cluster: &str, version: &str, hours_ago: i64, now: DateTime<Utc>) -> KnownBackup {
        KnownBackup {
            cluster_id: cluster.to_owned(),
            version: version.to_owned(),
            taken_at: now - TimeDelta::hours(hours_ago),
        }
    }

    #[test]
    fn only_a_young_backup_of_the_live_version_is_enough() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let live = LiveTarget {
            version: "4.17.3".to_owned(),
            cluster_id: "a".to_owned(),
            ..LiveTarget::default()
        };
        let older = Some(TimeDelta::hours(24));
        let rows = [
            (
                "no condition",
                None,
                false,
                vec![known("a", "4.17.3", 1, now)],
                true,
            ),
            (
                "young",
                older,
                false,
                vec![known("a", "4.17.3", 23, now)],
                false,
            ),
            (
                "old",
                older,
                false,
                vec![known("a", "4.17.3", 24, now)],
                true,
            ),
            (
                "old and young",
                older,
                false,
                vec![known("a", "4.17.3", 90, now), known("a", "4.17.3", 2, now)],
                false,
            ),
            (
                "other version",
                older,
                false,
                vec![known("a", "4.17.30", 1, now)],
                true,
            ),
            (
                "other cluster",
                older,
                false,
                vec![known("b", "4.17.3", 1, now)],
                true,
            ),
            ("none", older, true, vec![], true),
            (
                "from the future",
                older,
                false,
                vec![known("a", "4.17.3", -30, now)],
                true,
            ),
            (
                "same version, any age",
                None,
                true,
                vec![known("a", "4.17.3", 999, now)],
                false,
            ),
            (
                "version changed",
                None,
                true,
                vec![known("a", "4.17.2", 1, now)],
                true,
            ),
            (
                "both, old",
                older,
                true,
                vec![known("a", "4.17.3", 30, now)],
                true,
            ),
        ];
        for (name, if_older_than, if_version_changed, backups, expected) in rows {
            let options = DueOptions {
                if_older_than,
                if_version_changed,
            };
            let found = is_due(&live, &backups, options, now);
            assert_eq!(matches!(found, Due::Yes(_)), expected, "{name}: {found:?}");
        }
    }
}
