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
