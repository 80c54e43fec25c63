//! A backup that is as it should be.

use super::{KUBERESOURCES, Night, SNAPSHOT, prepare_kuberesources, sample};
use crate::oc::cluster::TestResult;
use serde_json::json;
use std::fs;
use std::thread;

#[test]
fn a_pair_is_brought_verified_and_remembered_and_nothing_stays_there() -> TestResult {
    let night = Night::new()?;
    let ended = night.back_up(&[])?;
    ended.assert("happy", 0, "found latest etcd:");
    assert!(
        ended
            .stdout
            .starts_with("backup taken on master-1\n\nbackup 27be558ad3a9: valid\n")
    );
    assert!(
        !ended.stdout.contains("found latest"),
        "progress is no data"
    );
    assert_eq!(
        fs::read(night.path("backups").join(SNAPSHOT))?,
        fs::read(sample(&format!("prod/{SNAPSHOT}")))?
    );
    assert_eq!(night.cluster.names("backups"), [SNAPSHOT]);
    assert_eq!(night.cluster.names("keys"), [KUBERESOURCES]);
    night.cluster.assert_no_rubbish("happy");
    let items = night.list()?;
    assert_eq!(items[0]["verdict"], "valid");
    assert_eq!(items[0]["encryption"]["proof"], "decrypted");
    assert_eq!(
        items[0]["snapshot"]["path"],
        json!(night.path("backups").join(SNAPSHOT))
    );
    assert_eq!(items.as_array().map(Vec::len), Some(1));
    Ok(())
}

#[test]
fn where_a_backup_came_from_is_shown() -> TestResult {
    let night = Night::new()?;
    night.back_up(&["-q"])?.assert("happy", 0, "");
    let page = night.run(&["show", "latest"])?.stdout;
    for line in [
        "TAKEN BY ETCD-CAT\n",
        "  on              master-1\n",
        "  oc              4.17.3\n",
        "  pod             master-1-debug-x1\n",
        "  image           registry.example.com/ocp/tools@sha256:1f1f",
    ] {
        assert!(page.contains(line), "{page}");
    }
    let shown = night.run(&["show", "latest", "-o", "json"])?.json()?;
    let provenance = &shown["provenance"];
    assert_eq!(provenance["node"], "master-1");
    assert_eq!(provenance["pod"], "master-1-debug-x1");
    let image = provenance["image"].as_str().ok_or("an image")?;
    assert!(image.starts_with("registry.example.com/ocp/tools@sha256:1f1f"));
    assert_eq!(provenance["ocVersion"], "4.17.3");
    assert_eq!(provenance["clusterVersion"], "4.17.3");
    assert_eq!(provenance["forced"], json!([]));
    let output = provenance["scriptOutput"].to_string();
    assert!(
        output.contains("Snapshot saved at /home/core/etcd-cat-"),
        "{output}"
    );
    Ok(())
}

#[test]
fn the_document_says_everything_about_the_run() -> TestResult {
    let night = Night::new()?;
    let ended = night.back_up(&["-o", "json", "-q"])?;
    ended.assert("json", 0, "");
    assert_eq!(ended.stderr, "");
    let run = ended.json()?;
    assert_eq!(
        (&run["kind"], &run["outcome"]),
        (&json!("BackupRun"), &json!("taken"))
    );
    assert_eq!(run["leftovers"], json!([]));
    assert_eq!(run["remains"], json!([]));
    assert_eq!(run["backup"]["verdict"], "valid");
    let taken = &run["taken"];
    assert_eq!(taken["scriptStatus"]["hash"], 4_087_570_503_u32);
    assert_eq!(taken["versionBefore"], "4.17.3");
    assert_eq!(taken["versionAfter"], "4.17.3");
    assert_eq!(taken["etcdctlVersion"], "3.5.18");
    assert_eq!(taken["pod"], "master-1-debug-x1");
    assert_eq!(taken["snapshot"]["sizeBytes"], 688_160);
    // The log of commands is what was run.
    let commands = run["commands"].as_array().ok_or("no commands")?;
    assert_eq!(commands.len(), night.cluster.log().len());
    assert!(commands.iter().any(|line| {
        let line = line.as_str().unwrap_or_default();
        line.contains("chroot /host /usr/local/bin/cluster-backup.sh /home/core/etcd-cat-")
    }));
    Ok(())
}

#[test]
fn a_dry_run_prints_every_command_and_changes_nothing() -> TestResult {
    let night = Night::new()?;
    let ended = night.back_up(&["--dry-run"])?;
    ended.assert("dry run", 0, "");
    let printed: Vec<String> = ended
        .stdout
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| night.cluster.normalise(line))
        .collect();
    for word in [
        "create namespace",
        "debug node/master-1",
        "cluster-backup.sh",
        "rm -rf --",
        "delete pod",
        "delete namespace",
    ] {
        assert!(
            printed.iter().any(|line| line.contains(word)),
            "{word}: {printed:#?}"
        );
    }
    let looks = ["version ", "get ", "auth can-i "];
    for line in night.cluster.log_lines() {
        let (_, call) = line.split_once(' ').ok_or("a call has words")?;
        assert!(
            looks.iter().any(|look| call.starts_with(look)),
            "{line} changes something"
        );
    }
    night.assert_nothing_happened("dry run")?;
    assert!(!night.path("backups").exists());
    let run = night.back_up(&["--dry-run", "-o", "json"])?.json()?;
    assert_eq!(run["outcome"], "planned");
    assert_eq!(
        run["commands"].as_array().map(Vec::len),
        Some(printed.len())
    );
    Ok(())
}

