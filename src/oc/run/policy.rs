//! Finds the newest backup that the cluster's own automated backups left. Reads, and changes nothing on a host.

use super::cleanup::Remains;
use super::context::{RunContext, Volume};
use super::debug_pod::DebugPod;
use super::error::OcError;
use super::host;
use super::host_shell::HostShell;
use super::options::BackupOptions;
use super::policy_search::claim_place;
use super::script::ScriptOutput;
use super::transfer::RemoteFile;
use crate::digest::Sha256Digest;
use crate::oc::client::commands;
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

/// A whole pair on a host, or in the volume of a claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PolicyBackup {
    /// The host, or how the claim is called.
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

/// The newest, and the way to it.
pub(super) struct Found {
    pub(super) backup: PolicyBackup,
    /// The claim that it lies in, and the pod that reads it.
    pub(super) volume: Option<FoundVolume>,
}

/// A claim and the pod that reads it. No second one is made: a volume may be for one node at a time.
#[derive(Clone)]
pub(super) struct FoundVolume {
    pub(super) claim: String,
    pub(super) image: String,
    pub(super) pod: DebugPod,
}

/// Looks into each host in turn, then into the claims that no host has. Of those that are equally new the first is taken.
pub(super) fn newest(
    context: &RunContext<'_>,
    remains: &mut Remains<'_>,
) -> Result<Found, OcError> {
    let search = &context.plan.policy;
    let mut newest: Option<Found> = None;
    let mut out_of_reach = search.out_of_reach.clone();
    let mut image = None;
    for (node, places) in &search.hosts {
        let mut shell = HostShell::open(context.on(node), remains)?;
        let backups = backups(&mut shell, places)?;
        image = image.or_else(|| shell.image().map(str::to_owned));
        consider(&mut newest, backups, None);
    }
    // A pod like the one that has run just now can be started, and has what is asked of it.
    let image = image.unwrap_or_default();
    for claim in &search.claims {
        match look_into(context, claim, &image, remains) {
            Ok((backups, volume)) => consider(&mut newest, backups, Some(&volume)),
            Err(error) if error.is_interrupted() || error.is_away() => return Err(error),
            Err(error) => {
                let place = claim_place(claim);
                let why = format!("{place}: {}", error.in_short());
                context.monitor.note(&format!("not looked into: {why}"));
                out_of_reach.push(why);
            }
        }
    }
    let hosts = search.hosts.iter();
    let hosts = hosts.map(|(node, places)| format!("{} on {node}", places.join(", ")));
    let is_seen = |claim: &&String| {
        !out_of_reach
            .iter()
            .any(|why| why.starts_with(&claim_place(claim)))
    };
    let claims = search.claims.iter().filter(is_seen);
    let claims = claims.map(|claim| claim_place(claim));
    newest.ok_or_else(|| OcError::NoPolicyBackup {
        looked: hosts.chain(claims).collect(),
        out_of_reach: out_of_reach.clone(),
    })
}

fn look_into(
    context: &RunContext<'_>,
    claim: &str,
    image: &str,
    remains: &mut Remains<'_>,
) -> Result<(Vec<PolicyBackup>, FoundVolume), OcError> {
    let place = claim_place(claim);
    let context = context.in_volume(&place, Volume { claim, image });
    let mut shell = HostShell::open(context, remains)?;
    let backups = backups(&mut shell, &[commands::VOLUME_PATH.to_owned()])?;
    let volume = FoundVolume {
        claim: claim.to_owned(),
        image: image.to_owned(),
        pod: shell.debug_pod(),
    };
    Ok((backups, volume))
}

fn backups(shell: &mut HostShell<'_, '_>, places: &[String]) -> Result<Vec<PolicyBackup>, OcError> {
    let words = host::policy_files(places);
    let told = shell.command(&words.each_ref().map(String::as_str))?;
    let node = shell.context.node;
    let backups = pairs(node, places, &told);
    for backup in &backups {
        shell.context.monitor.note(&format!(
            "the cluster's own policy left a backup in {} on {node}",
            backup.directory
        ));
    }
    Ok(backups)
}

fn consider(newest: &mut Option<Found>, backups: Vec<PolicyBackup>, volume: Option<&FoundVolume>) {
    for backup in backups {
        let is_newer = |found: &Found| found.backup.changed < backup.changed;
        if newest.as_ref().is_none_or(is_newer) {
            *newest = Some(Found {
                backup,
                volume: volume.cloned(),
            });
        }
    }
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
