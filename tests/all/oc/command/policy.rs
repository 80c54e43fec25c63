//! `backup --from-policy`: what the cluster's own automated backups left is brought in, and left as it is.

use super::{Ended, KUBERESOURCES, Night, SNAPSHOT};
use crate::oc::cluster::TestResult;
use etcd_cat::oc::BackupTask;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const AUTOMATED: &str = "var/lib/etcd-auto-backup/2024-11-02_030000";

/// A pair as a policy leaves it on a host, so long ago.
fn leave(night: &Night, directory: &str, ago: &str) -> Result<(), Box<dyn Error>> {
    let left = night.path(directory);
    fs::create_dir_all(&left)?;
    for (from, name) in [
        ("prepared.db", SNAPSHOT),
        ("prepared.tar.gz", KUBERESOURCES),
    ] {
        let path = left.join(name);
        fs::copy(night.path("host").join(from), &path)?;
        let touched = Command::new("touch").args(["-d", ago]).arg(path).status()?;
        assert!(touched.success());
    }
    Ok(())
}

fn bring(night: &Night, more: &[&str]) -> Result<Ended, Box<dyn Error>> {
    night.back_up(&[&["--from-policy"], more].concat())
}

/// Files by path, with their bytes and the moment of their last change.
type Files = BTreeMap<String, (Vec<u8>, i64)>;

fn below(root: &Path) -> Result<Files, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(below(&path)?);
        } else {
            let changed = path.metadata()?.mtime();
            found.insert(path.display().to_string(), (fs::read(&path)?, changed));
        }
    }
    Ok(found)
}

#[test]
fn the_newest_of_all_hosts_is_brought_in_and_left_where_it_is() -> TestResult {
    for denied in ["", "denied='|create pods/exec|'"] {
        let night = Night::new()?;
        night.cluster.scenario(denied)?;
        leave(&night, &format!("hosts/master-1/{AUTOMATED}"), "3 days ago")?;
        leave(
            &night,
            &format!("hosts/master-2/{AUTOMATED}"),
            "2 hours ago",
        )?;
        // Newer, and no whole pair; newer, and still being written.
        leave(
            &night,
            "hosts/master-1/var/lib/etcd-auto-backup/half",
            "1 hour ago",
        )?;
        fs::remove_file(night.path(&format!(
            "hosts/master-1/var/lib/etcd-auto-backup/half/{KUBERESOURCES}"
        )))?;
        leave(&night, "hosts/master-1/var/lib/etcd-auto-backup/now", "now")?;
        let before = below(&night.path("hosts"))?;
        // Without a new run of the script.
        night.script("cut=yes")?;
        let ended = bring(&night, &["-o", "json"])?;
        ended.assert(
            denied,
            0,
            "bringing in the newest, /var/lib/etcd-auto-backup/2024-11-02_030000 on master-2",
        );
        let run = ended.json()?;
        assert_eq!(run["taken"]["policy"], format!("/{AUTOMATED}"));
        assert_eq!(
            (&run["node"], &run["backup"]["verdict"]),
            (&json!("master-2"), &json!("valid"))
        );
        assert_eq!(below(&night.path("hosts"))?, before, "{denied}");
        let log = night.cluster.log_lines();
        for word in ["cluster-backup.sh", " rm ", " touch ", " mkdir "] {
            assert!(
                !log.iter().any(|line| line.contains(word)),
                "{word}: {log:#?}"
            );
        }
        assert_eq!(night.cluster.names("backups"), [SNAPSHOT]);
        assert_eq!(night.cluster.names("keys"), [KUBERESOURCES]);
        night.cluster.assert_no_rubbish(denied);
        let shown = night.run(&["show", "latest", "-o", "json"])?.json()?;
        let provenance = &shown["provenance"];
        assert_eq!(provenance["policy"], format!("/{AUTOMATED}"));
        assert_eq!(provenance["takenAt"], "2024-11-02T03:00:00Z");
        assert_eq!(provenance["clusterVersion"], json!(null));
        let page = night.run(&["show", "latest"])?.stdout;
        assert!(
            page.contains("TAKEN BY THE CLUSTER'S OWN POLICY\n"),
            "{page}"
        );
        // It is here: there is nothing to do.
        let ended = bring(&night, &[])?;
        ended.assert("again", 0, "");
        assert!(ended.stdout.contains("is here already: "), "{ended:#?}");
        night.cluster.assert_no_rubbish("again");
    }
    Ok(())
}

