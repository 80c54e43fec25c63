//! The way from the host: what breaks is taken up again, what differs is never kept.

use super::cluster::{Cluster, Ear, SNAPSHOT, TestResult, bytes};
use etcd_cat::oc::{OcError, RunError, VerificationResult};
use std::fs;

#[test]
fn a_broken_stream_goes_on_where_it_broke() -> TestResult {
    for status in [1, 0] {
        let cluster = Cluster::new()?;
        cluster.scenario(&format!(
            "break_count=3\nbreak_after=2000\nbreak_status={status}"
        ))?;
        let ear = Ear::default();
        cluster.back_up_with(cluster.options(), &ear, &VerificationResult::Passed)?;
        assert_eq!(
            fs::read(cluster.path("backups").join(SNAPSHOT))?,
            bytes(300_000)
        );
        let log = cluster.log_lines();
        for resumed in ["tail -c +2001 ", "tail -c +4001 "] {
            assert!(
                log.iter().any(|line| line.contains(resumed)),
                "status {status}: {log:#?}"
            );
        }
        assert!(ear.heard("the stream broke after 2000 bytes, going on"));
        cluster.assert_no_rubbish("broken stream");
    }
    Ok(())
}

#[test]
fn a_stream_that_breaks_again_and_again_is_given_up() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("break_count=99\nbreak_after=10")?;
    let mut options = cluster.options();
    options.timeouts.stream_retries = 2;
    let failure = cluster.back_up(options).expect_err("it always breaks");
    assert!(
        matches!(failure.obstacle(), Some(OcError::Transfer { tries: 3, .. })),
        "{failure}"
    );
    cluster.assert_only_on_host("always breaks");
    Ok(())
}

#[test]
fn a_stream_that_falls_silent_counts_as_broken() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("stall=yes")?;
    let mut options = cluster.options();
    options.timeouts.stream_retries = 1;
    options.timeouts.stream_silence = std::time::Duration::from_millis(500);
    let failure = cluster.back_up(options).expect_err("it never ends");
    let Some(OcError::Transfer { source, .. }) = failure.obstacle() else {
        return Err(failure.into());
    };
    assert!(
        matches!(source, Some(RunError::Stalled { .. })),
        "{source:?}"
    );
    cluster.assert_only_on_host("silent stream");
    Ok(())
}

#[test]
fn a_stream_whose_pod_is_deleted_goes_on_through_another_one() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("pod_dies_in='[ct]a* /home/*'\npod_deaths=4\nbreak_after=2000")?;
    cluster.back_up(cluster.options())?;
    assert_eq!(
        fs::read(cluster.path("backups").join(SNAPSHOT))?,
        bytes(300_000)
    );
    let log = cluster.log_lines();
    assert!(
        log.iter().any(|line| line.contains("tail -c +2001 ")),
        "{log:#?}"
    );
    cluster.assert_no_rubbish("pods deleted in mid-stream");
    Ok(())
}

#[test]
fn a_transfer_that_outlives_its_pod_goes_on_through_the_next() -> TestResult {
    let cluster = Cluster::new()?;
    // Each stream ends early; a pod lives for one second, and the pauses are longer than that.
    cluster.scenario("break_count=4\nbreak_after=2000")?;
    let mut options = cluster.options();
    options.timeouts.pod_life = std::time::Duration::from_secs(1);
    options.timeouts.retry_pause = std::time::Duration::from_millis(600);
    let ear = Ear::default();
    cluster.back_up_with(options, &ear, &VerificationResult::Passed)?;
    assert!(ear.heard("the debug pod has gone: starting another one"));
    cluster.assert_no_rubbish("short lives");
    Ok(())
}

#[test]
fn changed_bytes_are_fetched_once_more_and_then_refused() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("corrupt_count=1")?;
    cluster.back_up(cluster.options())?;
    cluster.assert_no_rubbish("changed once");
    let cluster = Cluster::new()?;
    cluster.scenario("corrupt_count=9")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("changed every time");
    assert!(
        matches!(failure.obstacle(), Some(OcError::Digest { .. })),
        "{failure}"
    );
    cluster.assert_only_on_host("always changed");
    Ok(())
}
