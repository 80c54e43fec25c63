use super::input::PlanInput;
use super::*;
use crate::openshift::Topology;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::process::Command;

const NODES: [&str; 3] = ["master-0", "master-1", "master-2"];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_730_516_400, 0).expect("is in range")
}

struct Case {
    version: &'static str,
    topology: Topology,
    age_days: i64,
    encryption: Encryption,
    nodes: Vec<String>,
    kuberesources_bytes: Option<u64>,
}

impl Case {
    fn new(version: &'static str, topology: Topology) -> Self {
        Self {
            version,
            topology,
            age_days: 1,
            encryption: Encryption::None,
            nodes: NODES.map(str::to_owned).to_vec(),
            kuberesources_bytes: Some(76_345),
        }
    }

    fn plan(&self) -> Plan {
        plan(&PlanInput {
            version: self.version,
            topology: Some(&self.topology),
            staged_directory: Some(Path::new("/srv/it's here")),
            backup_id: Some("3f9c1a2b7d10"),
            snapshot_bytes: 100 << 20,
            kuberesources_bytes: self.kuberesources_bytes,
            has_trailer: true,
            control_plane_nodes: &self.nodes,
            recovery_node: self.nodes.first().map(String::as_str),
            taken_at: Some(now() - TimeDelta::days(self.age_days)),
            now: now(),
            encryption: self.encryption,
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
            "{}\n    {}",
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
        "scp -rp -- '/srv/it'\\''s here' core@master-0:/home/core/assets/backup",
        "manifests/etcd-pod.yaml",
        "sudo mv -v /var/lib/etcd/ /tmp",
        "sudo -E /usr/local/bin/cluster-restore.sh /home/core/assets/backup",
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
        "cluster-restore.sh /home/core/assets/backup",
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
    for (days, warning, has_pki_step) in [
        (1, "", false),
        (16, "16 days old: some", true),
        (31, "31 days old: every", true),
    ] {
        let mut case = Case::new("4.18.3", Topology::HighlyAvailable);
        case.age_days = days;
        assert!(case.text().contains(warning), "{days}");
        assert_eq!(
            case.text().contains("days old"),
            !warning.is_empty(),
            "{days}"
        );
        assert_eq!(
            position(&case.plan(), "/var/lib/kubelet/pki").is_some(),
            has_pki_step,
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
    let rows = [
        (
            "4.17.3",
            Encryption::Keys,
            "keys come back with the kuberesources",
        ),
        ("4.18.3", Encryption::Keys, "present encryption-config"),
        ("4.18.3", Encryption::Kms, "KMS"),
    ];
    for (version, encryption, expected) in rows {
        let mut case = Case::new(version, Topology::HighlyAvailable);
        assert!(!case.text().contains("encrypted"), "{version}");
        case.encryption = encryption;
        assert!(case.text().contains(expected), "{version} {encryption:?}");
    }
}

#[test]
fn names_that_a_shell_would_obey_reach_no_command() {
    let mut case = Case::new("4.16.7", Topology::HighlyAvailable);
    case.nodes = ["$(reboot)", "a b", "x;y", "-oProxyCommand=z", "a\nb", ""]
        .map(str::to_owned)
        .to_vec();
    let plan = case.plan();
    for step in &plan.steps {
        let command = step.command.as_deref().unwrap_or_default();
        for name in case.nodes.iter().filter(|name| !name.is_empty()) {
            assert!(
                !command.contains(name.as_str()) && !step.text.contains(name.as_str()),
                "{step:?}"
            );
        }
    }
}

#[test]
fn every_command_is_one_that_a_shell_can_read() -> Result<(), Box<dyn std::error::Error>> {
    let topologies = [
        Topology::HighlyAvailable,
        Topology::SingleReplica,
        Topology::DualReplica,
    ];
    for topology in topologies {
        for version in ["4.10.0", "4.16.7", "4.18.3", "4.22.0"] {
            for step in Case::new(version, topology.clone()).plan().steps {
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
