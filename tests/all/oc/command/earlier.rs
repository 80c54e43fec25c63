//! What a run that was killed left on the host: told by the next, brought in by `--resume`, removed by `--clean`.

use super::{Ended, KUBERESOURCES, Night, SNAPSHOT};
use crate::oc::cluster::TestResult;
use std::error::Error;
use std::fs;
use std::process::Command;

const LEFT: &str = "host/home/core/etcd-cat-x7k2p";

/// A directory as a killed run leaves it, its heartbeat so long ago.
fn leave(night: &Night, ago: &str) -> Result<(), Box<dyn Error>> {
    let left = night.path(LEFT);
    fs::create_dir(&left)?;
    fs::copy(night.path("host/prepared.db"), left.join(SNAPSHOT))?;
    fs::copy(night.path("host/prepared.tar.gz"), left.join(KUBERESOURCES))?;
    let touched = Command::new("touch")
        .args(["-d", ago])
        .arg(&left)
        .status()?;
    assert!(touched.success());
    Ok(())
}

fn in_mode(night: &Night, mode: &str) -> Result<Ended, Box<dyn Error>> {
    night.back_up(&[mode])
}

#[test]
fn the_next_run_tells_what_earlier_ones_left_and_leaves_it_there() -> TestResult {
    let night = Night::new()?;
    leave(&night, "2 hours ago")?;
    let ended = night.back_up(&["-o", "json"])?;
    ended.assert(
        "next",
        0,
        "an earlier run left /home/core/etcd-cat-x7k2p on master-1",
    );
    assert!(
        ended
            .stderr
            .contains("etcd-cat backup --resume --node master-1"),
        "{ended:#?}"
    );
    let earlier = &ended.json()?["earlier"];
    let command = earlier[0]["command"].as_str().ok_or("a command")?;
    assert!(
        command.ends_with("rm -rf -- /home/core/etcd-cat-x7k2p"),
        "{command}"
    );
    assert!(night.path(LEFT).exists());
    // Perhaps another machine is at work in it: nobody is told to remove it.
    let night = Night::new()?;
    leave(&night, "10 minutes ago")?;
    let ended = night.back_up(&["-o", "json"])?;
    let says = "a run was at work in /home/core/etcd-cat-x7k2p on master-1 within the last hour";
    ended.assert("young", 0, says);
    assert_eq!(ended.json()?["earlier"], serde_json::json!([]));
    Ok(())
}

#[test]
fn clean_removes_what_nobody_works_in_any_more() -> TestResult {
    for (ago, is_removed) in [("2 hours ago", true), ("10 minutes ago", false)] {
        let night = Night::new()?;
        leave(&night, ago)?;
        let ended = night.run(&["backup", "--clean"])?;
        ended.assert(ago, 0, "");
        let says = if is_removed {
            "removed /home/core/etcd-cat-x7k2p on master-1"
        } else {
            "no earlier run left anything on master-1"
        };
        assert!(ended.stdout.contains(says), "{ago}: {ended:#?}");
        assert_eq!(night.path(LEFT).exists(), !is_removed, "{ago}");
        let stays =
            "a run was at work in /home/core/etcd-cat-x7k2p on master-1 within the last hour";
        assert_eq!(
            ended.stderr.contains(stays),
            !is_removed,
            "{ago}: {ended:#?}"
        );
        assert_eq!(night.cluster.names("pods"), Vec::<String>::new(), "{ago}");
        assert_eq!(
            night.cluster.names("namespaces"),
            Vec::<String>::new(),
            "{ago}"
        );
    }
    Ok(())
}

#[test]
fn resume_brings_in_what_a_broken_run_left() -> TestResult {
    let night = Night::new()?;
    leave(&night, "1 minute ago")?;
    // Without a new run of the script.
    night.script("cut=yes")?;
    in_mode(&night, "--resume")?.assert("resume", 0, "bringing in what an earlier run left");
    assert_eq!(night.list()?[0]["verdict"], "valid");
    assert_eq!(night.cluster.names("backups"), [SNAPSHOT]);
    night.cluster.assert_no_rubbish("resumed");
    in_mode(&night, "--resume")?.assert("nothing", 2, "no earlier run left a backup in /home/core");
    Ok(())
}

#[test]
fn what_was_left_before_an_upgrade_is_of_the_version_of_then() -> TestResult {
    let night = Night::new()?;
    leave(&night, "1 day ago")?;
    let (old, new) = ("\"version\": \"4.17.3\"", "\"version\": \"4.17.4\"");
    night.cluster.edit("clusterversion", old, new)?;
    night.cluster.edit("clusterversion", old, new)?;
    in_mode(&night, "--resume")?.assert("upgraded since", 0, "");
    assert_eq!(night.list()?[0]["version"]["openshift"], "4.17.3");
    Ok(())
}

