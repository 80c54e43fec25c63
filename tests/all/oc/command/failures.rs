//! What fails on the way, and what was brought here and cannot be believed.

use super::{KUBERESOURCES, Night, SNAPSHOT, sample};
use crate::oc::cluster::TestResult;
use std::fs;

type Change = fn(&Night) -> TestResult;

fn truncated(night: &Night) -> TestResult {
    let file = fs::OpenOptions::new()
        .write(true)
        .open(night.path("host/prepared.db"))?;
    Ok(file.set_len(300_000)?)
}

fn other_version(night: &Night) -> TestResult {
    let newest = sample("prod/snapshot_2024-10-20_030000.db");
    fs::copy(newest, night.path("host/prepared.db"))?;
    Ok(night.script("status_line=")?)
}

fn other_cluster(night: &Night) -> TestResult {
    night.cluster.edit(
        "clusterversion",
        super::PREPARED_CLUSTER,
        super::ANSWERED_CLUSTER,
    )
}

fn upgraded_meanwhile(night: &Night) -> TestResult {
    fs::copy(
        night.path("answers/clusterversion.json"),
        night.path("answers/clusterversion-after.json"),
    )?;
    night.cluster.edit(
        "clusterversion-after",
        "\"version\": \"4.17.3\"",
        "\"version\": \"4.17.4\"",
    )
}

fn other_node(night: &Night) -> TestResult {
    let archive = sample(&format!("keys/prod/{KUBERESOURCES}"));
    fs::copy(archive, night.path("host/prepared.tar.gz"))?;
    Ok(())
}

fn other_keys(night: &Night) -> TestResult {
    fs::copy(
        sample("keys/edge/static_kuberesources_2024-11-02_030000.tar.gz"),
        night.path("host/prepared.tar.gz"),
    )?;
    Ok(())
}

const REJECTED: [(&str, Change, &str); 9] = [
    (
        "the script's hash",
        |night| {
            Ok(night.script(
                "status_line='{\"hash\":1,\"revision\":872,\"totalKey\":495,\"totalSize\":688128}'",
            )?)
        },
        "hash is 4087570503 here, expected 1",
    ),
    ("truncated", truncated, "truncated"),
    (
        "the script's static pods",
        |night| Ok(night.script("etcd_revision=11")?),
        "revision of static pod etcd is 10 here, expected 11",
    ),
    (
        "another node's etcd",
        |night| Ok(night.script("endpoint=https://192.0.2.12:2379")?),
        "node of the member that was asked is master-1 here, expected master-2",
    ),
    (
        "another node's static pods",
        other_node,
        "node is master-0 here, expected master-1",
    ),
    (
        "other version",
        other_version,
        "version is 4.17.2 here, expected 4.17.3",
    ),
    ("other cluster", other_cluster, "clusterId is 3a5f1c9e"),
    (
        "an upgrade began",
        upgraded_meanwhile,
        "version is 4.17.3 here, expected 4.17.4",
    ),
    ("another cluster's keys", other_keys, "encryption-key"),
];

#[test]
fn a_backup_that_is_not_believed_is_put_aside_and_nowhere_listed() -> TestResult {
    for (name, change, says) in REJECTED {
        let night = Night::new()?;
        change(&night)?;
        let ended = night.back_up(&[])?;
        assert_eq!(ended.code, Some(1), "{name}: {ended:#?}");
        assert!(
            ended.stdout.contains("not to be believed"),
            "{name}: {ended:#?}"
        );
        assert!(ended.stdout.contains(says), "{name}: {ended:#?}");
        assert!(!ended.stdout.contains(": valid"), "{name}: {ended:#?}");
        night.cluster.assert_no_rubbish(name);
        assert_eq!(
            night.cluster.names("backups"),
            [format!("{SNAPSHOT}.failed-verification")],
            "{name}"
        );
        assert_eq!(
            night.cluster.names("keys"),
            [format!("{KUBERESOURCES}.failed-verification")],
            "{name}"
        );
        assert_eq!(night.list()?, serde_json::json!([]), "{name}");
    }
    Ok(())
}

