//! What earlier runs left that were killed or cut off: pods and namespaces, and directories with the database and the
//! keys on the host.

use super::context::RunContext;
use super::error::OcError;
use super::host;
use super::host_shell::HostShell;
use super::leftover::Leftover;
use super::script::{FinishedScript, ScriptOutput};
use crate::instant::rfc3339_seconds;
use crate::oc::client::RunError;

/// Removes pods and namespaces whose heartbeat is over an hour old. What stays all the same is no reason to take no backup.
pub(super) fn remove_from_cluster(context: &RunContext<'_>) -> Result<Vec<Leftover>, OcError> {
    let mut stay = Vec::new();
    for stale in &context.plan.stale {
        let since = rfc3339_seconds(stale.beat_at);
        let what = match &stale.namespace {
            Some(namespace) => format!("pod {} in namespace {namespace}", stale.name),
            None => format!("namespace {}", stale.name),
        };
        context.monitor.note(&format!(
            "an earlier run left {what}, at work for the last time at {since}: removing it"
        ));
        match context
            .oc
            .ask(&stale.delete(), context.patience(), context.monitor)
        {
            Err(error @ RunError::Interrupted { .. }) => return Err(error.into()),
            Err(error) => {
                let reason = error.reason();
                context.monitor.note(&format!("{what} stays: {reason}"));
                let stays = Leftover::new(context.oc, what, &stale.delete());
                stay.push(stays.because(Some(reason)));
            }
            Ok(_) => {}
        }
    }
    Ok(stay)
}

/// A directory of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RunDirectory {
    pub(super) path: String,
    /// Its heartbeat is over an hour old: nobody is at work in it.
    pub(super) is_over: bool,
}

/// Those in which nobody is at work. Of the others is told that they are there.
pub(super) fn stale_directories(shell: &mut HostShell<'_, '_>) -> Result<Vec<String>, OcError> {
    let (over, young): (Vec<_>, Vec<_>) = directories(shell)?
        .into_iter()
        .partition(|directory| directory.is_over);
    for RunDirectory { path, .. } in young {
        let node = shell.context.node;
        shell.context.monitor.note(&format!(
            "a run was at work in {path} on {node} within the last hour, with the database and the encryption keys: if it is \
             over, `etcd-cat backup --resume --node {node}` brings its backup in, and in an hour `--clean` removes it"
        ));
    }
    Ok(over.into_iter().map(|directory| directory.path).collect())
}

/// Told with the ways out: bringing the files in comes first.
pub(super) fn tell(shell: &HostShell<'_, '_>, directories: &[String]) -> Vec<Leftover> {
    let plan = shell.context.plan;
    for directory in directories {
        shell.context.monitor.note(&format!(
            "an earlier run left {directory} on {node}, with the database and the encryption keys: \
             `etcd-cat backup --resume --node {node}` brings a backup in, `etcd-cat backup --clean --node {node}` removes it",
            node = plan.node
        ));
    }
    let told = directories.iter();
    let namespace = plan.own_namespace();
    told.map(|path| Leftover::directory(shell.context.oc, &plan.node, path, namespace))
        .collect()
}

/// Removes them, those that can be.
pub(super) fn remove(shell: &mut HostShell<'_, '_>, directories: &[String]) -> Result<(), OcError> {
    for directory in directories {
        shell.context.monitor.note(&format!("removing {directory}"));
        shell.command(&host::remove(directory))?;
    }
    Ok(())
}

/// The newest directory in which a run had finished its script: both files are there under their names.
pub(super) fn finished(shell: &mut HostShell<'_, '_>) -> Result<(String, FinishedScript), OcError> {
    for RunDirectory {
        path: directory, ..
    } in directories(shell)?
    {
        let names = shell.command(&host::names(&directory))?;
        if let Some(output) = pair(&names) {
            return Ok((directory, FinishedScript::of_an_earlier_run(output)));
        }
    }
    let plan = shell.context.plan;
    Err(OcError::NothingToResume {
        node: plan.node.clone(),
        directory: plan.options.host_directory.clone(),
    })
}