#[test]
fn a_backup_whose_way_stays_away_stays_on_the_node_and_is_resumed() -> TestResult {
    // From the moment that the script is done.
    for step in [
        "stat -c %s %n *",
        "sha256sum *",
        "cat */static_*",
        "cat */snapshot_*",
    ] {
        let night = Night::new()?;
        let scenario = format!("out_at='exec * chroot /host {step}'\nout_ms=600000");
        night.cluster.scenario(&scenario)?;
        let ended = night.back_up(&[])?;
        ended.assert(step, 2, "with the database and the encryption keys");
        assert!(
            ended.stderr.contains("etcd-cat backup --resume"),
            "{ended:#?}"
        );
        night.cluster.scenario("")?;
        in_mode(&night, "--resume")?.assert(step, 0, "");
        assert_eq!(night.list()?[0]["verdict"], "valid", "{step}");
        assert_eq!(night.cluster.names("host/home/core"), Vec::<String>::new());
    }
    Ok(())
}

/// What fails here once the script is done: on stderr, in the object, and what to do then.
#[test]
fn a_finished_backup_stays_on_the_host_when_it_finds_no_room_here() -> TestResult {
    let rows = [
        (
            "limit_at='exec * cat */snapshot_*'",
            "io",
            "File too large",
            "make room here, then bring it in",
        ),
        ("corrupt_count=9", "oc", "as on the host", "bring it in"),
    ];
    for (scenario, code, says, hint) in rows {
        let night = Night::new()?;
        night.cluster.scenario(scenario)?;
        let ended = night.back_up(&["-o", "json"])?;
        ended.assert(scenario, 2, says);
        ended.assert(scenario, 2, hint);
        ended.assert(
            scenario,
            2,
            "the same command with --resume --node master-1",
        );
        ended.assert(scenario, 2, "    because: a finished backup lies in it");
        let last = ended.stderr.lines().last().ok_or("an object of JSON")?;
        let error: serde_json::Value = serde_json::from_str(last)?;
        assert_eq!(error["code"], code, "{error}");
        let remains = error["remains"].as_array().ok_or("an array")?;
        let [directory] = remains.as_slice() else {
            return Err(error.to_string().into());
        };
        let command = directory["command"].as_str().ok_or("a command")?;
        assert!(
            command.contains(" rm -rf -- /home/core/etcd-cat-"),
            "{command}"
        );
        assert_eq!(night.cluster.names("backups"), Vec::<String>::new());
        assert_eq!(night.cluster.names("keys"), Vec::<String>::new());
        night.cluster.scenario("")?;
        night.script("cut=yes")?;
        in_mode(&night, "--resume")?.assert(scenario, 0, "");
        assert_eq!(night.list()?[0]["verdict"], "valid", "{scenario}");
        night.cluster.assert_no_rubbish(scenario);
    }
    Ok(())
}

#[test]
fn resume_says_at_once_that_somebody_is_at_work_in_the_directory() -> TestResult {
    let night = Night::new()?;
    leave(&night, "3 days ago")?;
    // Before anything of it is read; and a host that refuses it does not stand in the way.
    night
        .cluster
        .scenario("out_at='exec * stat -c %s %n *'\nout_ms=600000")?;
    in_mode(&night, "--resume")?.assert("away", 2, "a finished backup lies in it");
    let touched = fs::metadata(night.path(LEFT))?.modified()?;
    assert!(touched.elapsed()?.as_secs() < 600, "{touched:?}");
    night.cluster.scenario("touch_fails=yes")?;
    in_mode(&night, "--resume")?.assert(
        "refused",
        0,
        "the heartbeat in /home/core/etcd-cat-x7k2p is not renewed: touch: cannot touch",
    );
    Ok(())
}

/// A namespace or a pod as a killed run leaves it, its heartbeat so many minutes ago.
fn mark(night: &Night, object: &str, first: &str, minutes: i64) -> TestResult {
    let path = night.path(object);
    fs::create_dir_all(path.parent().ok_or("a directory")?)?;
    let at = chrono::Utc::now() - chrono::TimeDelta::minutes(minutes);
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    fs::write(path, format!("{first}\netcd-cat/heartbeat={at}\n"))?;
    Ok(())
}

const OURS: &str = "app.kubernetes.io/managed-by=etcd-cat";

