//! Ctrl-C and SIGTERM at every stage: told as such, and nothing is left.

use super::cluster::{Cluster, Ear, TestResult};
use etcd_cat::oc::VerificationResult;
use std::time::{Duration, Instant};

#[test]
fn an_interruption_at_any_stage_leaves_nothing_behind() -> TestResult {
    let stages: [(&str, Ear, &str); 4] = [
        (
            "before anything",
            Ear {
                interrupt_at_bytes: Some(0),
                ..Ear::default()
            },
            "",
        ),
        (
            "at the pod",
            Ear {
                interrupt_at_note: Some("starting a debug pod"),
                ..Ear::default()
            },
            "",
        ),
        (
            "in the script",
            Ear {
                interrupt_at_note: Some("found latest etcd"),
                ..Ear::default()
            },
            "slow=600",
        ),
        (
            "in the stream",
            Ear {
                interrupt_at_bytes: Some(4_000),
                ..Ear::default()
            },
            "",
        ),
    ];
    for (name, ear, script) in stages {
        let cluster = Cluster::new()?;
        cluster.script(script)?;
        let begun = Instant::now();
        let failure = cluster
            .back_up_with(cluster.options(), &ear, &VerificationResult::Passed)
            .expect_err(name);
        assert!(failure.error().is_interrupted(), "{name}: {failure}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}");
        cluster.assert_nothing_happened(name);
    }
    Ok(())
}

#[test]
fn an_interrupted_verification_leaves_nothing_that_looks_verified() -> TestResult {
    let cluster = Cluster::new()?;
    let ear = Ear {
        interrupt_at_bytes: Some(305_000),
        ..Ear::default()
    };
    let unfinished = VerificationResult::Unfinished("interrupted".to_owned());
    let failure = cluster
        .back_up_with(cluster.options(), &ear, &unfinished)
        .expect_err("interrupted");
    assert!(failure.error().is_interrupted(), "{failure}");
    cluster.assert_no_rubbish("verification");
    let names = cluster.names("backups");
    assert!(
        names.iter().all(|name| name.ends_with(".not-verified")),
        "{names:?}"
    );
    Ok(())
}
