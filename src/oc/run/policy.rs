//! Finds the newest backup that the cluster's own automated backups left. Reads, and changes nothing on a host.

use super::cleanup::Remains;
use super::context::RunContext;
use super::error::OcError;
use super::host;
use super::host_shell::HostShell;
use super::options::BackupOptions;
use super::script::ScriptOutput;
use super::transfer::RemoteFile;
use crate::digest::Sha256Digest;
use crate::oc::cluster::is_plain;
use crate::source::AtPath as _;
use chrono::{DateTime, NaiveDateTime, Utc};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

/// As much of a file here is read at once.
const READ_BYTES: usize = 1 << 20;

/// A whole pair on a host.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PolicyBackup {
    pub(super) node: String,
    pub(super) directory: String,
    /// As the names say, taken for UTC.
    pub(super) taken_at: DateTime<Utc>,
    /// Both file names.
    pub(super) output: ScriptOutput,
    /// When the later of the two was changed last, in seconds.
    changed: f64,
}

/// The snapshot here, when both files are here, byte for byte as on the host.
pub(super) fn present(
    options: &BackupOptions,
    [kuberesources, snapshot]: &[RemoteFile; 2],
) -> Result<Option<PathBuf>, OcError> {
    let path = options.to.join(&snapshot.name);
    let pairs = [
        (
            options.keys_directory().join(&kuberesources.name),
            kuberesources,
        ),
        (path.clone(), snapshot),
    ];
    for (path, remote) in pairs {
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).at_path("open", &path)?,
        };
        if digest_of(&mut file).at_path("read", &path)? != remote.digest {
            return Ok(None);
        }
    }
    Ok(Some(path))
}

fn digest_of(file: &mut File) -> io::Result<Sha256Digest> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; READ_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(Sha256Digest(hasher.finalize().into())),
            length => hasher.update(piece.get(..length).unwrap_or_default()),
        }
    }
}

/// Looks into each host in turn. Of those that are equally new the first is taken.
pub(super) fn newest(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<PolicyBackup, OcError> {
    let search = &context.plan.policy;
    let mut newest: Option<PolicyBackup> = None;
    for (node, places) in &search.hosts {
        let mut shell = HostShell::open(context.on(node), remains)?;
        let words = host::policy_files(places);
        let told = shell.command(&words.each_ref().map(String::as_str))?;
        for backup in pairs(node, places, &told) {
            let monitor = context.monitor;
            monitor.note(&format!(
                "the cluster's own policy left a backup in {} on {node}",
                backup.directory
            ));
            if newest
                .as_ref()
                .is_none_or(|found| found.changed < backup.changed)
            {
                newest = Some(backup);
            }
        }
    }
    newest.ok_or_else(|| OcError::NoPolicyBackup {
        looked: search
            .hosts
            .iter()
            .map(|(node, places)| format!("{} on {node}", places.join(", ")))
            .collect(),
        out_of_reach: search.out_of_reach.clone(),
    })
}

/// Whole pairs among `<seconds> <path>` lines, one directory below a place. What is named otherwise is no backup's.
fn pairs(node: &str, places: &[String], told: &str) -> Vec<PolicyBackup> {
    let mut files = BTreeMap::new();
    for line in told.lines() {
        let Some((time, path)) = line.trim_end().split_once(' ') else {
            continue;
        };
        let is_inside = |place: &String| {
            let rest = path
                .strip_prefix(place.as_str())
                .and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|rest| rest.split('/').count() <= 2)
        };
        if let Ok(seconds) = time.parse::<f64>()
            && is_plain(path)
            && places.iter().any(is_inside)
        {
            files.insert(path, seconds);
        }
    }
    files
        .iter()
        .filter_map(|(path, seconds)| {
            let (directory, name) = path.rsplit_once('/')?;
            let stamp = name.strip_prefix("snapshot_")?.strip_suffix(".db")?;
            let output = ScriptOutput::of_stamp(stamp)?;
            let other = format!("{directory}/{}", output.kuberesources_name);
            let other = files.get(other.as_str())?;
            Some(PolicyBackup {
                node: node.to_owned(),
                directory: directory.to_owned(),
                taken_at: instant_of(stamp)?,
                output,
                changed: seconds.max(*other),
            })
        })
        .collect()
}

fn instant_of(stamp: &str) -> Option<DateTime<Utc>> {
    let time = stamp.strip_suffix("__POSSIBLY_DIRTY__").unwrap_or(stamp);
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%d_%H%M%S").ok()?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories(told: &str) -> Vec<String> {
        let places = ["/var/lib/etcd-auto-backup".to_owned()];
        pairs("n", &places, told)
            .into_iter()
            .map(|found| found.directory)
            .collect()
    }

    #[test]
    fn a_pair_is_whole_and_lies_where_the_policy_puts_it() {
        let root = "/var/lib/etcd-auto-backup";
        let pair = |directory: &str, stamp: &str| {
            format!(
                "17.5 {directory}/snapshot_{stamp}.db\n18.5 {directory}/static_kuberesources_{stamp}.tar.gz\n"
            )
        };
        let stamp = "2024-11-02_030005";
        let nightly = format!("{root}/backup-nightly-2024-11-02_030000");
        assert_eq!(directories(&pair(&nightly, stamp)), [nightly.as_str()]);
        assert_eq!(directories(&pair(root, stamp)), [root]);
        for directory in [
            format!("{root}/a/b"),
            format!("{root}/../x"),
            format!("{root}/a;b"),
            format!("{root}/a b"),
            "/home/core/x".to_owned(),
            "/var/lib/etcd-auto-backup2/x".to_owned(),
        ] {
            assert_eq!(
                directories(&pair(&directory, stamp)),
                Vec::<String>::new(),
                "{directory}"
            );
        }
        let half = format!("1.0 {nightly}/snapshot_{stamp}.db\n");
        assert_eq!(directories(&half), Vec::<String>::new());
        assert_eq!(
            directories(&pair(&nightly, "2024-11-02_0300;5")),
            Vec::<String>::new()
        );
        let times = format!(
            "x {nightly}/snapshot_{stamp}.db\n1.0 {nightly}/static_kuberesources_{stamp}.tar.gz\n"
        );
        assert_eq!(directories(&times), Vec::<String>::new());
    }
}