#[test]
fn namespaces_of_runs_that_are_no_more_go_by_themselves() -> TestResult {
    for mode in ["", "--clean"] {
        let night = Night::new()?;
        mark(&night, "namespaces/etcd-cat-aaaaa", OURS, 61)?;
        mark(&night, "namespaces/etcd-cat-bbbbb", OURS, 50)?;
        mark(&night, "namespaces/etcd-cat-ccccc", "somebody=else", 600)?;
        mark(&night, "namespaces/etcd-cat-ddddd", OURS, -600)?;
        let more: Vec<&str> = [mode].into_iter().filter(|one| !one.is_empty()).collect();
        let ended = night.back_up(&more)?;
        ended.assert(
            mode,
            0,
            "an earlier run left namespace etcd-cat-aaaaa, at work for the last time at ",
        );
        assert!(!ended.stderr.contains("etcd-cat-bbbbb"), "{ended:#?}");
        let stay = ["etcd-cat-bbbbb", "etcd-cat-ccccc", "etcd-cat-ddddd"];
        assert_eq!(night.cluster.names("namespaces"), stay, "{mode}");
    }
    Ok(())
}

#[test]
fn pods_of_runs_that_are_no_more_go_by_themselves_and_nobody_elses() -> TestResult {
    let night = Night::new()?;
    mark(&night, "pods/master-1-debug-old", "etcd-backup", 61)?;
    mark(&night, "pods/master-1-debug-new", "etcd-backup", 1)?;
    mark(&night, "pods/master-1-debug-far", "elsewhere", 600)?;
    fs::write(night.path("pods/somebody"), "etcd-backup\n")?;
    let ended = night.back_up(&["--debug-namespace=etcd-backup"])?;
    ended.assert(
        "pods",
        0,
        "an earlier run left pod master-1-debug-old in namespace etcd-backup",
    );
    let stay = ["master-1-debug-far", "master-1-debug-new", "somebody"];
    assert_eq!(night.cluster.names("pods"), stay);
    Ok(())
}

#[test]
fn what_may_not_be_removed_or_listed_keeps_nobody_from_a_backup() -> TestResult {
    let night = Night::new()?;
    mark(&night, "pods/master-1-debug-old", "etcd-backup", 61)?;
    night.cluster.scenario("refuse_delete=yes")?;
    let ended = night.back_up(&["-o", "json", "--debug-namespace=etcd-backup"])?;
    // Its own pod stays, too.
    ended.assert(
        "refused",
        2,
        "pod master-1-debug-old in namespace etcd-backup stays: ",
    );
    let earlier = &ended.json()?["earlier"];
    let command = earlier[0]["command"].as_str().ok_or("a command")?;
    assert!(
        command.contains("delete pod master-1-debug-old -n etcd-backup"),
        "{command}"
    );
    assert_eq!(ended.json()?["outcome"], "taken");
    let night = Night::new()?;
    mark(&night, "namespaces/etcd-cat-aaaaa", OURS, 61)?;
    night.cluster.scenario("denied='|list namespaces|'")?;
    night.back_up(&[])?.assert("not listed", 0, "");
    assert_eq!(night.cluster.names("namespaces"), ["etcd-cat-aaaaa"]);
    Ok(())
}

#[test]
fn clean_goes_over_all_control_plane_nodes_and_tells_which_it_could_not() -> TestResult {
    let night = Night::new()?;
    leave(&night, "2 hours ago")?;
    let ended = night.run(&["backup", "--clean"])?;
    ended.assert("clean", 0, "");
    let says =
        "removed /home/core/etcd-cat-x7k2p on master-1; not looked at: master-0 is not Ready";
    assert!(ended.stdout.contains(says), "{ended:#?}");
    let log = night.cluster.log_lines();
    for node in ["master-1", "master-2"] {
        let debug = format!("debug node/{node} ");
        assert!(
            log.iter().any(|line| line.contains(&debug)),
            "{node}: {log:#?}"
        );
    }
    assert_eq!(night.cluster.names("pods"), Vec::<String>::new());
    assert_eq!(night.cluster.names("namespaces"), Vec::<String>::new());
    // One alone when it is named.
    let ended = night.run(&["backup", "--clean", "--node=master-2"])?;
    let says = "no earlier run left anything on master-2\n";
    assert!(ended.stdout.ends_with(says), "{ended:#?}");
    // What is foreseen is for each of them, and takes no backup.
    let ended = night.run(&["backup", "--clean", "--dry-run"])?;
    assert_eq!(
        ended.stdout.matches(" rm -rf -- DIRECTORY").count(),
        2,
        "{ended:#?}"
    );
    assert!(!ended.stdout.contains("cluster-backup.sh"), "{ended:#?}");
    Ok(())
}
