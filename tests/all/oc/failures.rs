//! Whatever fails on the way: a clear message, nothing left in the cluster, nothing half here.

use super::cluster::{Cluster, Ear, Failure, KUBERESOURCES, SNAPSHOT, TestResult};
use etcd_cat::oc::{OcError, RunError, RunOutcome, ScriptFailure, VerificationResult};
use std::fs;

#[test]
fn each_failure_of_the_script_is_told_with_a_remedy() -> TestResult {
    let rows = [
        (
            "fail_line='required dependencies not found, please ensure this script is run on a node with a functional etcd static pod'",
            "no etcd scripts",
        ),
        (
            "fail_line='Currently the etcd operator is progressing. A reliable backup requires that a rollout is not in progress.  Aborting!'",
            "the etcd operator is progressing",
        ),
        (
            "fail_line='Backup integrity verification failed. Backup appears corrupted. Aborting!'",
            "snapshot is corrupt",
        ),
        (
            "fail_line='Error: rpc error: code = Unavailable'",
            "etcdctl could not save the snapshot: Error: rpc error",
        ),
        ("cut=yes", "exit code 0 and without its final line"),
    ];
    for (script, says) in rows {
        let cluster = Cluster::new()?;
        cluster.script(script)?;
        let failure = cluster.back_up(cluster.options()).expect_err(script);
        assert!(matches!(failure.error(), OcError::Script(_)), "{failure}");
        assert!(failure.to_string().contains(says), "{failure}");
        assert!(failure.error().remedy().is_some());
        cluster.assert_nothing_happened(script);
    }
    Ok(())
}

#[test]
fn a_script_that_is_not_there_is_told() -> TestResult {
    let cluster = Cluster::new()?;
    fs::remove_file(cluster.path("host/usr/local/bin/cluster-backup.sh"))?;
    let failure = cluster.back_up(cluster.options()).expect_err("no script");
    let OcError::Script(failure) = failure.error() else {
        return Err(failure.into());
    };
    assert_eq!(*failure, ScriptFailure::ScriptMissing);
    cluster.assert_nothing_happened("no script");
    Ok(())
}

#[test]
fn a_success_without_files_is_none() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.script("silent_success=yes")?;
    let failure = cluster.back_up(cluster.options()).expect_err("no files");
    assert!(
        failure
            .to_string()
            .contains("the script reported success, but the file is not there"),
        "{failure}"
    );
    cluster.assert_nothing_happened("no files");
    Ok(())
}

#[test]
fn a_script_that_takes_too_long_is_stopped_and_cleaned_up_after() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.script("slow=600")?;
    let mut options = cluster.options();
    options.timeouts.script = std::time::Duration::from_millis(600);
    let failure = cluster.back_up(options).expect_err("it takes ten minutes");
    assert!(
        matches!(failure.error(), OcError::Run(RunError::TooLong { .. })),
        "{failure}"
    );
    cluster.assert_nothing_happened("slow script");
    Ok(())
}

#[test]
fn a_pod_that_never_starts_is_told_with_its_state_and_removed() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("pod_phase=Pending")?;
    let mut options = cluster.options();
    options.timeouts.pod_start = std::time::Duration::from_secs(2);
    let failure = cluster
        .back_up(options)
        .expect_err("the image cannot be pulled");
    assert!(
        matches!(failure.error(), OcError::PodNotRunning { .. }),
        "{failure}"
    );
    assert!(
        failure.to_string().contains("Pending, ImagePullBackOff"),
        "{failure}"
    );
    assert!(
        cluster
            .log_lines()
            .iter()
            .any(|line| line.contains("delete pod POD"))
    );
    cluster.assert_nothing_happened("pending pod");
    Ok(())
}

#[test]
fn a_namespace_without_its_service_account_yet_is_waited_for() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("debug_refusals=2")?;
    cluster.back_up(cluster.options())?;
    let starts = cluster
        .log_lines()
        .into_iter()
        .filter(|line| line.contains(" debug "))
        .count();
    assert_eq!(starts, 3);
    cluster.scenario("debug_refusals=99")?;
    let cluster = Cluster::new()?;
    cluster.scenario("debug_refusals=99")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("never a service account");
    assert!(
        failure
            .to_string()
            .contains("serviceaccount \"default\" not found"),
        "{failure}"
    );
    cluster.assert_nothing_happened("no service account");
    Ok(())
}

#[test]
fn exec_that_is_refused_after_all_is_told() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("exec_forbidden=yes")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("exec is refused");
    assert!(
        failure
            .to_string()
            .contains("cannot create resource \"pods/exec\""),
        "{failure}"
    );
    cluster.assert_nothing_happened("exec refused");
    Ok(())
}

#[test]
fn a_pod_that_somebody_deletes_is_made_anew_and_no_backup_is_lost() -> TestResult {
    for calls in 0..=9 {
        let cluster = Cluster::new()?;
        cluster.scenario(&format!("lose_pod_after={calls}"))?;
        let name = format!("pod lost after {calls} calls");
        let ear = Ear::default();
        let run = cluster.back_up_with(cluster.options(), &ear, &VerificationResult::Passed)?;
        assert_eq!(run.outcome, RunOutcome::Verified, "{name}");
        assert!(run.leftovers.is_empty(), "{name}: {:?}", run.leftovers);
        // The last call is the one that cleans up: a pod for it alone will do.
        let is_told = ear.heard("the debug pod has gone: starting another one");
        assert_eq!(is_told, calls < 9, "{name}");
        cluster.assert_no_rubbish(&name);
    }
    Ok(())
}