#[test]
fn a_rejected_run_says_so_in_its_document() -> TestResult {
    let night = Night::new()?;
    night.script(
        "status_line='{\"hash\":1,\"revision\":872,\"totalKey\":495,\"totalSize\":688128}'",
    )?;
    let ended = night.back_up(&["-o", "json"])?;
    ended.assert("json", 1, "");
    let run = ended.json()?;
    assert_eq!(run["outcome"], "rejected");
    assert_eq!(run["backup"]["verdict"], "invalid");
    assert_eq!(run["backup"]["findings"][0]["code"], "provenance-mismatch");
    let path = run["backup"]["snapshot"]["path"].as_str().ok_or("a path")?;
    assert!(
        path.ends_with(".failed-verification") && fs::exists(path)?,
        "{path}"
    );
    Ok(())
}

#[test]
fn what_was_put_aside_is_passed_over_unless_it_is_named() -> TestResult {
    let night = Night::new()?;
    night.script(
        "status_line='{\"hash\":1,\"revision\":872,\"totalKey\":495,\"totalSize\":688128}'",
    )?;
    night.back_up(&[])?.assert("rejected", 1, "");
    let (backups, keys) = (night.path("backups"), night.path("keys"));
    let (backups, keys) = (backups.to_string_lossy(), keys.to_string_lossy());
    for command in ["index", "verify"] {
        let report = night
            .run(&[command, &backups, &keys, "-o", "json"])?
            .json()?;
        assert_eq!(report["items"], serde_json::json!([]), "{command}");
        assert_eq!(
            report["skipped"].as_array().map(Vec::len),
            Some(2),
            "{report}"
        );
        assert!(
            report["skipped"][0]["reason"]
                .to_string()
                .contains("failed verification")
        );
    }
    let file = format!("{backups}/{SNAPSHOT}.failed-verification");
    let archive = format!("{keys}/{KUBERESOURCES}.failed-verification");
    let report = night.run(&["verify", &file, &archive, "-o", "json", "--no-catalogue"])?;
    report.assert("named", 1, "");
    let report = report.json()?;
    assert_eq!(report["items"][0]["verdict"], "invalid");
    assert!(
        report["items"][0]["findings"]
            .to_string()
            .contains("put-aside"),
        "{report}"
    );
    Ok(())
}

#[test]
fn a_good_backup_from_before_is_unharmed_by_a_bad_one() -> TestResult {
    let night = Night::new()?;
    night.back_up(&[])?.assert("good", 0, "");
    night.script("stamp=2024-11-02_040000\nstatus_line='{\"hash\":1,\"revision\":872,\"totalKey\":495,\"totalSize\":688128}'")?;
    night.back_up(&[])?.assert("bad", 1, "");
    let items = night.list()?;
    assert_eq!(
        items.as_array().map(Vec::len),
        Some(1),
        "the same bytes, once believed, once not"
    );
    assert_eq!(items[0]["verdict"], "valid");
    assert_eq!(items[0]["provenance"]["node"], "master-1");
    assert_eq!(items[0]["snapshot"]["copies"], serde_json::json!([]));
    Ok(())
}

const BROKEN: [(&str, &str, &str, &str); 8] = [
    (
        "the script fails",
        "",
        "fail_line='Backup integrity verification failed. Backup appears corrupted. Aborting!'",
        "snapshot is corrupt",
    ),
    (
        "the script is cut off",
        "",
        "cut=yes",
        "without its final line",
    ),
    (
        "success without files",
        "",
        "silent_success=yes",
        "the script reported success, but the file is not there",
    ),
    (
        "success without files, told on a stream with all else",
        "denied='|create pods/exec|'\nold=yes",
        "silent_success=yes",
        "the script reported success, but the file is not there",
    ),
    (
        "exec refused",
        "exec_forbidden=yes",
        "",
        "cannot create resource \"pods/exec\"",
    ),
    (
        "pods lost",
        "pod_dies_in='stat *'\npod_deaths=99",
        "",
        "the debug pod has gone",
    ),
    (
        "no service account",
        "debug_refusals=99",
        "",
        "serviceaccount \"default\" not found",
    ),
    (
        "no pod for old oc",
        "old=yes\ndenied='|create pods/exec|'",
        "cut=yes",
        "without its final line",
    ),
];

