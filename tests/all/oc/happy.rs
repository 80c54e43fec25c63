//! The documented procedure, word for word, and what comes of it.

use super::cluster::{Cluster, Ear, KUBERESOURCES, POD, SNAPSHOT, TestResult, bytes, without_time};
use etcd_cat::oc::{
    BackupRun, DebugNamespace, ReasonCode, RunOutcome, VerificationResult, run, shell_line,
};
use etcd_cat::snapshot::Status;
use etcd_cat::take::{LearntFacts, cross_check};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const LOOKED: &str = "\
--request-timeout=30s version --client -o json
--request-timeout=30s get clusterversions.config.openshift.io version -o json
--request-timeout=30s get infrastructures.config.openshift.io cluster -o json
--request-timeout=30s get clusteroperators.config.openshift.io kube-apiserver kube-controller-manager kube-scheduler etcd -o json
--request-timeout=30s get proxies.config.openshift.io cluster -o json
--request-timeout=30s get nodes -o json
--request-timeout=30s get pods -n openshift-etcd -l k8s-app=etcd -o json
--request-timeout=30s auth can-i --list -n etcd-cat-SUFFIX
--request-timeout=30s get namespaces -l app.kubernetes.io/managed-by=etcd-cat -o json";

const RAN: &str = "\
--request-timeout=30s create namespace etcd-cat-SUFFIX
--request-timeout=30s label namespace etcd-cat-SUFFIX --overwrite security.openshift.io/scc.podSecurityLabelSync=false pod-security.kubernetes.io/enforce=privileged pod-security.kubernetes.io/audit=privileged pod-security.kubernetes.io/warn=privileged app.kubernetes.io/managed-by=etcd-cat
--request-timeout=30s annotate namespace etcd-cat-SUFFIX openshift.io/node-selector= etcd-cat/heartbeat=TIME --overwrite
--request-timeout=0 debug node/master-1 --to-namespace=etcd-cat-SUFFIX -- sleep 1800
--request-timeout=30s get pod POD -n etcd-cat-SUFFIX -o json
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host stat -c %s /var/lib/etcd/member/snap/db
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host df -P -k /home/core
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host find /home/core -maxdepth 1 -type d -name etcd-cat-SUFFIX -printf %T@ %p\\n -mmin +60 -printf over %p\\n
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host mkdir -m 0700 /home/core/etcd-cat-SUFFIX
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host /usr/local/bin/cluster-backup.sh /home/core/etcd-cat-SUFFIX
--request-timeout=30s get clusterversions.config.openshift.io version -o json
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host stat -c %s %n /home/core/etcd-cat-SUFFIX/static_kuberesources_2024-11-02_030005.tar.gz /home/core/etcd-cat-SUFFIX/snapshot_2024-11-02_030005.db
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host sha256sum /home/core/etcd-cat-SUFFIX/static_kuberesources_2024-11-02_030005.tar.gz /home/core/etcd-cat-SUFFIX/snapshot_2024-11-02_030005.db
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host cat /home/core/etcd-cat-SUFFIX/static_kuberesources_2024-11-02_030005.tar.gz
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host cat /home/core/etcd-cat-SUFFIX/snapshot_2024-11-02_030005.db
--request-timeout=0 exec -n etcd-cat-SUFFIX POD -- chroot /host rm -rf -- /home/core/etcd-cat-SUFFIX
--request-timeout=30s delete pod POD -n etcd-cat-SUFFIX --ignore-not-found --wait=false
--request-timeout=30s delete namespace etcd-cat-SUFFIX --ignore-not-found --wait=false";

fn procedure() -> Vec<String> {
    LOOKED
        .lines()
        .chain(RAN.lines())
        .map(str::to_owned)
        .collect()
}

/// The command lines of a run without the program, with what differs from run to run named.
fn remembered(cluster: &Cluster, run: &BackupRun) -> Vec<String> {
    let lines = run.commands.iter().map(|words| words[1..].join(" "));
    lines.map(|line| cluster.normalise(&line)).collect()
}