#[test]
fn a_pod_that_is_deleted_over_and_over_is_given_up() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("pod_dies_in='stat -c %s *'\npod_deaths=99")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("no command is ever run");
    assert!(failure.to_string().contains("137"), "{failure}");
    cluster.assert_nothing_happened("pods deleted");
    Ok(())
}

#[test]
fn a_script_that_is_cut_off_is_waited_for_and_run_again_in_a_fresh_directory() -> TestResult {
    for how in ["killed", "alone"] {
        let cluster = Cluster::new()?;
        cluster.scenario(&format!(
            "pod_dies_in=*cluster-backup.sh*\npod_dies_how={how}"
        ))?;
        cluster.script("slow=3")?;
        let ear = Ear::default();
        let run = cluster.back_up_with(cluster.options(), &ear, &VerificationResult::Passed)?;
        assert_eq!(run.outcome, RunOutcome::Verified, "{how}");
        assert!(ear.heard("cluster-backup.sh was cut off"), "{how}");
        let log = cluster.log_lines();
        let lines = |text: &str| log.iter().filter(|line| line.contains(text)).count();
        assert_eq!(lines("cluster-backup.sh"), 2, "{how}");
        assert!(
            how == "killed" || lines("pgrep") > 1,
            "it runs on: {log:#?}"
        );
        cluster.assert_no_rubbish(how);
    }
    Ok(())
}

#[test]
fn what_cannot_be_removed_is_told_with_the_command_to_do_it() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("refuse_delete=yes\nrm_fails=yes")?;
    let ear = Ear::default();
    let run = cluster.back_up_with(cluster.options(), &ear, &VerificationResult::Passed)?;
    assert_eq!(
        run.outcome,
        RunOutcome::Verified,
        "the backup is good all the same"
    );
    let told: Vec<String> = run
        .leftovers
        .iter()
        .map(|leftover| cluster.normalise(&format!("{}: {}", leftover.what, leftover.command)))
        .collect();
    assert_eq!(
        told,
        [
            "directory /home/core/etcd-cat-SUFFIX on master-1, with the database and the encryption keys: DIR/bin/oc --request-timeout=0 debug node/master-1 -- chroot /host rm -rf -- /home/core/etcd-cat-SUFFIX",
            "pod POD in namespace etcd-cat-SUFFIX: DIR/bin/oc --request-timeout=30s delete pod POD -n etcd-cat-SUFFIX --ignore-not-found --wait=false",
            "namespace etcd-cat-SUFFIX: DIR/bin/oc --request-timeout=30s delete namespace etcd-cat-SUFFIX --ignore-not-found --wait=false",
        ]
    );
    assert!(ear.heard("removing what was made in the cluster"));
    Ok(())
}

#[test]
fn a_backup_that_fails_verification_is_kept_aside_and_says_so() -> TestResult {
    let cluster = Cluster::new()?;
    let run = cluster.back_up_with(
        cluster.options(),
        &Ear::default(),
        &VerificationResult::Failed,
    )?;
    assert_eq!(run.outcome, RunOutcome::Rejected);
    let names = [
        format!("{SNAPSHOT}.failed-verification"),
        format!("{KUBERESOURCES}.failed-verification"),
    ];
    assert_eq!(cluster.names("backups"), names);
    assert_eq!(run.snapshot.path, cluster.path("backups").join(&names[0]));
    cluster.assert_no_rubbish("failed verification");
    Ok(())
}

#[test]
fn a_backup_whose_verification_was_not_finished_is_not_believed() -> TestResult {
    let cluster = Cluster::new()?;
    let unfinished = VerificationResult::Unfinished("the disk is gone".to_owned());
    let failure = cluster
        .back_up_with(cluster.options(), &Ear::default(), &unfinished)
        .expect_err("not verified");
    assert!(
        failure
            .to_string()
            .contains("could not be verified: the disk is gone"),
        "{failure}"
    );
    let names = [
        format!("{SNAPSHOT}.not-verified"),
        format!("{KUBERESOURCES}.not-verified"),
    ];
    assert_eq!(cluster.names("backups"), names);
    Ok(())
}

#[test]
fn a_file_that_is_there_already_is_never_replaced() -> TestResult {
    let cluster = Cluster::new()?;
    fs::create_dir(cluster.path("backups"))?;
    fs::write(cluster.path("backups").join(SNAPSHOT), "older")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("the name is taken");
    assert!(
        matches!(failure.obstacle(), Some(OcError::Exists { .. })),
        "{failure}"
    );
    assert_eq!(
        fs::read_to_string(cluster.path("backups").join(SNAPSHOT))?,
        "older"
    );
    assert_eq!(cluster.names("backups"), [SNAPSHOT]);
    cluster.assert_only_on_host("taken name");
    Ok(())
}

#[test]
fn a_destination_that_cannot_be_made_is_told_before_anything_is_changed() -> TestResult {
    let cluster = Cluster::new()?;
    fs::write(cluster.path("backups"), "a file")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("the destination is a file");
    assert!(
        matches!(failure, Failure::Run(_)) && matches!(failure.error(), OcError::Io(_)),
        "{failure}"
    );
    assert!(failure.to_string().contains("backups"), "{failure}");
    assert!(
        !cluster
            .log_lines()
            .iter()
            .any(|line| line.contains(" create namespace "))
    );
    Ok(())
}
