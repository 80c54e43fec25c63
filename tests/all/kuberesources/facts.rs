//! What whole archives tell, and what is missing from others.

use crate::kuberesources::build::{archive, configuration, file, member, pod, sound_members};
use crate::kuberesources::{codes, learn, text};
use etcd_cat::finding::Severity;

/// Every sample that a script made is read without a finding, and opens what its snapshot holds.
#[test]
fn samples_are_sound() {
    let mut samples = 0;
    for entry in walkdir::WalkDir::new("testdata/backups")
        .into_iter()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy();
        if !name.starts_with("static_kuberesources_") {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("sample is readable");
        let (facts, ring) = learn(&bytes);
        assert_eq!(codes(&facts), [""; 0], "{name}: {}", text(&facts));
        assert_eq!(facts.revisions.len(), 4, "{name}");
        assert!(
            facts
                .node
                .is_some_and(|node| facts.control_plane_nodes.contains(&node)),
            "{name}"
        );
        assert!(
            facts.infrastructure_name.is_some() && facts.api_server_internal_url.is_some(),
            "{name}"
        );
        assert!(
            !facts.certificates.is_empty() && !facts.etcd_endpoints.is_empty(),
            "{name}"
        );
        assert_eq!(facts.encryption_expected, ring.is_some(), "{name}");
        samples += 1;
    }
    // There are none in a package without its test data.
    assert!(samples > 0 || !std::path::Path::new("testdata").exists());
}

#[test]
fn a_sound_archive_tells_its_facts_and_nothing_else() {
    let (facts, ring) = learn(&archive(&sound_members("")));
    assert_eq!(codes(&facts), [""; 0], "{}", text(&facts));
    assert_eq!(
        facts.revisions.values().copied().collect::<Vec<_>>(),
        [7, 7, 7, 7]
    );
    assert_eq!(facts.node.as_deref(), Some("master-0"));
    assert!(facts.encryption_expected);
    let providers = facts.encryption.expect("there is a configuration");
    assert_eq!(
        providers
            .first()
            .map(|p| (p.provider.as_str(), p.key_name.as_str())),
        Some(("aescbc", "7"))
    );
    assert_eq!(format!("{ring:?}"), "Some(KeyRing(1 entries, 2 providers))");
}

#[test]
fn what_the_restore_would_stumble_over_is_incomplete() {
    struct Row {
        name: &'static str,
        members: Vec<Vec<u8>>,
        expected: &'static str,
    }
    let without = |word: &str| {
        let keeps = |member: &Vec<u8>| {
            !String::from_utf8_lossy(member.get(..100).expect("a header")).contains(word)
        };
        sound_members("")
            .into_iter()
            .filter(keeps)
            .collect::<Vec<_>>()
    };
    let with = |extra: Vec<u8>| [sound_members(""), vec![extra]].concat();
    let rows = [
        Row {
            name: "dot names",
            members: sound_members("./"),
            expected: "begin with ./",
        },
        Row {
            name: "no etcd",
            members: without("etcd-pod.yaml"),
            expected: "etcd-pod-<revision> is not in",
        },
        Row {
            name: "no manifest",
            members: [
                without("scheduler"),
                vec![file("static-pod-resources/kube-scheduler-pod-3/x", "")],
            ]
            .concat(),
            expected: "kube-scheduler-pod-3/kube-scheduler-pod.yaml is not in",
        },
        Row {
            name: "manifest is no pod",
            members: [
                without("scheduler"),
                vec![file(
                    "static-pod-resources/kube-scheduler-pod-3/kube-scheduler-pod.yaml",
                    "{]",
                )],
            ]
            .concat(),
            expected: "text is not understood",
        },
        Row {
            name: "two revisions",
            members: with(file(
                "static-pod-resources/etcd-pod-8/etcd-pod.yaml",
                &pod(8),
            )),
            expected: "2 revision directories of etcd (7, 8)",
        },
        Row {
            name: "revisions disagree",
            members: [
                without("scheduler"),
                vec![file(
                    "static-pod-resources/kube-scheduler-pod-3/kube-scheduler-pod.yaml",
                    &pod(4),
                )],
            ]
            .concat(),
            expected: "says revision 4, its directory says 3",
        },
    ];
    for Row {
        name,
        members,
        expected,
    } in rows
    {
        let (facts, _) = learn(&archive(&members));
        assert!(
            codes(&facts).contains(&"kuberesources-incomplete"),
            "{name}"
        );
        assert!(text(&facts).contains(expected), "{name}: {}", text(&facts));
    }
}

