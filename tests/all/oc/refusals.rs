//! The look beforehand: every reason has its name, changes nothing, and only sensible ones are overridden.

use super::cluster::{Cluster, Ear, Failure, TestResult, now};
use chrono::TimeDelta;
use etcd_cat::monitor::Silent;
use etcd_cat::oc::{ClientOptions, Oc, OcError, ReasonCode, RunError, plan};
use std::error::Error;
use std::time::{Duration, Instant};

type Change = fn(&Cluster) -> TestResult;

struct Refusal {
    name: &'static str,
    change: Change,
    code: ReasonCode,
    says: &'static str,
}

const REFUSALS: [Refusal; 13] = [
    Refusal {
        name: "credentials are no longer good",
        change: |cluster| Ok(cluster.scenario("logged_in=no")?),
        code: ReasonCode::NotLoggedIn,
        says: "must be logged in to the server",
    },
    Refusal {
        name: "no kubeconfig",
        change: |cluster| Ok(cluster.scenario("configured=no")?),
        code: ReasonCode::NotLoggedIn,
        says: "Missing or incomplete configuration",
    },
    Refusal {
        name: "pods may not be created",
        change: |cluster| Ok(cluster.scenario("denied='|create pods|delete namespaces|'")?),
        code: ReasonCode::Forbidden,
        says: "not allowed to delete namespaces, create pods",
    },
    Refusal {
        name: "upgrade, by its history",
        change: |cluster| cluster.edit("clusterversion", "\"Completed\"", "\"Partial\""),
        code: ReasonCode::UpgradeInProgress,
        says: "version 4.17.3 is Partial",
    },
    Refusal {
        name: "upgrade, just asked for",
        change: |cluster| {
            cluster.edit(
                "clusterversion",
                "\"version\": \"4.17.3\"",
                "\"version\": \"4.17.4\"",
            )
        },
        code: ReasonCode::UpgradeInProgress,
        says: "expected 4.17.4 Completed",
    },
    Refusal {
        name: "rollout",
        change: |cluster| set_operator(cluster, "Progressing", "False", "True"),
        code: ReasonCode::RolloutInProgress,
        says: "kube-apiserver Progressing is True, expected False",
    },
    Refusal {
        name: "degraded",
        change: |cluster| set_operator(cluster, "Degraded", "False", "True"),
        code: ReasonCode::OperatorDegraded,
        says: "kube-apiserver Degraded is True, expected False",
    },
    Refusal {
        name: "not available",
        change: |cluster| set_operator(cluster, "Available", "True", "Unknown"),
        code: ReasonCode::OperatorDegraded,
        says: "kube-apiserver Available is Unknown, expected True",
    },
    Refusal {
        name: "installed yesterday",
        change: |cluster| {
            cluster.edit(
                "clusterversion",
                "2024-09-01T08:00:00Z",
                "2024-11-01T03:00:01Z",
            )
        },
        code: ReasonCode::TooYoung,
        says: "installed at 2024-11-01T03:00:01Z",
    },
    Refusal {
        name: "hosted control plane",
        change: |cluster| cluster.edit("infrastructure", "\"HighlyAvailable\"", "\"External\""),
        code: ReasonCode::HostedControlPlane,
        says: "topology External",
    },
    Refusal {
        name: "no node is fit",
        change: |cluster| {
            cluster.edit(
                "etcd-pods",
                "\"nodeName\": \"master-1\"",
                "\"nodeName\": \"gone\"",
            )?;
            cluster.edit(
                "etcd-pods",
                "\"nodeName\": \"master-2\"",
                "\"nodeName\": \"gone\"",
            )
        },
        code: ReasonCode::NoHealthyNode,
        says: "arbiter-0 is an arbiter: it runs etcd and no kube-apiserver, master-0 is not Ready, \
               the etcd pod on master-1 is not Ready",
    },
    Refusal {
        name: "the host is full",
        change: |cluster| Ok(cluster.scenario("df=full")?),
        code: ReasonCode::NoSpaceNode,
        says: "/home/core on the host has 1024 bytes free, expected 8192",
    },
    Refusal {
        name: "too large for here",
        change: |cluster| {
            let file = std::fs::File::create(cluster.path("host/var/lib/etcd/member/snap/db"))?;
            Ok(file.set_len(1 << 43)?)
        },
        code: ReasonCode::NoSpaceLocal,
        says: "bytes free, expected 8796109799424",
    },
];

fn set_operator(cluster: &Cluster, condition: &str, from: &str, to: &str) -> TestResult {
    let text = |status| {
        format!("\"status\": \"{status}\",\n                        \"type\": \"{condition}\"")
    };
    cluster.edit("clusteroperators", &text(from), &text(to))
}

