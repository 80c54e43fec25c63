//! Directory names that producers of backups make.

use super::stamp::Stamp;
use std::ffi::OsStr;

/// Length of the stamp at the end of a directory name.
const STAMP_BYTES: usize = 17;

/// What the name of a directory says about the backup in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DirectoryName {
    /// `backup-<name>-<stamp>`: an `EtcdBackup` of that name.
    EtcdBackup {
        /// Name of the custom resource.
        name: String,
        /// When the Job was made; the files are some seconds younger.
        stamp: Stamp,
    },
    /// `upgrade-backup-<version>-<stamp>`, without the version in OpenShift 4.9: taken before an upgrade.
    Upgrade {
        /// The version before the upgrade.
        version: Option<String>,
        /// When it was taken.
        stamp: Stamp,
    },
    /// The stamp and nothing else.
    Stamped(Stamp),
    /// One of the four slots that the `rollbackcopy` container of OpenShift 4.4 and 4.5 keeps.
    Rollback(RollbackCopy),
}

/// Slots below `/etc/kubernetes/rollbackcopy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RollbackCopy {
    /// `currentVersion.latest`.
    CurrentLatest,
    /// `currentVersion.prev`.
    CurrentPrevious,
    /// `olderVersion.latest`.
    OlderLatest,
    /// `olderVersion.prev`.
    OlderPrevious,
}

impl DirectoryName {
    /// Reads a directory name; `None` when no producer makes such a one.
    pub fn parse(name: &OsStr) -> Option<Self> {
        let text = name.to_str()?;
        if let Some(slot) = RollbackCopy::parse(text) {
            return Some(Self::Rollback(slot));
        }
        let (before, stamp) = text.split_at_checked(text.len().checked_sub(STAMP_BYTES)?)?;
        let stamp = Stamp::find(OsStr::new(stamp)).filter(|found| found.to_string() == stamp)?;
        if before.is_empty() {
            return Some(Self::Stamped(stamp));
        }
        let before = before.strip_suffix('-')?;
        if before == "upgrade-backup" {
            return Some(Self::Upgrade {
                version: None,
                stamp,
            });
        }
        if let Some(version) = before.strip_prefix("upgrade-backup-") {
            let version = Some(version.to_owned());
            return Some(Self::Upgrade { version, stamp });
        }
        let name = before
            .strip_prefix("backup-")
            .filter(|name| !name.is_empty())?;
        let name = name.to_owned();
        Some(Self::EtcdBackup { name, stamp })
    }

    /// The stamp, unless the name is a rollback slot.
    pub fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::EtcdBackup { stamp, .. } | Self::Upgrade { stamp, .. } | Self::Stamped(stamp) => {
                Some(*stamp)
            }
            Self::Rollback(_) => None,
        }
    }
}

impl RollbackCopy {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "currentVersion.latest" => Some(Self::CurrentLatest),
            "currentVersion.prev" => Some(Self::CurrentPrevious),
            "olderVersion.latest" => Some(Self::OlderLatest),
            "olderVersion.prev" => Some(Self::OlderPrevious),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(name: &str) -> String {
        match DirectoryName::parse(OsStr::new(name)) {
            None => "none".to_owned(),
            Some(DirectoryName::EtcdBackup { name, stamp }) => format!("backup {name} {stamp}"),
            Some(DirectoryName::Upgrade { version, stamp }) => {
                format!("upgrade {} {stamp}", version.unwrap_or_default())
            }
            Some(DirectoryName::Stamped(stamp)) => format!("stamped {stamp}"),
            Some(DirectoryName::Rollback(slot)) => format!("{slot:?}"),
        }
    }

    #[test]
    fn directories_of_every_producer_are_known() {
        let rows = [
            (
                "backup-my-nightly-2024-11-02_030000",
                "backup my-nightly 2024-11-02_030000",
            ),
            (
                "upgrade-backup-2024-11-02_030000",
                "upgrade  2024-11-02_030000",
            ),
            (
                "upgrade-backup-4.12.3-2024-11-02_030000",
                "upgrade 4.12.3 2024-11-02_030000",
            ),
            (
                "upgrade-backup-4.12.0-rc.1-2024-11-02_030000",
                "upgrade 4.12.0-rc.1 2024-11-02_030000",
            ),
            ("2024-11-02_030000", "stamped 2024-11-02_030000"),
            ("olderVersion.prev", "OlderPrevious"),
            ("backup--2024-11-02_030000", "none"),
            ("backup-x-2024-02-31_030000", "none"),
            ("old-2024-11-02_030000", "none"),
            ("etcd", "none"),
            ("", "none"),
        ];
        for (name, expected) in rows {
            assert_eq!(describe(name), expected, "{name}");
        }
    }
}
