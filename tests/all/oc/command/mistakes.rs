//! What a tired person gets wrong at night.

use super::{Ended, Night, SNAPSHOT};
use crate::oc::cluster::TestResult;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_destination_that_cannot_be_one_is_told_before_the_cluster_is_touched() -> TestResult {
    let night = Night::new()?;
    fs::write(night.path("file"), "x")?;
    let file = night.path("file");
    for to in [file.clone(), file.join("below"), "/proc/nothing".into()] {
        let output = night.command(&["backup", "--to"]).arg(&to).output()?;
        let ended = Ended::new(&output);
        ended.assert(
            "no directory",
            2,
            &format!("cannot create {}", to.display()),
        );
        assert!(
            !night
                .cluster
                .log_lines()
                .iter()
                .any(|line| line.contains("30s create ")),
            "{to:?}"
        );
    }
    night.assert_nothing_happened("no directory")
}

#[test]
fn a_directory_without_permission_is_told() -> TestResult {
    let night = Night::new()?;
    let to = night.path("closed");
    fs::create_dir(&to)?;
    fs::set_permissions(&to, fs::Permissions::from_mode(0o500))?;
    if fs::write(to.join("probe"), "").is_ok() {
        // The superuser may write anywhere.
        return Ok(());
    }
    let output = night.command(&["backup", "--to"]).arg(&to).output()?;
    Ended::new(&output).assert("closed", 2, "cannot write into");
    Ok(())
}

#[test]
fn a_file_of_the_same_name_is_never_replaced() -> TestResult {
    let night = Night::new()?;
    fs::create_dir(night.path("backups"))?;
    fs::write(night.path("backups").join(SNAPSHOT), "precious")?;
    let ended = night.back_up(&[])?;
    ended.assert("exists", 2, "exists already, expected no file of that name");
    assert_eq!(
        fs::read_to_string(night.path("backups").join(SNAPSHOT))?,
        "precious"
    );
    assert_eq!(night.cluster.names("backups"), [SNAPSHOT]);
    assert!(night.cluster.names("keys").is_empty(), "no half of a pair");
    // What was taken is not lost for it.
    let hint = "move the file that is here out of the way, then bring it in: the same command with --resume --node master-1";
    ended.assert("exists", 2, hint);
    night.cluster.assert_only_on_host("exists");
    Ok(())
}

#[test]
fn older_backups_in_the_directory_are_left_alone() -> TestResult {
    let night = Night::new()?;
    fs::create_dir(night.path("backups"))?;
    let older = "snapshot_2024-10-20_030000.db";
    fs::copy(
        super::sample(&format!("prod/{older}")),
        night.path("backups").join(older),
    )?;
    let ended = night.run(&["backup", "--to", "../backups"])?;
    ended.assert("older", 0, "");
    assert_eq!(
        night.list()?.as_array().map(Vec::len),
        Some(1),
        "only what was taken is remembered"
    );
    Ok(())
}

#[test]
fn a_script_that_never_stops_talking_is_heard_to_its_end() -> TestResult {
    let night = Night::new()?;
    night.script("i=0; while [ $i -lt 40000 ]; do echo \"noise $i ........................................\"; i=$((i+1)); done")?;
    let ended = night.back_up(&["-q"])?;
    ended.assert("noise", 0, "");
    Ok(())
}

#[test]
fn without_home_and_catalogue_everything_still_works() -> TestResult {
    let night = Night::new()?;
    let mut command = night.back_up_command(&[]);
    command
        .env_remove("HOME")
        .env_remove("ETCD_CAT_CATALOGUE")
        .env("ETCD_CAT_NO_CATALOGUE", "yes")
        .env("TMPDIR", night.path("home"));
    Ended::new(&command.output()?).assert("no home", 0, "");
    Ok(())
}

#[test]
fn options_that_lead_elsewhere_are_wrong_usage() -> TestResult {
    let night = Night::new()?;
    let rows = [
        (
            &["--host-directory", "/home/$(id)"][..],
            "--host-directory is",
        ),
        (&["--debug-namespace=--all"], "--debug-namespace is"),
        (&["--node", "a b"], "--node is"),
        (&["--not-during", "8-18"], "--not-during"),
        (&["--if-older-than", "24"], "--if-older-than"),
    ];
    for (more, says) in rows {
        night.back_up(more)?.assert(says, 2, says);
    }
    assert!(night.cluster.log().is_empty());
    Ok(())
}
