use super::hosts::Host;
use super::input::PlanInput;
use super::make::plan;
use super::*;
use crate::backup::Backup;
use crate::fixture::{healthy, only};
use crate::openshift::{BlockingWebhook, ControlPlaneNode, Topology};
use crate::snapshot::Member;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::process::Command;

const NODES: [&str; 3] = ["master-0", "master-1", "master-2"];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_730_516_400, 0).expect("is in range")
}

/// Hosts by these names, the second with an address.
fn hosts(names: &[&str]) -> Vec<Host> {
    let host = |(number, name): (u8, &&str)| Host {
        name: (*name).to_owned(),
        address: (number == 1).then(|| std::net::IpAddr::from([10, 0, 0, number])),
    };
    (0..).zip(names).map(host).collect()
}

struct Case {
    version: &'static str,
    topology: Topology,
    age_days: i64,
    encryption: Encryption,
    nodes: Vec<Host>,
    disaster: Disaster,
    staged: Option<&'static str>,
    kuberesources_bytes: Option<u64>,
    webhooks: Vec<BlockingWebhook>,
}

impl Case {
    fn new(version: &'static str, topology: Topology) -> Self {
        Self {
            version,
            topology,
            age_days: 1,
            encryption: Encryption::default(),
            nodes: hosts(&NODES),
            disaster: Disaster::default(),
            staged: Some("/srv/it's here"),
            kuberesources_bytes: Some(76_345),
            webhooks: Vec::new(),
        }
    }

    fn lost(version: &'static str, lost: &[&str]) -> Self {
        Self {
            disaster: Disaster {
                recovery_host: None,
                lost: lost.iter().map(|name| (*name).to_owned()).collect(),
            },
            ..Self::new(version, Topology::HighlyAvailable)
        }
    }

    fn hosts(&self) -> Result<Hosts, HostError> {
        Hosts::sorted_out(self.nodes.clone(), Some("master-0"), &self.disaster)
    }

    fn plan(&self) -> Plan {
        let words = ["etcd-cat", "stage", "3f9c1a2b7d10", "--catalogue", "/c d"];
        plan(&PlanInput {
            version: self.version,
            topology: Some(&self.topology),
            staged_directory: self.staged.map(Path::new),
            backup_id: Some("3f9c1a2b7d10"),
            stage_command: Some(words.map(str::to_owned).to_vec()),
            snapshot_bytes: 100 << 20,
            kuberesources_bytes: self.kuberesources_bytes,
            has_trailer: true,
            hosts: self.hosts().expect("they fit"),
            taken_at: Some(now() - TimeDelta::days(self.age_days)),
            now: now(),
            encryption: self.encryption,
            webhooks: &self.webhooks,
        })
    }

    fn text(&self) -> String {
        text(&self.plan())
    }
}

fn text(plan: &Plan) -> String {
    let steps = plan.steps.iter();
    let steps = steps.map(|step| {
        format!(
            "{}: {}\n    {}",
            step.place,
            step.text,
            step.command.as_deref().unwrap_or("-")
        )
    });
    plan.warnings
        .iter()
        .cloned()
        .chain(steps)
        .collect::<Vec<_>>()
        .join("\n")
}

fn position(plan: &Plan, part: &str) -> Option<usize> {
    let holds = |command: &String| command.contains(part);
    plan.steps
        .iter()
        .position(|step| step.command.as_ref().is_some_and(holds))
}

#[test]
fn the_first_words_are_that_it_destroys() {
    let topologies = [
        Topology::HighlyAvailable,
        Topology::SingleReplica,
        Topology::DualReplica,
        Topology::External,
        Topology::Other("New".to_owned()),
    ];
    for topology in topologies {
        for version in ["4.3.5", "4.12.3", "4.18.1", "4.22.0", "5.0.0", "nonsense"] {
            let plan = Case::new(version, topology.clone()).plan();
            let first = plan.warnings.first().expect("there is always one");
            assert!(first.contains("destructive") && first.contains("do not restore"));
        }
    }
}

#[test]
fn every_release_gets_its_own_script() {
    let rows = [
        ("4.3.40", Topology::HighlyAvailable, Script::TooOld),
        (
            "4.4.2",
            Topology::HighlyAvailable,
            Script::AllPods { minor: 4 },
        ),
        (
            "4.17.30",
            Topology::SingleReplica,
            Script::AllPods { minor: 17 },
        ),
        (
            "4.18.0-rc.1",
            Topology::HighlyAvailable,
            Script::EtcdOnly { minor: 18 },
        ),
        (
            "4.22.0",
            Topology::HighlyAvailableArbiter,
            Script::EtcdOnly { minor: 22 },
        ),
        ("4.22.0", Topology::DualReplica, Script::TwoNodes),
        ("4.21.9", Topology::DualReplica, Script::TwoNodesTooOld),
        ("4.17.3", Topology::External, Script::Hosted),
        ("4.17", Topology::HighlyAvailable, Script::Unknown),
        ("3.11.0", Topology::HighlyAvailable, Script::Unknown),
    ];
    for (version, topology, expected) in rows {
        assert_eq!(
            Script::of(version, Some(&topology)),
            expected,
            "{version} {topology:?}"
        );
    }
}