/// What is asked at the same time is logged in any order.
fn sorted<T: Ord>(mut lines: Vec<T>) -> Vec<T> {
    lines.sort();
    lines
}

#[test]
fn a_backup_is_taken_by_exactly_the_documented_procedure() -> TestResult {
    let cluster = Cluster::new()?;
    let ear = Ear::default();
    let run = cluster.back_up_with(cluster.options(), &ear, &VerificationResult::Passed)?;
    assert_eq!(remembered(&cluster, &run), procedure());
    assert_eq!(run.outcome, RunOutcome::Verified);
    assert_eq!(
        fs::read(cluster.path("backups").join(SNAPSHOT))?,
        bytes(300_000)
    );
    assert_eq!(
        fs::read(cluster.path("backups").join(KUBERESOURCES))?,
        bytes(5_000)
    );
    for file in [&run.snapshot, &run.kuberesources] {
        assert_eq!(
            fs::metadata(&file.path)?.permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(
        fs::metadata(cluster.path("backups"))?.permissions().mode() & 0o777,
        0o700
    );
    cluster.assert_no_rubbish("happy");
    assert!(
        ear.heard("found latest etcd:"),
        "the script's output is shown live"
    );
    Ok(())
}

#[test]
fn a_run_remembers_where_it_came_from() -> TestResult {
    let cluster = Cluster::new()?;
    let run = cluster.back_up(cluster.options())?;
    assert_eq!(
        run.node, "master-1",
        "the first that is Ready and no arbiter, cordoned or not"
    );
    assert_eq!(run.oc_version.as_deref(), Some("4.17.3"));
    assert_eq!(run.version_before, "4.17.3");
    assert_eq!(run.version_after.as_deref(), Some("4.17.3"));
    assert_eq!(run.cluster_id, "0d5c6f5e-6b5b-4b8e-9d0a-3f0f6f2f9c11");
    assert_eq!(run.infrastructure_name.as_deref(), Some("prod-7xk2p"));
    assert_eq!(run.etcdctl_version.as_deref(), Some("3.5.18"));
    assert_eq!(
        run.status.as_ref().map(|status| status.revision),
        Some(31407)
    );
    assert!(
        run.script_output
            .iter()
            .any(|line| line.starts_with("Snapshot saved at /home/core/"))
    );
    assert!(run.leftovers.is_empty() && run.forced.is_empty() && run.kept_on_node.is_none());
    // What is remembered is what was run.
    let remembered = run
        .commands
        .iter()
        .map(|words| words.iter().skip(1).cloned().collect::<Vec<_>>());
    assert_eq!(sorted(remembered.collect()), sorted(cluster.log()));
    Ok(())
}

#[test]
fn a_dry_run_prints_what_the_run_then_does() -> TestResult {
    let cluster = Cluster::new()?;
    let oc = cluster.oc()?;
    let plan = cluster.plan(&oc, cluster.options())?;
    assert_eq!(
        sorted(cluster.log_lines()),
        sorted(LOOKED.lines().map(str::to_owned).collect()),
        "planning only looks"
    );
    let printed = plan.to_string();
    let foreseen: Vec<String> = printed
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    run(&oc, &plan, &Ear::default(), &mut |_| {
        VerificationResult::Passed
    })?;
    let ran: Vec<String> = oc
        .commands()
        .iter()
        .map(|words| {
            without_time(shell_line(words))
                .replace(POD, "POD")
                .replace("2024-11-02_030005", "TIME")
        })
        .collect();
    assert_eq!(foreseen, ran);
    Ok(())
}

#[test]
fn keys_can_go_elsewhere_and_the_node_and_namespace_can_be_named() -> TestResult {
    let cluster = Cluster::new()?;
    let mut options = cluster.options();
    options.node = Some("master-2".to_owned());
    options.keys_to = Some(cluster.path("keys"));
    options.debug_namespace = DebugNamespace::Existing("etcd-backup".to_owned());
    let run = cluster.back_up(options)?;
    assert_eq!(run.node, "master-2");
    assert_eq!(cluster.names("backups"), [SNAPSHOT]);
    assert_eq!(cluster.names("keys"), [KUBERESOURCES]);
    let log = cluster.log_lines();
    assert!(
        !log.iter()
            .any(|line| line.contains(" namespace ") || line.contains("namespaces")),
        "{log:#?}"
    );
    cluster.assert_no_rubbish("existing namespace");
    Ok(())
}

#[test]
fn proxy_variables_reach_the_script_with_their_effective_values() -> TestResult {
    let cluster = Cluster::new()?;
    fs::rename(
        cluster.path("answers/proxy-on.json"),
        cluster.path("answers/proxy.json"),
    )?;
    cluster.back_up(cluster.options())?;
    let seen = fs::read_to_string(cluster.path("host/seen-proxy"))?;
    let expected = "HTTP_PROXY=http://proxy.example.com:3128\nHTTPS_PROXY=http://proxy.example.com:3128\n\
                    NO_PROXY=.cluster.local,.example.com,.svc,10.128.0.0/14,127.0.0.1,172.30.0.0/16,\
                    api-int.prod.example.com,localhost\n";
    assert_eq!(seen, expected);
    Ok(())
}

#[test]
fn a_proxy_with_a_password_is_read_on_the_host_and_is_in_no_command() -> TestResult {
    let cluster = Cluster::new()?;
    fs::rename(
        cluster.path("answers/proxy-on.json"),
        cluster.path("answers/proxy.json"),
    )?;
    let path = cluster.path("answers/proxy.json");
    let with_password =
        fs::read_to_string(&path)?.replace("http://proxy", "http://u:hunter2@proxy");
    fs::write(path, with_password)?;
    fs::create_dir_all(cluster.path("host/etc/mco"))?;
    fs::write(
        cluster.path("host/etc/mco/proxy.env"),
        "HTTP_PROXY=http://u:hunter2&$x@proxy:3128\nOTHER=1\n",
    )?;
    let run = cluster.back_up(cluster.options())?;
    let seen = fs::read_to_string(cluster.path("host/seen-proxy"))?;
    assert_eq!(
        seen,
        "HTTP_PROXY=http://u:hunter2&$x@proxy:3128\nHTTPS_PROXY=\nNO_PROXY=\n"
    );
    assert!(!format!("{run:?}").contains("hunter2"));
    assert!(!fs::read_to_string(cluster.path("log"))?.contains("hunter2"));
    Ok(())
}

#[test]
fn the_directory_stays_on_the_node_only_when_asked_and_successful() -> TestResult {
    let cluster = Cluster::new()?;
    let mut options = cluster.options();
    options.keep_on_node = true;
    let run = cluster.back_up(options.clone())?;
    let kept = run.kept_on_node.ok_or("not kept")?;
    assert_eq!(
        cluster.names(&format!("host{kept}")),
        [SNAPSHOT, KUBERESOURCES]
    );
    assert_eq!(cluster.names("pods"), Vec::<String>::new());
    let cluster = Cluster::new()?;
    cluster.script("cut=yes")?;
    options.to = cluster.path("backups");
    options.lock_directory = Some(cluster.path("locks"));
    cluster
        .back_up(options)
        .expect_err("the script was cut off");
    cluster.assert_nothing_happened("failed with keep_on_node");
    Ok(())
}

#[test]
fn a_forced_rollout_is_forced_in_the_script_too_and_is_recorded() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.edit(
        "clusteroperators",
        r#""status": "False",
                        "type": "Progressing""#,
        r#""status": "True",
                        "type": "Progressing""#,
    )?;
    let mut options = cluster.options();
    options.forced = vec![ReasonCode::RolloutInProgress, ReasonCode::TooYoung];
    let run = cluster.back_up(options)?;
    assert_eq!(
        run.forced
            .iter()
            .map(|reason| reason.code)
            .collect::<Vec<_>>(),
        [ReasonCode::RolloutInProgress]
    );
    assert!(cluster.log_lines().iter().any(|line| {
        line.ends_with("/usr/local/bin/cluster-backup.sh --force /home/core/etcd-cat-SUFFIX")
    }));
    assert_eq!(
        cluster.names("backups"),
        [
            "snapshot_2024-11-02_030005__POSSIBLY_DIRTY__.db",
            "static_kuberesources_2024-11-02_030005__POSSIBLY_DIRTY__.tar.gz"
        ]
    );
    Ok(())
}

#[test]
fn what_the_script_said_is_held_against_the_bytes() -> TestResult {
    let cluster = Cluster::new()?;
    fs::copy(
        cluster.path("answers/clusterversion.json"),
        cluster.path("answers/clusterversion-after.json"),
    )?;
    cluster.edit(
        "clusterversion-after",
        "\"version\": \"4.17.3\"",
        "\"version\": \"4.17.4\"",
    )?;
    let mut run = cluster.back_up(cluster.options())?;
    let mut learnt = LearntFacts {
        status: Status {
            hash: Some(3_866_667_823),
            revision: Some(31407),
            total_key: Some(12828),
            total_size: Some(114_446_336),
        },
        live_keys: Some(11012),
        version: Some("4.17.3".to_owned()),
        ..LearntFacts::default()
    };
    let fields = |run: &BackupRun, learnt: &LearntFacts| {
        cross_check(run, learnt)
            .into_iter()
            .map(|mismatch| mismatch.to_string())
            .collect::<Vec<_>>()
    };
    let version = "version is 4.17.3 here, expected 4.17.4 as the cluster said";
    assert_eq!(
        fields(&run, &learnt),
        [version],
        "an upgrade began while the script ran"
    );
    learnt.status.revision = Some(5);
    assert_eq!(
        fields(&run, &learnt),
        [
            "revision is 5 here, expected 31407 as the cluster said",
            version
        ]
    );
    learnt.status.revision = Some(31407);
    run.version_after = None;
    // From 3.6 on totalKey counts live keys, and the status line has a version.
    let status = run.status.as_mut().ok_or("no status")?;
    status.version = Some("3.6.0".to_owned());
    status.total_key = 11012;
    assert!(fields(&run, &learnt).is_empty());
    Ok(())
}

/// In the cluster, and beside the files.
#[test]
fn a_run_renews_its_heartbeats_while_it_is_at_work() -> TestResult {
    for namespace in [
        DebugNamespace::Temporary,
        DebugNamespace::Existing("etcd-backup".to_owned()),
    ] {
        let cluster = Cluster::new()?;
        let mut options = cluster.options();
        options.debug_namespace = namespace.clone();
        options.timeouts.heartbeat = std::time::Duration::ZERO;
        cluster.back_up(options)?;
        let log = cluster.log_lines();
        let lines = |text: &str| log.iter().filter(|line| line.contains(text)).count();
        // Once at the beginning, and before each of the two files.
        assert_eq!(lines("etcd-cat/heartbeat=TIME --overwrite"), 3, "{log:#?}");
        assert_eq!(
            lines("chroot /host touch /home/core/etcd-cat-SUFFIX"),
            2,
            "{log:#?}"
        );
        cluster.assert_no_rubbish("heartbeats");
    }
    // Who may not mark pods takes a backup all the same.
    let cluster = Cluster::new()?;
    cluster.scenario("denied='|patch pods|'")?;
    let mut options = cluster.options();
    options.debug_namespace = DebugNamespace::Existing("etcd-backup".to_owned());
    options.timeouts.heartbeat = std::time::Duration::ZERO;
    cluster.back_up(options)?;
    let log = cluster.log_lines();
    assert!(
        !log.iter().any(|line| line.contains("annotate")),
        "{log:#?}"
    );
    Ok(())
}