#[test]
fn what_was_taken_before_an_upgrade_restores_the_version_it_is_of() -> TestResult {
    let night = Night::new()?;
    leave(
        &night,
        "host/etc/kubernetes/cluster-backup/upgrade-backup-4.17.3-2024-11-02_030000",
        "2 hours ago",
    )?;
    let (old, new) = ("\"version\": \"4.17.3\"", "\"version\": \"4.17.4\"");
    night.cluster.edit("clusterversion", old, new)?;
    night.cluster.edit("clusterversion", old, new)?;
    bring(&night, &[])?.assert("upgraded since", 0, "upgrade-backup-4.17.3");
    assert_eq!(night.list()?[0]["version"]["openshift"], "4.17.3");
    Ok(())
}

#[test]
fn a_dry_run_prints_what_the_run_then_does() -> TestResult {
    let night = Night::new()?;
    leave(
        &night,
        &format!("hosts/master-1/{AUTOMATED}"),
        "2 hours ago",
    )?;
    let planned = bring(&night, &["--dry-run", "-o", "json"])?.json()?;
    let ran = bring(&night, &["-o", "json"])?.json()?;
    let lines = |document: &serde_json::Value| -> Vec<String> {
        let commands = document["commands"].as_array().cloned().unwrap_or_default();
        let named = |line: &serde_json::Value| {
            let line = night.cluster.normalise(line.as_str().unwrap_or_default());
            ["master-2-debug-x2", "master-1-debug-x3"]
                .iter()
                .fold(line, |line, pod| line.replace(pod, "POD"))
                .replace("2024-11-02_030000", "TIME")
                .replace("/var/lib/etcd-auto-backup/TIME", "DIRECTORY")
        };
        commands.iter().map(named).collect()
    };
    let planned: Vec<String> = lines(&planned)
        .iter()
        .map(|line| line.replace("node/NODE", "node/master-1"))
        .collect();
    assert_eq!(planned, lines(&ran));
    Ok(())
}