#[test]
fn up_to_4_17_all_pods_are_stopped_elsewhere_and_forced_afterwards() {
    let plan = Case::new("4.16.7", Topology::HighlyAvailable).plan();
    let order = [
        "oc get --raw=/readyz",
        "ssh core@master-0",
        "ssh core@10.0.0.1",
        "ssh core@master-0 mkdir /home/core/restore-3f9c1a2b7d10",
        "scp -p -- '/srv/it'\\''s here'/* core@master-0:/home/core/restore-3f9c1a2b7d10/",
        "manifests/etcd-pod.yaml",
        "sudo mv -v /var/lib/etcd/ /tmp",
        "keepalived.yaml /home/core/",
        "sudo -E /usr/local/bin/cluster-restore.sh /home/core/restore-3f9c1a2b7d10",
        "systemctl restart kubelet.service",
        "ovn-ic",
        "useUnsupported",
        "oc patch etcd cluster",
        "oc patch kubescheduler cluster",
        "oc get clusteroperators",
    ];
    let found: Vec<_> = order.iter().map(|part| position(&plan, part)).collect();
    assert!(
        found.iter().all(Option::is_some) && found.is_sorted(),
        "{found:?}"
    );
    assert_eq!(position(&plan, "disable-etcd.sh"), None);
}

#[test]
fn from_4_18_etcd_alone_is_stopped() {
    let plan = Case::new("4.18.3", Topology::HighlyAvailable).plan();
    let order = [
        "sudo ls -A /var/lib/etcd",
        "disable-etcd.sh",
        "cluster-restore.sh /home/core/restore-3f9c1a2b7d10",
        "useUnsupported",
        "wait-for-stable-cluster",
        "\"unsupportedConfigOverrides\": null",
    ];
    let found: Vec<_> = order.iter().map(|part| position(&plan, part)).collect();
    assert!(
        found.iter().all(Option::is_some) && found.is_sorted(),
        "{found:?}"
    );
    assert_eq!(position(&plan, "manifests/etcd-pod.yaml"), None);
    assert_eq!(position(&plan, "oc patch kubeapiserver"), None);
}

#[test]
fn a_single_node_has_no_others_to_stop() {
    for version in ["4.16.7", "4.18.3"] {
        let mut case = Case::new(version, Topology::SingleReplica);
        case.nodes.truncate(1);
        let plan = case.plan();
        for part in [
            "disable-etcd.sh",
            "manifests/etcd-pod.yaml",
            "useUnsupported",
        ] {
            assert_eq!(position(&plan, part), None, "{version} {part}");
        }
        assert!(position(&plan, "cluster-restore.sh").is_some());
    }
}

#[test]
fn two_nodes_leave_the_quorum_guard_alone_and_need_no_kuberesources() {
    let mut case = Case::new("4.22.1", Topology::DualReplica);
    case.kuberesources_bytes = None;
    let plan = case.plan();
    assert!(position(&plan, "cluster-restore.sh").is_some());
    for part in ["disable-etcd.sh", "useUnsupported", "ovn-ic"] {
        assert_eq!(position(&plan, part), None, "{part}");
    }
}

#[test]
fn where_the_script_would_ruin_things_there_are_no_steps() {
    let mut without = Case::new("4.18.3", Topology::HighlyAvailable);
    without.kuberesources_bytes = None;
    assert!(without.text().contains("Do not run it"));
    assert!(without.plan().steps.is_empty());
    for (version, topology) in [
        ("4.18.3", Topology::External),
        ("4.2.0", Topology::HighlyAvailable),
    ] {
        assert!(
            Case::new(version, topology).plan().steps.is_empty(),
            "{version}"
        );
    }
    assert!(
        Case::new("4.18.3", Topology::External)
            .text()
            .contains("HyperShift")
    );
}

