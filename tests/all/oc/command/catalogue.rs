//! What the catalogue knows before, and when it cannot be used after.

use super::{Night, SNAPSHOT};
use crate::oc::cluster::TestResult;
use std::fs;

#[test]
fn a_young_valid_backup_makes_another_needless() -> TestResult {
    let night = Night::new()?;
    let conditions = [&["--if-older-than", "24h"][..], &["--if-version-changed"]];
    for condition in conditions {
        let plan = night.back_up(&[condition, &["--dry-run"]].concat())?;
        plan.assert(
            "due",
            0,
            "a backup is due: no usable backup of version 4.17.3 is known",
        );
    }
    night
        .back_up(&["--if-older-than", "24h"])?
        .assert("taken", 0, "");
    let before = night.cluster.log().len();
    for condition in conditions {
        let ended = night.back_up(condition)?;
        ended.assert("young", 0, "");
        assert!(ended.stdout.starts_with("no backup is needed: a usable backup of version 4.17.3 was taken at 2024-11-02T03:00:07Z"));
    }
    let skipped = night
        .back_up(&["--if-older-than", "24h", "-o", "json"])?
        .json()?;
    assert_eq!(skipped["outcome"], "skipped");
    assert_eq!(
        night.cluster.log().len(),
        before + 6,
        "only who the cluster is, and its version, was asked"
    );
    Ok(())
}

#[test]
fn an_old_gone_or_outdated_backup_does_not() -> TestResult {
    let night = Night::new()?;
    night.back_up(&[])?.assert("taken", 0, "");
    let old = night.back_up(&["--if-older-than", "30m", "--dry-run"])?;
    old.assert(
        "old",
        0,
        "a backup is due: the newest usable backup of version 4.17.3 is of 2024-11-02T03:00:07Z",
    );
    night.cluster.edit(
        "clusterversion",
        "\"version\": \"4.17.3\"",
        "\"version\": \"4.17.4\"",
    )?;
    let other = night.back_up(&["--if-older-than", "24h", "--if-version-changed"])?;
    other.assert("an upgrade is running", 2, "upgrade-in-progress");
    night.cluster.edit(
        "clusterversion",
        "\"version\": \"4.17.4\"",
        "\"version\": \"4.17.3\"",
    )?;
    fs::remove_file(night.path("backups").join(SNAPSHOT))?;
    let gone = night.back_up(&["--if-older-than", "24h", "--dry-run"])?;
    gone.assert("gone", 0, "a backup is due");
    Ok(())
}

#[test]
fn a_damaged_catalogue_takes_nothing_from_a_good_backup() -> TestResult {
    let night = Night::new()?;
    fs::write(night.path("catalogue.redb"), "no database")?;
    let ended = night.back_up(&["--if-older-than", "24h"])?;
    ended.assert(
        "damaged",
        2,
        "the backup is complete and verified; remember it",
    );
    assert!(ended.stderr.contains("a backup is due"), "{ended:#?}");
    assert!(
        ended.stdout.starts_with("backup taken on master-1"),
        "{ended:#?}"
    );
    assert_eq!(night.cluster.names("backups"), [SNAPSHOT]);
    night.cluster.assert_no_rubbish("damaged catalogue");
    fs::remove_file(night.path("catalogue.redb"))?;
    night
        .run(&["index", "../backups", "../keys"])?
        .assert("index", 0, "");
    assert_eq!(night.list()?[0]["verdict"], "valid");
    Ok(())
}

#[test]
fn without_a_catalogue_a_backup_is_verified_all_the_same() -> TestResult {
    let night = Night::new()?;
    let ended = night.back_up(&["--no-catalogue"])?;
    ended.assert("no catalogue", 0, "");
    assert!(ended.stdout.contains("27be558ad3a9: valid"), "{ended:#?}");
    assert!(!night.path("catalogue.redb").exists());
    Ok(())
}

#[test]
fn the_destination_becomes_a_remembered_location() -> TestResult {
    let night = Night::new()?;
    night.back_up(&[])?.assert("taken", 0, "");
    let report = night.run(&["verify", "-o", "json"])?;
    report.assert("verify", 0, "");
    assert_eq!(report.json()?["summary"]["valid"], 1);
    Ok(())
}
