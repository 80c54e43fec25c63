//! Reads what `cluster-backup.sh` prints. Pure; the lines are those of 4.4 to 5.0 with etcd 3.3 to 3.6.
//!
//! ```text
//! found latest etcd: /etc/kubernetes/static-pod-resources/etcd-pod-8
//! etcdctl version: 3.5.18
//! Snapshot saved at /home/core/x/snapshot_2024-11-02_030005.db
//! {"hash":3866667823,"revision":31407,"totalKey":12828,"totalSize":114446336}
//! snapshot db and kube resources are successfully saved to /home/core/x
//! ```
//!
//! Only the last line is success: exit codes get lost under way.

use super::failure::ScriptFailure;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

const SUCCESS: &str = "snapshot db and kube resources are successfully saved to ";
const SAVED: &str = "Snapshot saved at ";

/// What a successful script said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ScriptOutput {
    /// File name of the snapshot, without its directory.
    pub snapshot_name: String,
    /// File name of the kuberesources: the script prints none, but both carry one stamp.
    pub kuberesources_name: String,
    /// The status line; `None` before 4.6, where the script makes none.
    pub status: Option<SnapshotStatus>,
    /// `etcdctl version:`; `None` when a cached binary was used.
    pub etcdctl_version: Option<String>,
    /// The member that etcdctl asked.
    pub endpoint: Option<IpAddr>,
    /// Revision of each static pod that went into the kuberesources.
    pub static_pods: BTreeMap<String, i64>,
}

impl ScriptOutput {
    /// Of a script that nobody heard to its end: the names alone. `None` for a stamp that the script does not make.
    pub(crate) fn of_stamp(stamp: &str) -> Option<Self> {
        is_stamp(stamp).then(|| Self {
            snapshot_name: format!("snapshot_{stamp}.db"),
            kuberesources_name: format!("static_kuberesources_{stamp}.tar.gz"),
            ..Self::default()
        })
    }
}

/// The status line: `etcdctl snapshot status -w json`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotStatus {
    /// CRC-32C over all buckets.
    pub hash: u32,
    /// Main revision of the last record.
    pub revision: i64,
    /// All records up to etcd 3.5; live keys from 3.6 on.
    pub total_key: u64,
    /// Bytes, without the trailer.
    pub total_size: u64,
    /// Present from etcd 3.6 on, perhaps empty.
    #[serde(default)]
    pub version: Option<String>,
}

/// Reads all output of the script, run with `directory` as its argument.
///
/// `stdout` may have stderr mixed in; `stderr` is empty then. `status` is only told, never believed.
///
/// # Errors
/// The final line is not there: the failure that the other lines tell of.
pub(super) fn parse_script_output(
    stdout: &str,
    stderr: &str,
    directory: &str,
    status: &str,
) -> Result<ScriptOutput, ScriptFailure> {
    let is_success = |line: &str| line.trim_end().strip_prefix(SUCCESS) == Some(directory);
    if !stdout.lines().any(is_success) {
        return Err(ScriptFailure::of(stdout, stderr, status));
    }
    let stamp = stdout
        .lines()
        .find_map(|line| stamp_of_snapshot(line.trim_end(), directory))
        .ok_or_else(|| ScriptFailure::NoSnapshotName {
            directory: directory.to_owned(),
        })?;
    Ok(ScriptOutput {
        snapshot_name: format!("snapshot_{stamp}.db"),
        kuberesources_name: format!("static_kuberesources_{stamp}.tar.gz"),
        status: stdout.lines().find_map(parse_status),
        etcdctl_version: stdout.lines().find_map(parse_etcdctl_version),
        endpoint: stdout
            .lines()
            .chain(stderr.lines())
            .find_map(parse_endpoint),
        static_pods: stdout.lines().filter_map(parse_static_pod).collect(),
    })
}

/// `Snapshot saved at <directory>/snapshot_<stamp>.db` gives the stamp, with `__POSSIBLY_DIRTY__` where it is.
///
/// The stamp becomes part of local file names: nothing but digits, `-`, `_` and that mark passes.
fn stamp_of_snapshot<'l>(line: &'l str, directory: &str) -> Option<&'l str> {
    let name = line
        .strip_prefix(SAVED)?
        .strip_prefix(directory)?
        .strip_prefix('/')?;
    let stamp = name.strip_prefix("snapshot_")?.strip_suffix(".db")?;
    is_stamp(stamp).then_some(stamp)
}

fn is_stamp(stamp: &str) -> bool {
    let time = stamp.strip_suffix("__POSSIBLY_DIRTY__").unwrap_or(stamp);
    let is_time = chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%d_%H%M%S").is_ok();
    let is_plain = time
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"-_".contains(&byte));
    is_time && is_plain
}

fn parse_status(line: &str) -> Option<SnapshotStatus> {
    line.starts_with('{')
        .then(|| serde_json::from_str(line).ok())
        .flatten()
}

fn parse_etcdctl_version(line: &str) -> Option<String> {
    line.strip_prefix("etcdctl version: ")
        .map(|version| version.trim().to_owned())
}