#[test]
fn age_decides_about_certificates() {
    for (days, warning) in [
        (1, ""),
        (16, "16 days old: some"),
        (31, "31 days old: every"),
    ] {
        let mut case = Case::new("4.18.3", Topology::HighlyAvailable);
        case.age_days = days;
        assert!(case.text().contains(warning), "{days}");
        assert_eq!(
            case.text().contains("days old"),
            !warning.is_empty(),
            "{days}"
        );
        // Certificates are looked at always.
        assert!(
            position(&case.plan(), "/var/lib/kubelet/pki").is_some(),
            "{days}"
        );
        assert!(
            position(&case.plan(), "oc adm certificate approve").is_some(),
            "{days}"
        );
    }
    let mut future = Case::new("4.18.3", Topology::HighlyAvailable);
    future.age_days = -1;
    assert!(future.text().contains("in the future"));
}

#[test]
fn encryption_is_spoken_of_when_there_is_some() {
    let keys = Encryption {
        has_keys: true,
        has_kms: false,
    };
    let both = Encryption {
        has_kms: true,
        ..keys
    };
    let rows = [
        ("4.17.3", keys, "keys come back with the kuberesources"),
        ("4.18.3", keys, "present encryption-config"),
        ("4.18.3", both, "present encryption-config"),
        ("4.18.3", both, "KMS"),
    ];
    for (version, encryption, expected) in rows {
        let mut case = Case::new(version, Topology::HighlyAvailable);
        assert!(!case.text().contains("encrypted"), "{version}");
        case.encryption = encryption;
        assert!(case.text().contains(expected), "{version} {encryption:?}");
    }
}

#[test]
fn where_two_of_three_are_lost_nothing_is_done_on_them_and_they_are_replaced_afterwards() {
    for (version, order) in [
        (
            "4.17.3",
            [
                "cluster-restore.sh",
                "get machines,controlplanemachinesets",
                r#"nodeRef.name=="master-0""#,
                r#"nodeRef.name=="master-2""#,
                "useUnsupported",
                "oc patch etcd cluster",
            ],
        ),
        (
            "4.20.8",
            [
                "cluster-restore.sh",
                "useUnsupported",
                "get machines,controlplanemachinesets",
                r#"nodeRef.name=="master-0""#,
                r#"nodeRef.name=="master-2""#,
                "wait-for-stable-cluster",
            ],
        ),
    ] {
        let plan = Case::lost(version, &["MASTER-0", "master-2"]).plan();
        let found: Vec<_> = order.iter().map(|part| position(&plan, part)).collect();
        assert!(
            found.iter().all(Option::is_some) && found.is_sorted(),
            "{version}: {found:?}"
        );
        for part in [
            "ssh core@master-0",
            "ssh core@master-2",
            "disable-etcd.sh",
            "manifests/etcd-pod.yaml",
            "keepalived",
        ] {
            assert_eq!(position(&plan, part), None, "{version} {part}");
        }
        assert!(
            position(&plan, "ssh core@10.0.0.1 mkdir").is_some(),
            "{version}"
        );
    }
}

#[test]
fn who_has_a_quorum_left_is_told_to_replace_the_member() {
    assert!(
        Case::lost("4.18.3", &["master-2"])
            .text()
            .contains("keeps its quorum")
    );
    assert!(
        !Case::lost("4.18.3", &["master-1", "master-2"])
            .text()
            .contains("quorum without")
    );
}

