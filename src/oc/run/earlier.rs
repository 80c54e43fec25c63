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

/// Directories of runs whose heartbeat is over an hour old: nobody is at work in them.
pub(super) fn stale_directories(shell: &mut HostShell<'_, '_>) -> Result<Vec<String>, OcError> {
    directories(shell, true)
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
    for directory in directories(shell, false)? {
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
fn directories(shell: &mut HostShell<'_, '_>, is_stale: bool) -> Result<Vec<String>, OcError> {
    let plan = shell.context.plan;
    let place = plan.options.host_directory.trim_end_matches('/');
    let found = shell.command(&host::earlier(&plan.options.host_directory, is_stale))?;
    let mut found: Vec<(&str, &str)> = found
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .filter(|(_, path)| is_ours(path, place) && *path != plan.directory)
        .collect();
    found.sort_by(|one, other| {
        let seconds = |(time, _): &(&str, &str)| time.parse::<f64>().unwrap_or_default();
        seconds(other).total_cmp(&seconds(one))
    });
    Ok(found.into_iter().map(|(_, path)| path.to_owned()).collect())
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
    fn a_pair_is_whole_when_both_names_are_there() {
        let snapshot = "snapshot_2024-11-02_030005.db";
        let archive = "static_kuberesources_2024-11-02_030005.tar.gz";
        assert!(pair(&format!("{archive}\n{snapshot}\n")).is_some());
        assert!(pair(&format!("{archive}\n{snapshot}.part\n")).is_none());
        assert!(pair(&format!("{snapshot}\n")).is_none());
        assert!(pair("snapshot_..%2f.db\nstatic_kuberesources_..%2f.tar.gz").is_none());
    }
}