/// Newest first. What is not named as we name ours is not ours.
fn directories(shell: &mut HostShell<'_, '_>) -> Result<Vec<RunDirectory>, OcError> {
    let plan = shell.context.plan;
    let told = shell.command(&host::earlier(&plan.options.host_directory))?;
    Ok(read(&told, &plan.options.host_directory, &plan.directory))
}

fn read(told: &str, place: &str, own: &str) -> Vec<RunDirectory> {
    let place = place.trim_end_matches('/');
    let lines = told.lines().filter_map(|line| line.trim().split_once(' '));
    let (over, all): (Vec<_>, Vec<_>) = lines
        .filter(|(_, path)| is_ours(path, place) && *path != own)
        .partition(|(word, _)| *word == host::OVER);
    let mut all: Vec<(f64, &str)> = all
        .into_iter()
        .map(|(time, path)| (time.parse().unwrap_or_default(), path))
        .collect();
    all.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let directory = |(_, path): (f64, &str)| RunDirectory {
        path: path.to_owned(),
        is_over: over.iter().any(|(_, one)| *one == path),
    };
    all.into_iter().map(directory).collect()
}

/// `PLACE/etcd-cat-x7k2p`
fn is_ours(path: &str, place: &str) -> bool {
    let name = path
        .strip_prefix(place)
        .and_then(|rest| rest.strip_prefix("/etcd-cat-"));
    name.is_some_and(|name| {
        name.len() == 5 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The snapshot gets its name when it is whole, after the kuberesources.
fn pair(names: &str) -> Option<ScriptOutput> {
    let names: Vec<&str> = names.lines().map(str::trim).collect();
    names.iter().find_map(|name| {
        let stamp = name.strip_prefix("snapshot_")?.strip_suffix(".db")?;
        let output = ScriptOutput::of_stamp(stamp)?;
        let has_other = names.contains(&output.kuberesources_name.as_str());
        has_other.then_some(output)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_as_ours_is_ours() {
        assert!(is_ours("/home/core/etcd-cat-x7k2p", "/home/core"));
        for path in [
            "/home/core/etcd-cat-x7k2p/..",
            "/home/core/etcd-cat-x7k2",
            "/home/core/etcd-cat-x7k2;",
            "/home/core/backup",
            "/etc/etcd-cat-x7k2p",
            "/home/core/../etcd-cat-x7k2p",
        ] {
            assert!(!is_ours(path, "/home/core"), "{path}");
        }
    }

    #[test]
    fn directories_are_told_newest_first_and_which_of_them_are_over() {
        let told = "100.5 /home/core/etcd-cat-aaaaa\nover /home/core/etcd-cat-aaaaa\n200.5 /home/core/etcd-cat-bbbbb\n\
                    300 /home/core/etcd-cat-ownxx\n400 /home/core/else\nover /home/core/else\n";
        let found = read(told, "/home/core/", "/home/core/etcd-cat-ownxx");
        let found = found.iter().map(|one| (one.path.as_str(), one.is_over));
        let expected = [
            ("/home/core/etcd-cat-bbbbb", false),
            ("/home/core/etcd-cat-aaaaa", true),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_pair_is_whole_when_both_names_are_there() {
        let snapshot = "snapshot_2024-11-02_030005.db";
        let archive = "static_kuberesources_2024-11-02_030005.tar.gz";
        assert!(pair(&format!("{archive}\n{snapshot}\n")).is_some());
        assert!(pair(&format!("{archive}\n{snapshot}.part\n")).is_none());
        assert!(pair(&format!("{snapshot}\n")).is_none());
        assert!(pair("snapshot_..%2f.db\nstatic_kuberesources_..%2f.tar.gz").is_none());
    }
}