#[test]
fn the_recovery_host_is_the_one_that_is_named_or_another_that_lives() {
    let recovery = |disaster: Disaster| {
        let case = Case {
            disaster,
            ..Case::new("4.18.3", Topology::HighlyAvailable)
        };
        case.hosts()
            .map(|hosts| hosts.recovery.map(|host| host.name))
    };
    let disaster = |recovery_host: Option<&str>, lost: &[&str]| Disaster {
        recovery_host: recovery_host.map(str::to_owned),
        lost: lost.iter().map(|name| (*name).to_owned()).collect(),
    };
    for (named, lost, expected) in [
        (None, &[][..], "master-0"),
        (None, &["master-0"], "master-1"),
        (Some("master-2"), &[], "master-2"),
        (Some("10.0.0.1"), &["master-2.example.com"], "master-1"),
    ] {
        let found = recovery(disaster(named, lost));
        assert_eq!(found, Ok(Some(expected.to_owned())), "{named:?} {lost:?}");
    }
    for (named, lost, expected) in [
        (
            None,
            &["master-7"][..],
            "no control-plane host is called \"master-7\", the backup knows master-0, master-1, master-2",
        ),
        (
            Some("worker-0"),
            &[],
            "no control-plane host is called \"worker-0\", the backup knows master-0, master-1, master-2",
        ),
        (
            Some("master-1"),
            &["master-1"],
            "\"master-1\" is lost and cannot be the recovery host",
        ),
        (
            None,
            &NODES,
            "all control-plane hosts are said to be lost; a restore needs one that lives or boots",
        ),
        (
            None,
            &["$(reboot)"],
            "\"$(reboot)\" is neither the name nor the address of a host",
        ),
    ] {
        let error = recovery(disaster(named, lost)).expect_err("does not fit");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn later_scripts_move_other_files_aside() {
    for version in ["4.18.3", "4.22.9", "4.23.0", "5.0.0", "5.1.2"] {
        let plan = Case::new(version, Topology::HighlyAvailable).plan();
        let is_checked = position(&plan, "sudo ls -A /var/lib/etcd").is_some();
        let is_moved = text(&plan).contains("extra-data-dir-contents");
        let is_later = !version.starts_with("4.1") && version != "4.22.9";
        assert_eq!((is_checked, is_moved), (!is_later, is_later), "{version}");
    }
}

#[test]
fn staged_or_not_the_steps_have_the_same_numbers() {
    let staged = Case::new("4.17.3", Topology::HighlyAvailable);
    let before = Case {
        staged: None,
        ..Case::new("4.17.3", Topology::HighlyAvailable)
    };
    let (staged, before) = (staged.plan(), before.plan());
    assert_eq!(staged.steps.len(), before.steps.len());
    let line = "etcd-cat stage 3f9c1a2b7d10 --catalogue '/c d' --to restore-3f9c1a2b7d10";
    let number = position(&before, line).expect("it is staged");
    let other = staged.steps.get(number).expect("as many");
    assert!(other.text.starts_with("Done: "), "{other:?}");
    for part in [
        "mkdir",
        "scp -p",
        "cluster-restore.sh",
        "oc get nodes",
        "rm -r -- ",
    ] {
        assert_eq!(position(&staged, part), position(&before, part), "{part}");
    }
}

#[test]
fn the_network_is_renewed_node_by_node() {
    let plan = Case::new("4.17.3", Topology::HighlyAvailable).plan();
    let number = position(&plan, "--field-selector=spec.nodeName==\"master-1\"").expect("each");
    let command = plan
        .steps
        .get(number)
        .and_then(|step| step.command.as_deref());
    let command = command.expect("a command");
    assert!(
        command.starts_with("ssh core@10.0.0.1 \"sudo sh -c 'rm -f /var/lib/ovn-ic/etc/*.db"),
        "{command}"
    );
    assert!(position(&plan, "--field-selector=spec.nodeName==\"$node\"").is_some());
}

#[test]
fn webhooks_that_block_are_looked_for() {
    for version in ["4.12.1", "4.17.3", "4.20.8"] {
        let plan = Case::new(version, Topology::HighlyAvailable).plan();
        assert!(
            position(&plan, "failurePolicy \"Fail\"").is_some(),
            "{version}"
        );
    }
    let mut case = Case::new("4.17.3", Topology::HighlyAvailable);
    case.webhooks = ["openshift-machine-api", "gatekeeper-system"]
        .map(|namespace| BlockingWebhook {
            kind: "validatingwebhookconfiguration".to_owned(),
            name: format!("of-{namespace}"),
            namespaces: vec![namespace.to_owned()],
        })
        .to_vec();
    let known = " The backup has validatingwebhookconfiguration of-gatekeeper-system. ";
    assert!(case.text().contains(known), "{}", case.text());
}

/// A healthy backup whose kuberesources names these hosts.
fn backup_with(names: &[&str]) -> Backup {
    let mut backup = only(healthy());
    if let Some(half) = &mut backup.kuberesources {
        half.facts.control_plane_nodes = names.iter().map(|name| (*name).to_owned()).collect();
        half.facts.node = names.first().map(|name| (*name).to_owned());
    }
    if let Some(half) = &mut backup.snapshot {
        half.facts.cluster.operators.clear();
    }
    backup
}

#[test]
fn names_that_a_shell_would_obey_reach_no_command() {
    let hostile = ["$(reboot)", "a b", "x;y", "-oProxyCommand=z", "a\nb", ""];
    let backup = backup_with(&hostile);
    let (disaster, stage_call) = (Disaster::default(), StageCall::default());
    let request = PlanRequest {
        staged: None,
        disaster: &disaster,
        stage_call: &stage_call,
        now: now(),
    };
    let plan = Plan::of(&backup, &request).expect("no host is named");
    let plan = plan.expect("a version is known");
    for step in &plan.steps {
        let command = step.command.as_deref().unwrap_or_default();
        for name in hostile.iter().filter(|name| !name.is_empty()) {
            assert!(
                !command.contains(name) && !step.text.contains(name) && !step.place.contains(name),
                "{step:?}"
            );
        }
    }
}

#[test]
fn addresses_are_those_of_the_members_and_never_of_this_machine() {
    let mut backup = backup_with(&["a", "b", "c", "d"]);
    let member = |id: u64, name: &str, url: &str| Member {
        id,
        name: name.to_owned(),
        peer_urls: vec![url.to_owned()],
        client_urls: Vec::new(),
        is_learner: false,
    };
    if let Some(half) = &mut backup.snapshot {
        half.facts.members = vec![
            member(1, "a", "https://10.0.0.10:2380"),
            member(2, "b", "https://[fd00::11]:2380"),
            member(0xab, "c", "http://127.0.0.1:2380"),
        ];
    }
    if let Some(half) = &mut backup.kuberesources {
        let endpoint = ("ab".to_owned(), "10.0.0.12".to_owned());
        half.facts.etcd_endpoints = [endpoint].into();
    }
    if let Some(half) = &mut backup.snapshot {
        half.facts.cluster.control_plane = vec![ControlPlaneNode {
            name: "d".to_owned(),
            internal_address: Some("10.0.0.13".to_owned()),
        }];
    }
    let hosts = Hosts::of(&backup, &Disaster::default()).expect("they fit");
    let targets: Vec<String> = hosts.living().map(Host::copy_target).collect();
    assert_eq!(
        targets,
        ["10.0.0.10", "[fd00::11]", "10.0.0.12", "10.0.0.13"]
    );
}

#[test]
fn without_a_catalogue_the_staging_names_the_files() {
    let backup = only(healthy());
    let (disaster, stage_call) = (
        Disaster::default(),
        StageCall {
            options: vec!["--no-catalogue".to_owned()],
            is_by_path: true,
        },
    );
    let request = PlanRequest {
        staged: None,
        disaster: &disaster,
        stage_call: &stage_call,
        now: now(),
    };
    let plan = Plan::of(&backup, &request).expect("no host is named");
    let plan = plan.expect("a version is known");
    let place =
        |id: Option<&crate::source::ObjectId>| id.map(ToString::to_string).unwrap_or_default();
    let snapshot = place(backup.snapshot.as_ref().map(|half| &half.path));
    let archive = place(backup.kuberesources.as_ref().map(|half| &half.path));
    let line =
        format!("etcd-cat stage {snapshot} {snapshot} {archive} --no-catalogue --to restore-");
    assert!(
        position(&plan, &line).is_some(),
        "{line}: {:#?}",
        plan.steps
    );
}

#[test]
fn every_command_is_one_that_a_shell_can_read() -> Result<(), Box<dyn std::error::Error>> {
    let topologies = [
        Topology::HighlyAvailable,
        Topology::SingleReplica,
        Topology::DualReplica,
    ];
    for topology in topologies {
        for (version, lost) in [
            ("4.10.0", &[][..]),
            ("4.16.7", &[]),
            ("4.18.3", &["master-1"]),
            ("4.22.0", &["master-0", "master-2"]),
        ] {
            let case = Case {
                topology: topology.clone(),
                ..Case::lost(version, lost)
            };
            for step in case.plan().steps {
                let Some(command) = step.command else {
                    continue;
                };
                let output = Command::new("bash").arg("-nc").arg(&command).output()?;
                assert!(
                    output.status.success() && output.stderr.is_empty(),
                    "{command}"
                );
                assert!(!command.contains(['<', '\n']), "{command}");
            }
        }
    }
    Ok(())
}

#[test]
fn json_in_commands_is_json() -> Result<(), Box<dyn std::error::Error>> {
    for version in ["4.16.7", "4.18.3"] {
        for step in Case::new(version, Topology::HighlyAvailable).plan().steps {
            let Some(command) = step
                .command
                .filter(|command| command.starts_with("oc patch"))
            else {
                continue;
            };
            let script = format!(
                r#"oc() {{ for word; do case $word in -p=*) printf %s "${{word#-p=}}";; {{*) printf %s "$word";; esac; done; }}; {command}"#
            );
            let output = Command::new("bash").arg("-c").arg(&script).output()?;
            let patch: serde_json::Value = serde_json::from_slice(&output.stdout)?;
            assert!(patch.get("spec").is_some(), "{command}");
        }
    }
    Ok(())
}

#[test]
fn space_is_for_three_snapshots_and_the_log() {
    let plan = Case::new("4.18.3", Topology::HighlyAvailable).plan();
    assert!(plan.space_needed_bytes > 3 * (100 << 20) && plan.space_needed_bytes < 5 * (100 << 20));
}