const CLAIM: &str = r#"{"spec":{"volumeName":"pv-backups"}}"#;
const LOCAL: &str = r#"{"metadata":{"name":"pv-backups"},"spec":{"local":{"path":"/mnt/backups"},"nodeAffinity":{"required":
  {"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["worker-0"]}]}]}}}}"#;
const REMOTE: &str =
    r#"{"metadata":{"name":"pv-backups"},"spec":{"csi":{"driver":"ebs.csi.aws.com"}}}"#;

fn answer(night: &Night, name: &str, text: &str) -> std::io::Result<()> {
    fs::write(night.path(&format!("answers/{name}.json")), text)
}

/// EtcdBackup names its claim, Backup the claim of a schedule; the volume may be a directory of any host.
#[test]
fn a_claim_whose_volume_a_host_has_is_looked_into() -> TestResult {
    let kinds = [
        (
            "etcdbackups",
            r#"{"items":[{"spec":{"pvcName":"etcd-backup-pvc"}}]}"#,
        ),
        (
            "backups",
            r#"{"items":[{"spec":{"etcd":{"pvcName":"etcd-backup-pvc","schedule":"20 4 * * *"}}}]}"#,
        ),
    ];
    for (kind, text) in kinds {
        let night = Night::new()?;
        answer(&night, kind, text)?;
        answer(&night, "persistentvolumeclaims-etcd-backup-pvc", CLAIM)?;
        answer(&night, "persistentvolumes-pv-backups", LOCAL)?;
        let directory = "mnt/backups/backup-nightly-2024-11-02_030000";
        leave(
            &night,
            &format!("hosts/worker-0/{directory}"),
            "2 hours ago",
        )?;
        let ended = bring(&night, &["-o", "json"])?;
        ended.assert(
            kind,
            0,
            "bringing in the newest, /mnt/backups/backup-nightly-2024-11-02_030000 on worker-0",
        );
        assert_eq!(ended.json()?["taken"]["policy"], format!("/{directory}"));
    }
    Ok(())
}

const ON_VOLUME: &str = "volumes/etcd-backup-pvc/backups/backup-nightly-2024-11-02_030000";

/// A cluster whose policy writes to a volume of a storage system.
fn remote() -> Result<Night, Box<dyn Error>> {
    let night = Night::new()?;
    let text = r#"{"items":[{"spec":{"pvcName":"etcd-backup-pvc"}}]}"#;
    answer(&night, "etcdbackups", text)?;
    answer(&night, "persistentvolumeclaims-etcd-backup-pvc", CLAIM)?;
    answer(&night, "persistentvolumes-pv-backups", REMOTE)?;
    Ok(night)
}

#[test]
fn a_claim_that_no_host_has_is_read_through_a_pod_that_only_reads() -> TestResult {
    for scenario in ["", "pod_dies_in='[ct]a* /backups/*'\nbreak_after=2000"] {
        let night = remote()?;
        night.cluster.scenario(scenario)?;
        leave(&night, ON_VOLUME, "2 hours ago")?;
        leave(&night, &format!("hosts/master-1/{AUTOMATED}"), "3 days ago")?;
        let before = below(&night.path("volumes"))?;
        let ended = bring(&night, &["-o", "json"])?;
        let directory = "/backups/backup-nightly-2024-11-02_030000";
        let place = "claim etcd-backup-pvc in openshift-etcd";
        ended.assert(
            scenario,
            0,
            &format!("bringing in the newest, {directory} on {place}"),
        );
        let run = ended.json()?;
        assert_eq!(run["taken"]["policy"], directory);
        assert_eq!(
            (&run["node"], &run["backup"]["verdict"]),
            (&json!(place), &json!("valid"))
        );
        assert_eq!(below(&night.path("volumes"))?, before, "{scenario}");
        night.cluster.assert_no_rubbish(scenario);
        let log = night.cluster.log_lines();
        let made: Vec<&String> = log
            .iter()
            .filter(|line| line.contains(" run etcd-cat-"))
            .collect();
        assert_eq!(
            made.len(),
            if scenario.is_empty() { 1 } else { 2 },
            "{log:#?}"
        );
        for words in [
            // The image of the debug pods.
            "--image=registry.example.com/ocp/tools@sha256:1f1f",
            r#""mountPath":"/backups","name":"backups","readOnly":true"#,
            r#"{"claimName":"etcd-backup-pvc","readOnly":true}"#,
            r#""activeDeadlineSeconds":1800"#,
        ] {
            assert!(
                made.iter().all(|line| line.contains(words)),
                "{words}: {made:#?}"
            );
        }
        let ended = bring(&night, &[])?;
        ended.assert("again", 0, "");
        assert!(ended.stdout.contains("is here already: "), "{ended:#?}");
    }
    Ok(())
}

#[test]
fn a_claim_that_may_not_be_read_is_told_with_what_it_takes() -> TestResult {
    let refused = [
        ("forbidden_at='run *'", "cannot create resource \"pods\""),
        ("denied='|create pods/exec|'", "`oc exec` is not allowed"),
    ];
    for (scenario, says) in refused {
        let night = remote()?;
        night.cluster.scenario(scenario)?;
        leave(&night, ON_VOLUME, "2 hours ago")?;
        let ended = bring(&night, &[])?;
        ended.assert(scenario, 2, says);
        ended.assert(scenario, 2, "claim etcd-backup-pvc in openshift-etcd: ");
        ended.assert(scenario, 2, "`create` of pods/exec in openshift-etcd");
        night.assert_nothing_happened(scenario)?;
        // What lies elsewhere is brought in all the same.
        leave(&night, &format!("host/{AUTOMATED}"), "2 hours ago")?;
        bring(&night, &[])?.assert(
            scenario,
            0,
            "bringing in the newest, /var/lib/etcd-auto-backup",
        );
    }
    Ok(())
}

#[test]
fn a_pod_that_reads_a_claim_is_told_when_it_stays_and_removed_by_the_next_run() -> TestResult {
    let night = remote()?;
    leave(&night, ON_VOLUME, "2 hours ago")?;
    night.cluster.scenario("refuse_delete=yes")?;
    let ended = bring(&night, &["-o", "json"])?;
    ended.assert("refused", 2, "-volume-1 in namespace openshift-etcd");
    let remains = ended.json()?["remains"].to_string();
    assert!(remains.contains("-volume-1 -n openshift-etcd"), "{remains}");
    let marked = "openshift-etcd\napp.kubernetes.io/managed-by=etcd-cat\netcd-cat/heartbeat=2024-01-01T00:00:00Z\n";
    let says = "an earlier run left pod etcd-cat-aaaaa-volume-1 in namespace openshift-etcd";
    let night = remote()?;
    leave(&night, ON_VOLUME, "2 hours ago")?;
    fs::create_dir_all(night.path("pods"))?;
    for mode in ["--from-policy", "--clean"] {
        fs::write(night.path("pods/etcd-cat-aaaaa-volume-1"), marked)?;
        night.back_up(&[mode])?.assert(mode, 0, says);
        night.cluster.assert_no_rubbish(mode);
    }
    let planned = bring(&night, &["--dry-run"])?.stdout;
    assert!(
        planned.contains("-volume-1 -n openshift-etcd --image=IMAGE"),
        "{planned}"
    );
    Ok(())
}

#[test]
fn where_there_is_none_it_says_where_it_looked() -> TestResult {
    let night = Night::new()?;
    let ended = bring(&night, &[])?;
    for says in [
        "the cluster's own policy left no backup that can be reached",
        "/var/lib/etcd-auto-backup, /etc/kubernetes/cluster-backup, /etc/kubernetes/rollbackcopy on master-1",
        "on master-0, which is not Ready",
        "take one: etcd-cat backup --to DIRECTORY",
    ] {
        ended.assert("none", 2, says);
    }
    night.assert_nothing_happened("none")?;
    let ended = bring(&night, &["--node", "worker-0"])?;
    ended.assert(
        "asked for",
        2,
        "worker-0 is no Ready node that has backups of the cluster's own policy",
    );
    for other in ["--resume", "--clean", "--keep-on-node"] {
        bring(&night, &[other])?.assert(other, 2, "cannot be used with");
    }
    Ok(())
}

#[test]
fn one_that_is_damaged_is_put_aside() -> TestResult {
    let night = Night::new()?;
    leave(&night, &format!("host/{AUTOMATED}"), "2 hours ago")?;
    let path = night.path(&format!("host/{AUTOMATED}/{SNAPSHOT}"));
    let file = fs::OpenOptions::new().write(true).open(&path)?;
    file.set_len(300_000)?;
    let touched = Command::new("touch")
        .args(["-d", "1 hour ago"])
        .arg(&path)
        .status()?;
    assert!(touched.success());
    let ended = bring(&night, &[])?;
    ended.assert("damaged", 1, "");
    let says = "brought in from /var/lib/etcd-auto-backup/2024-11-02_030000 on master-1, and it is not to be believed";
    assert!(ended.stdout.contains(says), "{ended:#?}");
    assert_eq!(
        night.cluster.names("backups"),
        [format!("{SNAPSHOT}.failed-verification")]
    );
    assert_eq!(fs::metadata(&path)?.len(), 300_000);
    Ok(())
}

#[test]
fn the_cluster_is_told_that_the_run_is_at_work_and_the_host_is_only_read() -> TestResult {
    let night = Night::new()?;
    leave(
        &night,
        &format!("hosts/master-1/{AUTOMATED}"),
        "2 hours ago",
    )?;
    let mut options = night.cluster.options();
    options.task = BackupTask::FromPolicy;
    options.timeouts.heartbeat = Duration::ZERO;
    night.cluster.back_up(options)?;
    let log = night.cluster.log_lines();
    let lines = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    // Once at the beginning, and before each of the two files.
    assert_eq!(lines("etcd-cat/heartbeat=TIME --overwrite"), 3, "{log:#?}");
    assert_eq!(lines(" touch "), 0, "{log:#?}");
    Ok(())
}
