//! Which files cluster-restore.sh would take from a directory.

use super::version_sort::{Coreutils, compare};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

/// What cluster-restore.sh picks from one directory, each by itself: the two may be of different backups.
///
/// For each of its globs the script takes `ls -vd GLOB | tail -1`: the last name in version sort.
/// `None`: nothing matches, or the last match has a line break in its name, of which `tail -1` leaves a torso.
/// Either way the script finds no file.
///
/// Source: cluster-etcd-operator `bindata/etcd/cluster-restore.sh`, the same in every release since 4.4.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Picks {
    /// Last of `snapshot*.db`.
    pub snapshot: Option<OsString>,
    /// Last of `static_kuberesources*.tar.gz`. The script of two-node clusters does not look for it.
    pub kuberesources: Option<OsString>,
}

impl Picks {
    /// Picks among all names of a directory. Directories and dangling links take part as the script does not look.
    pub fn among<N: AsRef<OsStr>>(names: &[N]) -> Self {
        let last = |prefix: &str, suffix: &str| {
            let names = names.iter().map(AsRef::as_ref);
            let matching = names.filter(|name| matches(name.as_bytes(), prefix, suffix));
            let last = matching.max_by(|left, right| by_version(left, right))?;
            (!last.as_bytes().contains(&b'\n')).then(|| last.to_owned())
        };
        Self {
            snapshot: last("snapshot", ".db"),
            kuberesources: last("static_kuberesources", ".tar.gz"),
        }
    }
}

/// True for a name that one of the globs matches.
pub(crate) fn is_restore_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    matches(name, "snapshot", ".db") || matches(name, "static_kuberesources", ".tar.gz")
}

/// The order of the hosts: every release up to now runs on RHEL 8 or 9.
fn by_version(left: &OsStr, right: &OsStr) -> std::cmp::Ordering {
    compare(left.as_bytes(), right.as_bytes(), Coreutils::V8)
}

fn matches(name: &[u8], prefix: &str, suffix: &str) -> bool {
    let rest = name.strip_prefix(prefix.as_bytes());
    rest.is_some_and(|rest| rest.ends_with(suffix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn picks(names: &[&str]) -> (Option<String>, Option<String>) {
        let picks = Picks::among(names);
        let text = |name: Option<OsString>| name.and_then(|name| name.into_string().ok());
        (text(picks.snapshot), text(picks.kuberesources))
    }

    #[test]
    fn each_half_is_picked_by_itself() {
        let found = picks(&[
            "snapshot_2024-11-02_030000.db",
            "snapshot_2024-11-03_030000.db",
            "static_kuberesources_2024-11-02_030000.tar.gz",
            "zzz.db",
        ]);
        assert_eq!(found.0.as_deref(), Some("snapshot_2024-11-03_030000.db"));
        assert_eq!(
            found.1.as_deref(),
            Some("static_kuberesources_2024-11-02_030000.tar.gz")
        );
    }

    #[test]
    fn globs_match_as_those_of_a_shell() {
        let rows = [
            (&["snapshot.db"][..], Some("snapshot.db")),
            (
                &[".snapshot_1.db", "Snapshot_1.db", "prod-snapshot_1.db"],
                None,
            ),
            (
                &["snapshot_1.db.part", "snapshot_1.db.gz", "snapshot"],
                None,
            ),
            (&["snapshot_1.db", "snapshots.db"], Some("snapshot_1.db")), // letters come first
            (&["snapshot_9.db", "snapshot_10.db"], Some("snapshot_10.db")),
            (
                &["snapshot_1.db", "snapshot_1 (1).db"],
                Some("snapshot_1 (1).db"),
            ),
            (
                &["snapshot_1__POSSIBLY_DIRTY__.db", "snapshot_1.db"],
                Some("snapshot_1__POSSIBLY_DIRTY__.db"),
            ),
            (&["snapshot_1.db", "snapshot_2\nsnapshot_1.db"], None),
            (&[], None),
        ];
        for (names, expected) in rows {
            assert_eq!(picks(names).0.as_deref(), expected, "{names:?}");
        }
    }

    #[test]
    fn the_script_line_itself_picks_the_same() -> Result<(), Box<dyn std::error::Error>> {
        let names = [
            "snapshot_2024-11-02_030000.db",
            "snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db",
            "snapshot_2024-11-02_030000 (1).db",
            "snapshot-20251209-101112.db",
            "snapshot.db",
            "snapshot~.db",
        ];
        for count in 1..=names.len() {
            let directory = tempfile::tempdir()?;
            let names: Vec<&str> = names.iter().copied().take(count).collect();
            for name in &names {
                std::fs::write(directory.path().join(name), b"")?;
            }
            let mut shell = Command::new("bash");
            shell
                .arg("-c")
                .arg(r#"ls -vd "$1"/snapshot*.db | tail -1"#)
                .arg("bash");
            let output = shell.arg(directory.path()).output()?;
            let line = String::from_utf8(output.stdout)?;
            let expected = line.trim_end().rsplit('/').next().map(str::to_owned);
            assert_eq!(picks(&names).0, expected, "{names:?}");
        }
        Ok(())
    }
}