#[test]
fn keys_that_are_expected_and_not_there_are_missed() {
    let mut members = sound_members("");
    members.pop();
    let (facts, ring) = learn(&archive(&members));
    assert_eq!(codes(&facts), ["encryption-config-missing"]);
    assert!(ring.is_none() && facts.encryption.is_none());

    let broken = configuration().replace("\"secret\":", "\"secret\":7,\"x\":");
    members.push(file(
        "static-pod-resources/kube-apiserver-pod-7/secrets/encryption-config/encryption-config",
        &broken,
    ));
    let (facts, ring) = learn(&archive(&members));
    assert_eq!(
        codes(&facts),
        ["encryption-config-missing"],
        "{}",
        text(&facts)
    );
    assert!(ring.is_none());
}

#[test]
fn the_whole_backup_of_4_3_0_in_one_file_is_recognised() {
    let members = [
        sound_members("").into_iter().take(1).collect(),
        vec![file("snapshot.db", "bytes")],
    ]
    .concat();
    let (facts, _) = learn(&archive(&members));
    assert_eq!(facts.findings.len(), 1, "{}", text(&facts));
    assert_eq!(
        facts.findings.first().map(|finding| finding.severity),
        Some(Severity::Info)
    );
}

#[test]
fn long_names_of_gnu_and_pax_are_followed() {
    let long = format!(
        "static-pod-resources/etcd-pod-7/secrets/etcd-all-certs/etcd-peer-{}.crt",
        "a".repeat(60)
    );
    let record = |body: String| format!("{} {body}", body.len() + 4);
    let pax = record(format!("path={}\n", long.replace("peer-a", "peer-b")));
    let mut members = sound_members("");
    members.extend([
        member("././@LongLink", b'L', "", format!("{long}\0").as_bytes()),
        file("cut", ""),
        member("pax", b'x', "", pax.as_bytes()),
        file("cut", ""),
    ]);
    let (facts, _) = learn(&archive(&members));
    assert_eq!(codes(&facts), [""; 0], "{}", text(&facts));
    assert_eq!(
        facts.control_plane_nodes.len(),
        3,
        "{:?}",
        facts.control_plane_nodes
    );
}

/// Unpacking overwrites: what lies on the disk in the end is the last one of each name.
#[test]
fn of_a_member_that_comes_twice_the_last_one_counts() {
    let config =
        "static-pod-resources/kube-apiserver-pod-7/secrets/encryption-config/encryption-config";
    let other = configuration().replace("\"name\":\"7\"", "\"name\":\"9\"");
    let key_names = |first: &str, second: &str, spelt: &str| {
        let mut members = sound_members("");
        members.retain(|member| !member.starts_with(config.as_bytes()));
        members.push(file(config, first));
        members.push(file(spelt, second));
        let (facts, _) = learn(&archive(&members));
        let providers = facts.encryption.unwrap_or_default().into_iter();
        let named = providers.filter(|provider| !provider.key_name.is_empty());
        named.map(|provider| provider.key_name).collect::<Vec<_>>()
    };
    assert_eq!(key_names(&configuration(), &other, config), ["9"]);
    assert_eq!(key_names(&other, &configuration(), config), ["7"]);
    let spelt = config.replace("/secrets/", "//secrets/./");
    assert_eq!(key_names(&configuration(), &other, &spelt), ["9"]);
    // A damaged one behind a sound one is what the host would have.
    let manifest = "static-pod-resources/etcd-pod-7/etcd-pod.yaml";
    let mut members = sound_members("");
    members.push(file(manifest, "{"));
    let (facts, _) = learn(&archive(&members));
    assert!(
        codes(&facts).contains(&"kuberesources-incomplete"),
        "{}",
        text(&facts)
    );
    let mut members = sound_members("");
    members.insert(0, file(manifest, "{"));
    let (facts, _) = learn(&archive(&members));
    assert_eq!(codes(&facts), [""; 0], "{}", text(&facts));
}
