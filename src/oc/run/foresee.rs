//! The commands of a run that is decided, as they can be told beforehand.

use super::host;
use super::options::BackupTask;
use super::planned::BackupPlan;
use crate::oc::client::{Call, HostAccess, Oc, commands, shell_line};
use crate::oc::cluster::Stale;
use crate::openshift::COMPONENTS;
use std::fmt;

/// Stand for what only the run itself learns, in commands printed beforehand.
const POD: &str = "POD";
const NODE: &str = "NODE";
const DIRECTORY: &str = "DIRECTORY";
const TIME: &str = "TIME";
const IMAGE: &str = "IMAGE";
const SNAPSHOT: &str = "snapshot_TIME.db";
const KUBERESOURCES: &str = "static_kuberesources_TIME.tar.gz";

impl BackupPlan {
    /// Commands on each host in turn, and those that bring in the newest.
    fn foresee_policy(&self, oc: &Oc) -> Vec<Vec<String>> {
        let mut calls = self.foresee_namespace();
        let start = |calls: &mut Vec<Call>, node: &str| {
            calls.extend(self.foresee_pod(node));
            self.access(node, POD)
        };
        for (node, places) in &self.policy.hosts {
            let access = start(&mut calls, node);
            let words = host::policy_files(places);
            calls.push(access.run(&words.each_ref().map(String::as_str)));
        }
        for (before, claim) in self.policy.claims.iter().enumerate() {
            calls.extend(self.foresee_volume(before, claim));
        }
        let access = start(&mut calls, NODE);
        calls.extend(self.foresee_files(&access, DIRECTORY));
        if self.is_exec {
            let pods = self.policy.hosts.iter().map(|_| POD).chain([POD]);
            calls.extend(pods.map(|pod| commands::delete_pod(&self.namespace, pod)));
        }
        let volumes = 0..self.policy.claims.len();
        calls.extend(volumes.map(|before| {
            let pod = self.volume_pod(before);
            commands::delete_pod(commands::ETCD_NAMESPACE, &pod)
        }));
        self.foreseen(calls, oc)
    }

    /// A pod that reads a claim, and what it is asked.
    fn foresee_volume(&self, before: usize, claim: &str) -> [Call; 3] {
        let life = self.options.timeouts.pod_life.as_secs();
        let pod = self.volume_pod(before);
        let namespace = commands::ETCD_NAMESPACE.to_owned();
        let words = host::policy_files(&[commands::VOLUME_PATH.to_owned()]);
        [
            commands::run_volume_pod(&pod, claim, IMAGE, life, TIME),
            commands::pod(&namespace, &pod),
            HostAccess::Volume { namespace, pod }.run(&words.each_ref().map(String::as_str)),
        ]
    }

    /// What earlier runs left is removed, and the place for the debug pod is made.
    fn foresee_namespace(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = self.stale.iter().map(Stale::delete).collect();
        if self.is_temporary() {
            calls.push(commands::create_namespace(&self.namespace));
            calls.push(commands::label_namespace(&self.namespace));
            calls.push(commands::annotate_namespace(&self.namespace, TIME));
        }
        calls
    }

    /// All of them, and that the place for the debug pod goes.
    fn foreseen(&self, mut calls: Vec<Call>, oc: &Oc) -> Vec<Vec<String>> {
        if self.is_temporary() {
            calls.push(commands::delete_namespace(&self.namespace));
        }
        calls.iter().map(|call| oc.argv(call)).collect()
    }

    /// Up to a debug pod on the host.
    fn foresee_pod(&self, node: &str) -> Vec<Call> {
        let life = self.options.timeouts.pod_life.as_secs();
        let mut calls = Vec::new();
        if self.is_exec {
            calls.push(commands::debug_sleep(node, &self.namespace, life));
            calls.push(commands::pod(&self.namespace, POD));
            if self.may_mark && !self.is_temporary() {
                calls.push(commands::beat_pod(&self.namespace, POD, TIME));
            }
        }
        calls
    }

    fn foresee_clean(&self, oc: &Oc) -> Vec<Vec<String>> {
        let mut calls = self.foresee_namespace();
        for node in &self.nodes {
            let access = self.access(node, POD);
            calls.extend(self.foresee_pod(node));
            calls.push(access.run(&host::earlier(&self.options.host_directory)));
            calls.push(access.run(&host::remove(DIRECTORY)));
            if self.is_exec {
                calls.push(commands::delete_pod(&self.namespace, POD));
            }
        }
        self.foreseen(calls, oc)
    }

    fn foresee_files(&self, access: &HostAccess, directory: &str) -> Vec<Call> {
        let snapshot = format!("{directory}/{SNAPSHOT}");
        let kuberesources = format!("{directory}/{KUBERESOURCES}");
        let mut calls = vec![
            access.run(&host::sizes(&snapshot, &kuberesources)),
            access.run(&host::digests(&snapshot, &kuberesources)),
        ];
        for path in [&kuberesources, &snapshot] {
            let words = if self.is_exec {
                host::content(path, 0)
            } else {
                host::content_as_text(path, 0, host::LOG_PART_BYTES)
            };
            calls.push(access.run(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        calls
    }

    /// Every command, in order.
    pub(super) fn foresee(&self, oc: &Oc) -> Vec<Vec<String>> {
        match self.options.task {
            BackupTask::FromPolicy => return self.foresee_policy(oc),
            BackupTask::Clean => return self.foresee_clean(oc),
            BackupTask::Take | BackupTask::Resume => {}
        }
        let access = self.access(&self.node, POD);
        let place = &self.options.host_directory;
        let mut calls = self.foresee_namespace();
        calls.extend(self.foresee_pod(&self.node));
        let directory = if self.options.task == BackupTask::Resume {
            calls.push(access.run(&host::earlier(place)));
            calls.push(access.run(&host::names(DIRECTORY)));
            calls.push(access.run(&host::heartbeat(DIRECTORY)));
            DIRECTORY
        } else {
            let script = self.script(self.is_script_forced());
            let script: Vec<&str> = script.iter().map(String::as_str).collect();
            calls.push(access.run(&host::database_size()));
            calls.push(access.run(&host::free_space(place)));
            calls.push(access.run(&host::earlier(place)));
            calls.push(access.run(&host::make_directory(&self.directory)));
            calls.push(access.run(&script));
            &self.directory
        };
        calls.push(commands::cluster_version());
        calls.extend(self.foresee_files(&access, directory));
        if !self.options.keep_on_node {
            calls.push(access.run(&host::remove(directory)));
        }
        if self.is_exec {
            calls.push(commands::delete_pod(&self.namespace, POD));
        }
        self.foreseen(calls, oc)
    }
}

/// One command on each line, for a shell; what is told about them stands in comments.
impl fmt::Display for BackupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .target
            .infrastructure_name
            .as_deref()
            .unwrap_or("without a name");
        writeln!(
            f,
            "# cluster {} ({name}), version {}",
            self.target.cluster_id, self.target.version
        )?;
        writeln!(f, "# host {}", self.node)?;
        for reason in &self.forced {
            writeln!(f, "# forced: {reason}")?;
        }
        writeln!(f, "# looked ({}):", COMPONENTS.join(", "))?;
        for command in &self.looked {
            writeln!(f, "{}", shell_line(command))?;
        }
        if !self.is_exec {
            writeln!(
                f,
                "# oc exec is not allowed: a debug pod for each command, the files as text through its log"
            )?;
        }
        writeln!(f, "# would run:")?;
        for command in &self.commands {
            writeln!(f, "{}", shell_line(command))?;
        }
        Ok(())
    }
}