#[test]
fn what_breaks_on_the_way_ends_with_2_and_leaves_nothing() -> TestResult {
    for (name, scenario, script, says) in BROKEN {
        let night = Night::new()?;
        night.cluster.scenario(scenario)?;
        night.script(script)?;
        night.back_up(&[])?.assert(name, 2, says);
        night.assert_nothing_happened(name)?;
    }
    Ok(())
}

#[test]
fn a_broken_stream_is_taken_up_again() -> TestResult {
    let night = Night::new()?;
    night.cluster.scenario("break_count=2\nbreak_after=5000")?;
    night.back_up(&[])?.assert(
        "broken stream",
        0,
        "the stream broke after 5000 bytes, going on",
    );
    assert_eq!(night.list()?[0]["verdict"], "valid");
    Ok(())
}

#[test]
fn without_exec_the_files_come_as_text_also_with_an_old_oc() -> TestResult {
    for old in ["no", "yes"] {
        let night = Night::new()?;
        night
            .cluster
            .scenario(&format!("denied='|create pods/exec|'\nold={old}"))?;
        night.back_up(&[])?.assert(old, 0, "oc exec is not allowed");
        night.cluster.assert_no_rubbish(old);
        assert_eq!(night.list()?[0]["verdict"], "valid");
    }
    Ok(())
}

/// Commands that are pasted as they stand, whatever the form of the answer.
#[test]
fn what_cannot_be_removed_is_told_on_stderr_in_every_form_and_ends_with_2() -> TestResult {
    for form in ["table", "json", "yaml", "name"] {
        let night = Night::new()?;
        night.cluster.scenario("refuse_delete=yes\nrm_fails=yes")?;
        let ended = night.back_up(&["-q", "-o", form, "--context=prod", "--kubeconfig=/k/c"])?;
        ended.assert(form, 2, "backup 27be558ad3a9 is complete and recorded");
        let oc = night.path("bin/oc");
        let oc = format!("{} --kubeconfig=/k/c --context=prod", oc.display());
        for command in [
            "--request-timeout=0 debug node/master-1 -- chroot /host rm -rf -- /home/core/etcd-cat-",
            "--request-timeout=30s delete pod master-1-debug-x1",
            "--request-timeout=30s delete namespace etcd-cat-",
        ] {
            let command = format!("remove it with: {oc} {command}");
            assert!(ended.stderr.contains(&command), "{command}: {ended:#?}");
        }
        // Of the host, and of the API server.
        for reason in ["rm: cannot remove '", "Error from server (Forbidden): "] {
            let reason = format!("    because: {reason}");
            assert!(ended.stderr.contains(&reason), "{reason}: {ended:#?}");
        }
        assert_eq!(night.list()?[0]["verdict"], "valid", "{form}");
    }
    Ok(())
}

#[test]
fn what_remains_stands_in_the_document_and_in_the_error() -> TestResult {
    let night = Night::new()?;
    night.cluster.scenario("refuse_delete=yes")?;
    let more = ["-q", "-o", "json", "--debug-namespace=etcd-backup"];
    let ended = night.back_up(&more)?;
    let remains = &ended.json()?["remains"];
    assert_eq!(
        remains[0]["what"],
        "pod master-1-debug-x1 in namespace etcd-backup"
    );
    assert_eq!(
        remains[0]["reason"],
        "Error from server (Forbidden): pods \"master-1-debug-x1\" is forbidden: User \"u\" cannot delete resource"
    );
    let last = ended.stderr.lines().last().ok_or("an object of JSON")?;
    let error: serde_json::Value = serde_json::from_str(last)?;
    assert_eq!(
        (&error["code"], &error["remains"]),
        (&"remains".into(), remains)
    );
    let night = Night::new()?;
    night.cluster.scenario("refuse_delete=yes")?;
    night.script("cut=yes")?;
    let ended = night.back_up(&["-q", "-o", "json"])?;
    ended.assert("failed with leftovers", 2, "remove it with: ");
    let last = ended.stderr.lines().last().ok_or("an object of JSON")?;
    let error: serde_json::Value = serde_json::from_str(last)?;
    assert_eq!(
        error["remains"].as_array().map(Vec::len),
        Some(2),
        "{error}"
    );
    Ok(())
}