fn reasons(failure: &Failure) -> Result<Vec<(ReasonCode, String)>, Box<dyn Error>> {
    match failure.error() {
        OcError::Refused { reasons } => Ok(reasons
            .iter()
            .map(|reason| (reason.code, reason.message.clone()))
            .collect()),
        other => Err(format!("{other} is no refusal").into()),
    }
}

#[test]
fn each_reason_is_named_and_nothing_is_left() -> TestResult {
    for Refusal {
        name,
        change,
        code,
        says,
    } in REFUSALS
    {
        let cluster = Cluster::new()?;
        change(&cluster)?;
        let failure = cluster.back_up(cluster.options()).expect_err(name);
        let found = reasons(&failure)?;
        let is_named =
            |(found, message): &(ReasonCode, String)| *found == code && message.contains(says);
        assert!(found.iter().any(is_named), "{name}: {found:?}");
        cluster.assert_nothing_happened(name);
        let has_run_script = cluster
            .log_lines()
            .iter()
            .any(|line| line.contains("cluster-backup.sh"));
        assert!(!has_run_script, "{name}");
    }
    Ok(())
}

#[test]
fn a_forced_reason_does_not_refuse_and_only_it() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.edit(
        "clusterversion",
        "2024-09-01T08:00:00Z",
        "2024-11-01T03:00:01Z",
    )?;
    set_operator(&cluster, "Degraded", "False", "True")?;
    let mut options = cluster.options();
    options.forced = vec![ReasonCode::TooYoung];
    let failure = cluster.back_up(options.clone()).expect_err("degraded");
    let codes: Vec<ReasonCode> = reasons(&failure)?
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert_eq!(codes, [ReasonCode::OperatorDegraded]);
    options.forced.push(ReasonCode::OperatorDegraded);
    let run = cluster.back_up(options)?;
    let forced: Vec<ReasonCode> = run.forced.iter().map(|reason| reason.code).collect();
    assert_eq!(forced, [ReasonCode::OperatorDegraded, ReasonCode::TooYoung]);
    Ok(())
}

#[test]
fn what_cannot_be_overridden_is_not() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("df=full")?;
    let mut options = cluster.options();
    options.forced = vec![ReasonCode::NoSpaceNode];
    cluster
        .back_up(options)
        .expect_err("a full host is never filled further");
    Ok(())
}

#[test]
fn hours_to_be_spared_refuse() -> TestResult {
    let cluster = Cluster::new()?;
    let mut options = cluster.options();
    options.not_during = vec!["08:00-18:00".parse()?, "22:00-06:00".parse()?];
    let failure = cluster.back_up(options).expect_err("it is 03:00");
    let expected = "not-during: it is 2024-11-02T03:00:00Z, expected outside 22:00-06:00 UTC";
    assert!(failure.to_string().contains(expected), "{failure}");
    Ok(())
}

#[test]
fn a_node_that_was_asked_for_is_never_replaced_by_another() -> TestResult {
    let rows = [
        ("worker-0", "worker-0 is no control-plane node"),
        ("arbiter-0", "arbiter-0 is an arbiter"),
        ("master-0", "master-0 is not Ready"),
        ("master-9", "master-9 is no node of this cluster"),
    ];
    let cluster = Cluster::new()?;
    for (node, says) in rows {
        let mut options = cluster.options();
        options.node = Some(node.to_owned());
        let failure = cluster.back_up(options).expect_err(node);
        assert!(failure.to_string().contains(says), "{failure}");
    }
    for node in ["--all", "a b", "Node", "a;b"] {
        let mut options = cluster.options();
        options.node = Some(node.to_owned());
        let failure = cluster.back_up(options).expect_err(node);
        assert!(
            matches!(failure.error(), OcError::Option { .. }),
            "{failure}"
        );
    }
    Ok(())
}

#[test]
fn a_host_directory_is_a_plain_absolute_path() -> TestResult {
    let cluster = Cluster::new()?;
    for directory in [
        "home/core",
        "/home/../etc",
        "/home/core x",
        "/home/$(id)",
        "",
    ] {
        let mut options = cluster.options();
        options.host_directory = directory.to_owned();
        let failure = cluster.back_up(options).expect_err(directory);
        assert!(
            matches!(failure.error(), OcError::Option { .. }),
            "{failure}"
        );
    }
    assert!(cluster.log().is_empty());
    Ok(())
}

#[test]
fn a_second_run_against_the_same_cluster_is_refused_and_told_who_is_first() -> TestResult {
    let cluster = Cluster::new()?;
    let oc = cluster.oc()?;
    let first = cluster.plan(&oc, cluster.options())?;
    let second = cluster
        .plan(&oc, cluster.options())
        .expect_err("the first holds the lock");
    assert!(matches!(second, OcError::AlreadyRunning { .. }), "{second}");
    let pid = std::process::id().to_string();
    assert!(second.to_string().contains(&pid), "{second}");
    drop(first);
    cluster.plan(&oc, cluster.options())?;
    Ok(())
}