#[test]
fn keys_beside_the_snapshot_are_advice_and_no_failure() -> TestResult {
    let night = Night::new()?;
    let ended = night.run(&["backup", "--to", "../backups"])?;
    ended.assert("one directory", 0, "");
    assert_eq!(night.cluster.names("backups"), [SNAPSHOT, KUBERESOURCES]);
    assert!(ended.stdout.contains("keys-beside-snapshot"), "{ended:#?}");
    assert_eq!(night.list()?[0]["verdict"], "valid");
    Ok(())
}

#[test]
fn a_namespace_a_host_directory_and_keeping_can_be_asked_for() -> TestResult {
    let night = Night::new()?;
    fs::create_dir(night.path("host/home/core/big"))?;
    prepare_kuberesources(&night.cluster, "master-2")?;
    night.script("endpoint=https://192.0.2.12:2379")?;
    let more = [
        "--debug-namespace=etcd-backup",
        "--host-directory=/home/core/big",
        "--keep-on-node",
        "--node=master-2",
    ];
    let ended = night.back_up(&more)?;
    ended.assert("asked for", 0, "");
    assert!(
        ended
            .stdout
            .contains("kept on master-2: /home/core/big/etcd-cat-"),
        "{ended:#?}"
    );
    let log = night.cluster.log_lines();
    assert!(
        log.iter()
            .any(|line| line.contains("--to-namespace=etcd-backup"))
    );
    assert!(
        !log.iter().any(|line| line.contains(" namespace ")),
        "{log:#?}"
    );
    Ok(())
}

#[test]
fn the_running_cluster_says_what_is_to_be_restored() -> TestResult {
    let night = Night::new()?;
    night.back_up(&[])?.assert("happy", 0, "");
    let check = night.run(&["check", "--from-cluster", "-o", "json"])?;
    check.assert("check", 0, "");
    assert_eq!(check.json()?["target"]["version"], "4.17.3");
    night.cluster.edit(
        "clusterversion",
        "\"version\": \"4.17.3\"",
        "\"version\": \"4.17.4\"",
    )?;
    let check = night.run(&["check", "--from-cluster"])?;
    check.assert(
        "amid an upgrade",
        2,
        "between two versions, on its way to 4.17.4",
    );
    night.cluster.scenario("logged_in=no")?;
    let check = night.run(&["check", "--from-cluster"])?;
    check.assert("not logged in", 2, "oc login");
    Ok(())
}

#[test]
fn a_cluster_stands_as_its_running_version_has_it() -> TestResult {
    let night = Night::new()?;
    night.back_up(&[])?.assert("happy", 0, "");
    let clusters = |night: &Night| night.run(&["clusters", "--from-cluster", "-o", "json"]);
    let ran = clusters(&night)?;
    ran.assert("of this version", 0, "");
    let document = ran.json()?;
    assert_eq!(document["items"][0]["version"], "4.17.3");
    assert_eq!(document["items"][0]["state"], "ok");
    // What is desired, and what the history has completed.
    let (old, new) = ("\"version\": \"4.17.3\"", "\"version\": \"4.17.4\"");
    night.cluster.edit("clusterversion", old, new)?;
    night.cluster.edit("clusterversion", old, new)?;
    let ran = clusters(&night)?;
    ran.assert("of another version", 1, "");
    let document = ran.json()?;
    assert_eq!(document["items"][0]["version"], "4.17.4");
    assert_eq!(document["items"][0]["state"], "none for this version");
    Ok(())
}

/// Without a terminal too, and never on stdout.
#[test]
fn what_is_waited_for_is_told_every_ten_seconds_unless_it_is_to_be_quiet() -> TestResult {
    thread::scope(|scope| {
        let runs = [
            (&["-o", "json"][..], true),
            (&["--quiet", "-o", "json"][..], false),
        ]
        .map(|(more, is_told)| {
            let run = move || {
                let night = Night::new().expect("a cluster");
                night.script("slow=11").expect("a script");
                (night.back_up(more).expect("it runs"), is_told)
            };
            scope.spawn(run)
        });
        for run in runs {
            let (ended, is_told) = run.join().expect("no panic");
            ended.assert("slow script", 0, "");
            assert_eq!(ended.json()?["outcome"], "taken");
            let says = " s: waiting for cluster-backup.sh on the host (";
            assert_eq!(ended.stderr.contains(says), is_told, "{ended:#?}");
            assert!(!ended.stdout.contains(says), "{ended:#?}");
        }
        Ok(())
    })
}