/// `{"level":"info","msg":"fetching snapshot","endpoint":"https://192.0.2.11:2379"}`
fn parse_endpoint(line: &str) -> Option<IpAddr> {
    #[derive(Deserialize)]
    struct Line {
        endpoint: String,
    }
    let line: Line = line
        .starts_with('{')
        .then(|| serde_json::from_str(line).ok())??;
    let endpoint = line.endpoint;
    let (_, address) = endpoint.split_once("://").unwrap_or(("", &endpoint));
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().ok()
}

/// `found latest etcd: /etc/kubernetes/static-pod-resources/etcd-pod-8`
fn parse_static_pod(line: &str) -> Option<(String, i64)> {
    let (component, path) = line.strip_prefix("found latest ")?.split_once(": ")?;
    let (_, revision) = path.trim_end().rsplit_once("-pod-")?;
    let component = component.strip_suffix("-pod").unwrap_or(component);
    Some((component.to_owned(), revision.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    const DIRECTORY: &str = "/home/core/x";

    fn parse(stdout: &str, stderr: &str) -> Result<ScriptOutput, ScriptFailure> {
        parse_script_output(stdout, stderr, DIRECTORY, "exit code 1")
    }

    const SUCCESS_3_5: &str = "\
Certificate /etc/kubernetes/static-pod-certs/configmaps/etcd-serving-ca/ca-bundle.crt is missing. Checking in different directory
Certificate /etc/kubernetes/static-pod-resources/etcd-certs/configmaps/etcd-serving-ca/ca-bundle.crt found!
found latest kube-apiserver: /etc/kubernetes/static-pod-resources/kube-apiserver-pod-7
found latest kube-controller-manager: /etc/kubernetes/static-pod-resources/kube-controller-manager-pod-6
found latest kube-scheduler: /etc/kubernetes/static-pod-resources/kube-scheduler-pod-5
found latest etcd: /etc/kubernetes/static-pod-resources/etcd-pod-8
a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447
etcdctl version: 3.5.18
API version: 3.5
Snapshot saved at /home/core/x/snapshot_2024-11-02_030005.db
{\"hash\":3866667823,\"revision\":31407,\"totalKey\":12828,\"totalSize\":114446336}
snapshot db and kube resources are successfully saved to /home/core/x
";

    #[test]
    fn output_of_a_success_is_read_in_full() -> Result<(), Box<dyn Error>> {
        let output = parse(SUCCESS_3_5, "")?;
        assert_eq!(output.snapshot_name, "snapshot_2024-11-02_030005.db");
        assert_eq!(
            output.kuberesources_name,
            "static_kuberesources_2024-11-02_030005.tar.gz"
        );
        assert_eq!(output.etcdctl_version.as_deref(), Some("3.5.18"));
        assert_eq!(output.static_pods.get("kube-apiserver"), Some(&7));
        assert_eq!(output.static_pods.len(), 4);
        let status = output.status.ok_or("no status")?;
        assert_eq!(
            (status.hash, status.revision, status.version),
            (3_866_667_823, 31407, None)
        );
        Ok(())
    }

    #[test]
    fn merged_streams_and_etcd_3_6_and_a_forced_run_are_read_too() -> Result<(), Box<dyn Error>> {
        let merged = "\
{\"level\":\"info\",\"ts\":\"2026-01-02T03:00:05Z\",\"caller\":\"snapshot/v3_snapshot.go:65\",\"msg\":\"created temporary db file\",\"path\":\"/home/core/x/snapshot_2026-01-02_030005__POSSIBLY_DIRTY__.db.part\"}
etcdctl is already installed
{\"level\":\"info\",\"msg\":\"saved\",\"path\":\"/home/core/x/snapshot_2026-01-02_030005__POSSIBLY_DIRTY__.db\"}
Snapshot saved at /home/core/x/snapshot_2026-01-02_030005__POSSIBLY_DIRTY__.db
Server version 3.6.0
{\"hash\":1,\"revision\":2,\"totalKey\":3,\"totalSize\":4,\"version\":\"3.6.0\"}
snapshot db and kube resources are successfully saved to /home/core/x\r
";
        let output = parse(merged, "")?;
        assert_eq!(
            output.snapshot_name,
            "snapshot_2026-01-02_030005__POSSIBLY_DIRTY__.db"
        );
        assert_eq!(
            output.kuberesources_name,
            "static_kuberesources_2026-01-02_030005__POSSIBLY_DIRTY__.tar.gz"
        );
        assert_eq!(
            output.status.and_then(|status| status.version).as_deref(),
            Some("3.6.0")
        );
        Ok(())
    }

    #[test]
    fn each_failure_is_told_by_its_own_line() {
        let component = || "etcd".to_owned();
        let rows = [
            ("This script must be run as root", ScriptFailure::NotRoot),
            ("Path to backup dir required: ./cluster-backup.sh [--force] <path-to-backup-dir>", ScriptFailure::Usage),
            (
                "required dependencies not found, please ensure this script is run on a node with a functional etcd static pod",
                ScriptFailure::NoEtcd,
            ),
            (
                "error finding manifests for the etcd pod. please check if it is running.",
                ScriptFailure::PodNotRunning { component: component() },
            ),
            (
                "error finding static-pod-resources for the etcd pod. please check if it is running.",
                ScriptFailure::PodNotRunning { component: component() },
            ),
            ("error finding static-pod-resource etcd-pod", ScriptFailure::PodNotRunning { component: component() }),
            ("Valid kubeconfig is not found in kube-apiserver-certs. Exiting!", ScriptFailure::NoKubeconfig),
            (
                "Could not find the status of the etcd. Check if the API server is running. Pass the --force flag to skip checks.",
                ScriptFailure::OperatorUnknown { component: component() },
            ),
            (
                "Currently the etcd operator is progressing. A reliable backup requires that a rollout is not in progress.  Aborting!",
                ScriptFailure::OperatorProgressing { component: component() },
            ),
            (
                "Certificate /p/ca.crt is also missing in the second directory. Exiting!",
                ScriptFailure::CertificateMissing { path: "/p/ca.crt".to_owned() },
            ),
            ("Could neither pull etcdctl nor find it locally in cache. Aborting!", ScriptFailure::NoEtcdctl),
            (
                "Backup integrity verification failed. Backup appears corrupted. Aborting!",
                ScriptFailure::Corrupt,
            ),
            (
                "tar: /home/core/x/a.tar.gz: Wrote only 4096 of 10240 bytes: No space left on device",
                ScriptFailure::NoSpace {
                    line: "tar: /home/core/x/a.tar.gz: Wrote only 4096 of 10240 bytes: No space left on device".to_owned(),
                },
            ),
            (
                "chroot: failed to run command '/usr/local/bin/cluster-backup.sh': No such file or directory",
                ScriptFailure::ScriptMissing,
            ),
            (
                "Error: initializing source docker://quay.io/x@sha256:1: pinging container registry quay.io: Get \"https://quay.io/v2/\": EOF",
                ScriptFailure::Image {
                    line: "Error: initializing source docker://quay.io/x@sha256:1: pinging container registry quay.io: Get \"https://quay.io/v2/\": EOF".to_owned(),
                },
            ),
            (
                "Error: context deadline exceeded",
                ScriptFailure::Save { line: "Error: context deadline exceeded".to_owned() },
            ),
            (
                "Certificate /p/ca.crt found!",
                ScriptFailure::Unfinished {
                    status: "exit code 1".to_owned(),
                    last_line: "Certificate /p/ca.crt found!".to_owned(),
                },
            ),
        ];
        for (line, expected) in rows {
            assert_eq!(parse(line, ""), Err(expected.clone()), "{line}");
            assert_eq!(
                parse("found latest etcd: /e/etcd-pod-8\n", line),
                Err(expected),
                "{line} on stderr"
            );
        }
    }

    #[test]
    fn the_member_that_was_asked_is_read_of_etcdctls_log() {
        let rows = [
            (
                r#""endpoint":"https://192.0.2.11:2379""#,
                Some("192.0.2.11"),
            ),
            (
                r#""endpoint":"https://[2001:db8::11]:2379""#,
                Some("2001:db8::11"),
            ),
            (
                r#""endpoint":"192.0.2.11:2379","took":"now""#,
                Some("192.0.2.11"),
            ),
            (r#""endpoint":"https://localhost:2379""#, None),
            (r#""endpoint":7"#, None),
            (r#""path":"/x""#, None),
        ];
        for (field, expected) in rows {
            let line = format!("{{\"level\":\"info\",{field}}}");
            let found = parse_endpoint(&line).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    /// The script's own words tell no more than that there is none.
    #[test]
    fn podmans_reason_comes_before_the_scripts_summary() {
        let podman = "Error: unable to copy from source docker://quay.io/x@sha256:1: reading manifest sha256:1 in quay.io/x: unauthorized: access to the requested resource is not authorized";
        let summary = "Could neither pull etcdctl nor find it locally in cache. Aborting!";
        let line = podman.to_owned();
        assert_eq!(parse(summary, podman), Err(ScriptFailure::Image { line }));
        assert_eq!(parse(summary, "x"), Err(ScriptFailure::NoEtcdctl));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_success() {
        for name in [
            "../snapshot_2024-11-02_030005.db",
            "snapshot_../../x.db",
            "snapshot_2024-11-02_030005.db/../../y.db",
            "snapshot_.db",
            "other.db",
        ] {
            let text = format!("{SAVED}{DIRECTORY}/{name}\n{SUCCESS}{DIRECTORY}\n");
            let directory = DIRECTORY.to_owned();
            assert_eq!(
                parse(&text, ""),
                Err(ScriptFailure::NoSnapshotName { directory }),
                "{name}"
            );
        }
        let elsewhere = format!("{SUCCESS}/home/core/other\n");
        assert!(matches!(
            parse(&elsewhere, ""),
            Err(ScriptFailure::Unfinished { .. })
        ));
    }
}
