//! An API server that is away, slow or silent, at every step: the backup is kept, and nothing stays behind.

use super::cluster::{Cluster, Ear, TestResult, now};
use etcd_cat::oc::{
    BackupFailure, BackupRun, ClientOptions, Oc, RunOutcome, VerificationResult, plan, run,
};
use std::time::Duration;

/// A call of each step, in order.
const STEPS: [(&str, &str); 13] = [
    ("the look", "get nodes *"),
    ("the namespace", "create namespace *"),
    ("its labels", "label namespace *"),
    ("the debug pod", "debug *"),
    ("the pod's phase", "get pod *"),
    ("the database's size", "exec * stat -c %s *"),
    ("the directory", "exec * mkdir *"),
    ("the script", "exec * /usr/local/bin/cluster-backup.sh *"),
    ("the version afterwards", "exec * stat -c %s %n *"),
    ("the digests", "exec * sha256sum *"),
    ("the transfer", "exec * cat */snapshot_*"),
    ("removing the directory", "exec * rm -rf *"),
    ("removing the namespace", "delete namespace *"),
];

/// A minute is a second here: requests are given half of one.
fn back_up(cluster: &Cluster, ear: &Ear) -> Result<BackupRun, Box<BackupFailure>> {
    let oc = Oc::new(ClientOptions {
        program: Some(cluster.path("bin/oc")),
        request_timeout: Duration::from_millis(500),
        request_overhead: Duration::from_secs(20),
        ..ClientOptions::default()
    })
    .expect("the fake oc is there");
    let mut options = cluster.options();
    options.timeouts.look_patience = Duration::from_secs(30);
    let plan = plan(&oc, options, now(), ear).expect("the look is patient");
    run(&oc, &plan, ear, &mut |_| VerificationResult::Passed)
}

#[test]
fn a_backup_outlives_an_api_server_that_is_away_at_any_step() -> TestResult {
    for how in ["refused", "hang"] {
        for (name, call) in STEPS {
            let cluster = Cluster::new()?;
            cluster.scenario(&format!("out_at='{call}'\nout_ms=1000\nout_how={how}"))?;
            let ear = Ear::default();
            let run = back_up(&cluster, &ear).map_err(|failure| format!("{name}: {failure}"))?;
            assert_eq!(run.outcome, RunOutcome::Verified, "{name}, {how}");
            assert!(run.leftovers.is_empty(), "{name}: {:?}", run.leftovers);
            let is_told = ear.heard("the API server is away (");
            assert!(is_told || how == "hang", "{name}: {:?}", ear.notes);
            cluster.assert_no_rubbish(name);
        }
    }
    Ok(())
}

#[test]
fn a_slow_api_server_is_given_more_time() -> TestResult {
    let cluster = Cluster::new()?;
    // Longer than a request is given at first.
    cluster.scenario("slow_ms=700")?;
    let run = back_up(&cluster, &Ear::default())?;
    assert_eq!(run.outcome, RunOutcome::Verified);
    assert!(run.leftovers.is_empty(), "{:?}", run.leftovers);
    cluster.assert_no_rubbish("slow");
    Ok(())
}

#[test]
fn what_an_api_server_that_stays_away_leaves_is_told() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("out_at='exec * rm -rf *'\nout_ms=600000")?;
    let mut options = cluster.options();
    options.timeouts.cleanup = Duration::from_secs(1);
    let ear = Ear::default();
    let run = cluster.back_up_with(options, &ear, &VerificationResult::Passed)?;
    assert_eq!(run.outcome, RunOutcome::Verified, "the backup is here");
    let told: Vec<&str> = run.leftovers.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|what| what.contains("encryption keys")));
    Ok(())
}

#[test]
fn a_namespace_that_somebody_deletes_in_mid_run_is_made_again() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("lose_namespace_at='* sha256sum *'")?;
    let run = back_up(&cluster, &Ear::default())?;
    assert_eq!(run.outcome, RunOutcome::Verified);
    cluster.assert_no_rubbish("namespace lost");
    Ok(())
}