#[test]
fn a_missing_oc_is_told_by_name() {
    let options = ClientOptions {
        program: Some("no-such-oc".into()),
        ..ClientOptions::default()
    };
    let error = Oc::new(options).expect_err("there is no such program");
    assert!(matches!(error, RunError::NotFound { .. }));
    assert!(
        error.to_string().contains("`no-such-oc` was not found"),
        "{error}"
    );
}

#[test]
fn an_unreachable_cluster_and_an_odd_answer_are_failures_not_refusals() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("reachable=no")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("no API server");
    assert!(matches!(
        failure.error(),
        OcError::Run(RunError::Failed { .. })
    ));
    assert!(
        failure.to_string().contains("no route to host"),
        "{failure}"
    );
    cluster.scenario("")?;
    std::fs::write(cluster.path("answers/nodes.json"), "<html>SECRET</html>")?;
    let failure = cluster.back_up(cluster.options()).expect_err("no JSON");
    assert!(matches!(
        failure.error(),
        OcError::Run(RunError::Shape { .. })
    ));
    assert!(!failure.to_string().contains("SECRET"), "{failure}");
    Ok(())
}

#[test]
fn a_request_that_never_ends_is_stopped() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("hang='get nodes'")?;
    let mut client = ClientOptions {
        program: Some(cluster.path("bin/oc")),
        ..ClientOptions::default()
    };
    client.request_timeout = Duration::from_millis(1);
    client.request_overhead = Duration::from_secs(1);
    let begun = Instant::now();
    let error = plan(&Oc::new(client)?, cluster.options(), now(), &Silent).expect_err("it hangs");
    assert!(
        matches!(error, OcError::Run(RunError::TooLong { .. })),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    Ok(())
}

#[test]
fn a_cluster_of_24_hours_is_old_enough() -> TestResult {
    let cluster = Cluster::new()?;
    let installed_at =
        (now() - TimeDelta::hours(24)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    cluster.edit("clusterversion", "2024-09-01T08:00:00Z", &installed_at)?;
    cluster.plan(&cluster.oc()?, cluster.options())?;
    Ok(())
}

/// A list that shows too little, or none at all, refuses nobody who may.
#[test]
fn what_the_list_of_rights_does_not_show_is_asked_for() -> TestResult {
    for (scenario, questions) in [
        ("", 0),
        ("rules=incomplete", 11),
        ("rules=refused", 11),
        ("denied='|create pods/exec|'", 1),
    ] {
        let cluster = Cluster::new()?;
        cluster.scenario(scenario)?;
        cluster.back_up(cluster.options())?;
        let log = cluster.log_lines();
        let asked = log
            .iter()
            .filter(|line| line.contains("can-i") && !line.contains("--list"));
        assert_eq!(asked.count(), questions, "{scenario}: {log:#?}");
        cluster.assert_no_rubbish(scenario);
    }
    let cluster = Cluster::new()?;
    cluster.scenario("rules=incomplete\ndenied='|delete namespaces|create pods|'")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("two are missing");
    let told = reasons(&failure)?;
    assert_eq!(
        told,
        [(
            ReasonCode::Forbidden,
            "not allowed to delete namespaces, create pods".to_owned()
        )]
    );
    Ok(())
}

#[test]
fn all_that_may_not_be_read_is_told_at_once() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("forbidden_reads='|nodes|clusteroperators.config.openshift.io|pods|'")?;
    let failure = cluster
        .back_up(cluster.options())
        .expect_err("two are missing");
    let told: Vec<String> = reasons(&failure)?
        .into_iter()
        .map(|(code, message)| format!("{code}: {message}"))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("clusteroperators"), "{told:?}");
    assert!(
        told[1].contains("cannot list resource \"nodes\""),
        "{told:?}"
    );
    cluster.assert_nothing_happened("reads");
    Ok(())
}

/// Questions asked at the same time end with the signal and the deadline, each and all.
#[test]
fn questions_asked_together_end_with_a_signal_and_with_the_deadline() -> TestResult {
    let cluster = Cluster::new()?;
    cluster.scenario("hang='get '")?;
    let oc = Oc::new(ClientOptions {
        program: Some(cluster.path("bin/oc")),
        request_timeout: Duration::from_millis(300),
        request_overhead: Duration::from_millis(300),
        ..ClientOptions::default()
    })?;
    let begun = Instant::now();
    let failure = plan(&oc, cluster.options(), now(), &Silent).expect_err("nobody answers");
    assert!(
        matches!(failure, OcError::Run(RunError::TooLong { .. })),
        "{failure}"
    );
    let ear = Ear {
        interrupt_at_note: Some("looking at the cluster"),
        ..Ear::default()
    };
    let failure = plan(&cluster.oc()?, cluster.options(), now(), &ear).expect_err("a signal");
    assert!(failure.is_interrupted(), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    cluster.assert_nothing_happened("hang");
    Ok(())
}
