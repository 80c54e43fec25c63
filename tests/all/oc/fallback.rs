//! Where `oc exec` is not allowed: a debug pod for each command, everything through its log.

use super::cluster::{Cluster, Ear, KUBERESOURCES, SNAPSHOT, TestResult, bytes};
use etcd_cat::oc::{OcError, VerificationResult};
use std::fs;

const NO_EXEC: &str = "denied='|create pods/exec|'\n";

const RAN: &str = "\
create namespace etcd-cat-SUFFIX
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host stat -c %s /var/lib/etcd/member/snap/db
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host df -P -k /home/core
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host find /home/core -maxdepth 1 -type d -name etcd-cat-SUFFIX -printf %T@ %p\\n -mmin +60 -printf over %p\\n
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host mkdir -m 0700 /home/core/etcd-cat-SUFFIX
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host /usr/local/bin/cluster-backup.sh /home/core/etcd-cat-SUFFIX
get clusterversions.config.openshift.io version -o json
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host stat -c %s %n /home/core/etcd-cat-SUFFIX/static_kuberesources_2024-11-02_030005.tar.gz /home/core/etcd-cat-SUFFIX/snapshot_2024-11-02_030005.db
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host sha256sum /home/core/etcd-cat-SUFFIX/static_kuberesources_2024-11-02_030005.tar.gz /home/core/etcd-cat-SUFFIX/snapshot_2024-11-02_030005.db
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host sh -c tail -c +1 /home/core/etcd-cat-SUFFIX/static_kuberesources_2024-11-02_030005.tar.gz | head -c 5000 | base64 -w 1000
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host sh -c tail -c +1 /home/core/etcd-cat-SUFFIX/snapshot_2024-11-02_030005.db | head -c 300000 | base64 -w 1000
debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- chroot /host rm -rf -- /home/core/etcd-cat-SUFFIX
delete namespace etcd-cat-SUFFIX --ignore-not-found --wait=false";

#[test]
fn without_exec_the_same_steps_go_through_pod_logs() -> TestResult {
    for old in ["old=no", "old=yes"] {
        let cluster = Cluster::new()?;
        cluster.scenario(&format!("{NO_EXEC}{old}"))?;
        let ear = Ear::default();
        let run = cluster.back_up_with(cluster.options(), &ear, &VerificationResult::Passed)?;
        let log = cluster.log_lines();
        let is_told = |line: &&str| !line.starts_with("label") && !line.starts_with("annotate");
        let ran: Vec<&str> = log
            .iter()
            .skip_while(|line| !line.contains(" create namespace "))
            .filter_map(|line| line.split_once(' ').map(|(_, rest)| rest))
            .filter(is_told)
            .collect();
        assert_eq!(ran, RAN.lines().collect::<Vec<_>>());
        assert_eq!(
            fs::read(cluster.path("backups").join(SNAPSHOT))?,
            bytes(300_000)
        );
        assert_eq!(
            fs::read(cluster.path("backups").join(KUBERESOURCES))?,
            bytes(5_000)
        );
        assert!(
            run.status.is_some(),
            "the status line is found among stderr"
        );
        let pod = (run.pod.as_deref(), run.image.as_deref());
        assert_eq!(
            pod,
            (Some("master-1-debug-x5"), None),
            "the one of the script"
        );
        assert!(ear.heard("oc exec is not allowed"));
        cluster.assert_no_rubbish(old);
    }
    Ok(())
}

#[test]
fn a_large_file_comes_in_parts_that_no_log_rotates_away() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario(NO_EXEC)?;
    let large = bytes((16 << 20) + 12_345);
    fs::write(cluster.path("host/prepared.db"), &large)?;
    cluster.back_up(cluster.options())?;
    assert!(fs::read(cluster.path("backups").join(SNAPSHOT))? == large);
    let log = cluster.log_lines();
    assert!(
        log.iter()
            .any(|line| line.contains("tail -c +16777217 ") && line.contains("head -c 12345 "))
    );
    Ok(())
}

#[test]
fn an_old_oc_that_ends_with_0_whatever_happened_is_not_believed() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario(&format!("{NO_EXEC}old=yes"))?;
    cluster.script(
        "fail_line='Backup integrity verification failed. Backup appears corrupted. Aborting!'",
    )?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("the script failed");
    assert!(matches!(failure.error(), OcError::Script(_)), "{failure}");
    cluster.assert_nothing_happened("old oc");
    Ok(())
}

#[test]
fn a_pod_that_never_starts_does_not_hang_the_fallback() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario(&format!("{NO_EXEC}pod_phase=Pending"))?;
    let mut options = cluster.options();
    options.timeouts.command = std::time::Duration::from_millis(200);
    options.timeouts.pod_start = std::time::Duration::from_millis(600);
    let failure = cluster.back_up(options).expect_err("no pod ever starts");
    assert!(
        failure.to_string().contains("was stopped after"),
        "{failure}"
    );
    cluster.assert_nothing_happened("fallback, pending pod");
    Ok(())
}
