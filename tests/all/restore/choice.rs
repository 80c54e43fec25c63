//! Of many clusters and versions the right backup is chosen, and the others are explained.

use crate::restore::Tree;
use crate::restore::tree::{Run, text};
use crate::support::read;
use crate::support::samples::bytes;
use serde_json::Value;

const PROD: &str = "prod-7xk2p";

fn chosen(tree: &Tree, arguments: &[&str]) -> (Option<i32>, Value) {
    let run = tree.run(&[&["check", "-o", "json"], arguments].concat());
    (run.code, run.json())
}

fn chosen_path(document: &Value) -> &str {
    let path = document["chosen"]["snapshot"]["path"].as_str();
    path.unwrap_or_else(|| panic!("{document:#}"))
}

fn near_misses(document: &Value) -> Vec<String> {
    let misses = document["nearMisses"].as_array().expect("a list");
    let text = |miss: &Value| miss["text"].as_str().expect("a text").to_owned();
    misses.iter().map(text).collect()
}

#[test]
fn the_newest_that_qualifies_is_chosen_for_each_version_and_cluster() {
    let tree = Tree::samples();
    tree.index();
    let rows = [
        (
            "4.17.3",
            PROD,
            "prod-master-1/snapshot_2024-11-09_030400.db",
        ),
        ("4.17.3", "edge", "secretbox/snapshot_2024-11-07_030000.db"),
        ("4.17.2", PROD, "prod/snapshot_2024-10-20_030000.db"),
        ("4.17.30", "edge", "edge/snapshot_2024-11-02_030000.db"),
        ("4.17.3-rc.1", "edge", "edge/snapshot_2024-09-15_120000.db"),
        ("4.21.1", "vault", "kms/snapshot_2024-11-08_030000.db"),
    ];
    for (version, cluster, expected) in rows {
        let (code, document) = chosen(&tree, &["--valid-for", version, "--cluster", cluster]);
        assert_eq!(code, Some(0), "{version} {cluster}: {document:#}");
        assert_eq!(document["restorable"], true);
        assert!(
            chosen_path(&document).ends_with(expected),
            "{version} {cluster}: {}",
            chosen_path(&document)
        );
        let plan = document["plan"].as_array().expect("a list");
        assert!(
            plan.iter().any(|line| line
                .as_str()
                .is_some_and(|line| line.contains("cluster-restore.sh"))),
            "{version} {cluster}: {plan:#?}"
        );
        assert!(document["spaceNeededBytes"].as_u64() > Some(1 << 20));
        assert!(
            document["warnings"][0]
                .as_str()
                .is_some_and(|line| line.contains("destructive")),
            "{document:#}"
        );
    }
}

#[test]
fn several_clusters_without_a_name_are_listed() {
    let tree = Tree::samples();
    for locations in [&[][..], &[text(&tree.root())]] {
        tree.index();
        let run = tree.run(&[&["check", "--valid-for", "4.17.3"], locations].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
        for part in ["edge-q9w4z", PROD, "--cluster edge-q9w4z"] {
            assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
        }
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn the_answer_names_the_moment_the_reason_the_loss_and_the_others() {
    let tree = Tree::samples();
    tree.index();
    let arguments = ["check", "--valid-for", "4.17.3", "--cluster", PROD];
    let run = tree.run_as_of("2024-11-10T00:00:00Z", &arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    let (headline, rest) = run.stdout.split_once('\n').expect("lines");
    assert!(headline.starts_with("YES: "), "{headline}");
    assert!(
        headline.ends_with(", taken 2024-11-09 03:04 (20 h of changes are lost)"),
        "{headline}"
    );
    for part in [
        "Why this one: the newest that qualifies, and without a risk.",
        "\nALSO QUALIFY\n",
        " older",
        "of other clusters: edge-q9w4z",
    ] {
        assert!(rest.contains(part), "{part}: {rest}");
    }
    let (_, document) = chosen(&tree, &["--valid-for", "4.17.3", "--cluster", PROD]);
    assert_eq!(
        document["whyChosen"],
        "the newest that qualifies, and without a risk"
    );
    assert!(document["lostSeconds"].as_i64() > Some(0), "{document:#}");
    let others = document["alternatives"].as_array().expect("a list");
    let newer_by: Vec<_> = others
        .iter()
        .map(|one| one["newerBySeconds"].as_i64())
        .collect();
    assert!(
        newer_by.iter().all(|by| *by < Some(0))
            && newer_by.is_sorted_by(|left, right| left >= right),
        "{newer_by:?}"
    );
    assert!(others.iter().all(|one| one["risks"].is_array()));
}

/// Two backups of one cluster and version.
fn two_weeks() -> Tree {
    let tree = Tree::new();
    tree.pair(
        "prod/snapshot_2024-11-02_030000.db",
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "first",
    );
    tree.pair(
        "prod/snapshot_2024-11-09_030000.db",
        "keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "second",
    );
    tree
}

#[test]
fn a_list_for_a_version_keeps_its_order_and_marks_the_recommendation() {
    let tree = two_weeks();
    tree.index();
    let run = tree.run(&["list", "--valid-for", "4.17.3"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let marked: Vec<bool> = run
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.starts_with('*'))
        .collect();
    assert_eq!(marked, [true, false], "{}", run.stdout);
    assert!(
        run.stderr.contains("* is what etcd-cat check recommends"),
        "{run:?}"
    );
    let list = tree
        .run(&["list", "--valid-for", "4.17.3", "-o", "json"])
        .json();
    assert_eq!(list["items"][0]["recommended"], true, "{list:#}");
    assert_eq!(list["items"][1]["recommended"], false, "{list:#}");
    let list = tree.run(&["list", "-o", "json"]).json();
    assert_eq!(list["items"][0]["recommended"], Value::Null, "{list:#}");
}

#[test]
fn a_risk_that_cannot_be_avoided_is_named() {
    let tree = Tree::new();
    tree.pair(
        "alarm/snapshot_2024-11-06_030000.db",
        "alarm/static_kuberesources_2024-11-06_030000.tar.gz",
        "one",
    );
    let root = tree.root();
    let (_, document) = chosen(&tree, &["--valid-for", "4.17.3", text(&root)]);
    assert_eq!(
        document["whyChosen"],
        "the only one that qualifies, in spite of alarm-raised"
    );
}

#[test]
fn without_a_version_the_known_ones_are_told_for_each_cluster() {
    let tree = Tree::samples();
    tree.index();
    let root = tree.root();
    for arguments in [&["check"][..], &["check", text(&root), "--no-catalogue"]] {
        let run = tree.run(arguments);
        assert_eq!(run.code, Some(2), "{run:?}");
        for part in [
            "no version is given to restore, expected --valid-for VERSION; known are\n",
            "    prod-7xk2p (",
            "): 4.17.3 (",
            ", 4.17.2 (",
            "    edge-q9w4z (",
            "check --from-cluster",
        ] {
            assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
        }
    }
    let run = tree.run(&["check", "--cluster", "edge"]);
    assert!(!run.stderr.contains(PROD), "{}", run.stderr);
}

#[test]
fn latest_is_refused_where_several_clusters_could_be_meant() {
    let tree = Tree::samples();
    tree.index();
    for reference in ["latest", "latest-valid"] {
        let run = tree.run(&["show", reference]);
        assert_eq!(run.code, Some(2), "{run:?}");
        for part in ["could be of ", PROD, "edge-q9w4z"] {
            assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
        }
    }
}

#[test]
fn each_near_miss_says_why_nearest_first() {
    let tree = Tree::samples();
    tree.index();
    let (code, document) = chosen(&tree, &["--valid-for", "4.17.4", "--cluster", PROD]);
    assert_eq!(
        (code, &document["restorable"]),
        (Some(1), &Value::Bool(false))
    );
    assert_eq!(
        near_misses(&document),
        [
            "4.17.3: other z-stream",
            "4.17.2 to 4.17.3: taken in the middle of the upgrade",
            "4.17.2: other z-stream",
        ]
    );
    assert_eq!(document["nearMisses"][0]["alike"], 4);
    let (_, document) = chosen(&tree, &["--valid-for", "4.17.3", "--cluster", "fresh"]);
    let misses = near_misses(&document);
    assert_eq!(misses.len(), 1, "{misses:?}");
    assert!(
        misses[0].starts_with("4.17.3: taken 6 h 7 s after the cluster was installed"),
        "{misses:?}"
    );
    let (_, document) = chosen(&tree, &["--valid-for", "4.8.14", "--cluster", "lab"]);
    let misses = near_misses(&document);
    assert!(
        misses[0].starts_with("4.8.14: kube-apiserver-to-kubelet-signer expired on 2022-08-05"),
        "{misses:?}"
    );
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let tree = Tree::new();
    // The archive of the unencrypted days holds no key 7.
    tree.copy(
        "prod/snapshot_2024-11-02_030000.db",
        "snapshot_2024-11-02_030000.db",
    );
    tree.copy(
        "prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "static_kuberesources_2024-11-02_030000.tar.gz",
    );
    tree.copy(
        "prod/snapshot_2024-10-20_030000.db",
        "old/snapshot_2024-10-20_030000.db",
    );
    let root = tree.root();
    let run = tree.run(&["check", "--valid-for", "4.17.3", text(&root)]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for part in [
        "NO: none of 2 backups qualifies for 4.17.3",
        "4.17.3: ",
        "4.17.2: other z-stream",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn bytes_are_proven_again_and_the_next_best_takes_over() {
    let tree = Tree::samples();
    tree.index();
    let newest = tree
        .root()
        .join("prod-master-1/snapshot_2024-11-09_030400.db");
    let before = std::fs::metadata(&newest).and_then(|metadata| metadata.modified());
    let mut content = std::fs::read(&newest).expect("it is there");
    content[300_000] ^= 1;
    std::fs::write(&newest, &content).expect("it can be written");
    // A disk that rots changes no attribute.
    let file = std::fs::File::options()
        .write(true)
        .open(&newest)
        .expect("it is there");
    file.set_modified(before.expect("a time"))
        .expect("times can be set");
    let (code, document) = chosen(&tree, &["--valid-for", "4.17.3", "--cluster", PROD]);
    assert_eq!(code, Some(0), "{document:#}");
    assert!(chosen_path(&document).ends_with("prod/snapshot_2024-11-09_030000.db"));
    let misses = near_misses(&document);
    assert!(misses[0].contains("4.17.3: "), "{misses:?}");
}

#[test]
fn a_rotten_kuberesources_is_found_by_the_check_too() {
    let tree = Tree::samples();
    tree.index();
    let archive = tree
        .root()
        .join("keys/secretbox/static_kuberesources_2024-11-07_030000.tar.gz");
    let before = std::fs::metadata(&archive).and_then(|metadata| metadata.modified());
    let mut content = std::fs::read(&archive).expect("it is there");
    let middle = content.len() / 2;
    content[middle] ^= 0x10;
    std::fs::write(&archive, &content).expect("it can be written");
    let file = std::fs::File::options()
        .write(true)
        .open(&archive)
        .expect("it is there");
    file.set_modified(before.expect("a time"))
        .expect("times can be set");
    let (code, document) = chosen(&tree, &["--valid-for", "4.17.3", "--cluster", "edge"]);
    assert_eq!(code, Some(0), "{document:#}");
    assert!(chosen_path(&document).ends_with("alarm/snapshot_2024-11-06_030000.db"));
}

#[test]
fn what_arrived_since_the_last_index_is_found() {
    let tree = Tree::new();
    tree.pair(
        "prod/snapshot_2024-11-02_030000.db",
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "one",
    );
    tree.index();
    tree.pair(
        "prod/snapshot_2024-11-09_030000.db",
        "keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "two",
    );
    let (code, document) = chosen(&tree, &["--valid-for", "4.17.3"]);
    assert_eq!(code, Some(0));
    assert!(chosen_path(&document).ends_with("two/snapshot_2024-11-09_030000.db"));
}

#[test]
fn nothing_to_judge_is_a_no_with_a_way_on() {
    let tree = Tree::new();
    let run = tree.run(&["check", "--valid-for", "4.17.3"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stdout
            .starts_with("NO: there is no backup to judge for 4.17.3\n"),
        "{run:?}"
    );
}

#[test]
fn the_plan_is_the_one_of_the_release() {
    let tree = Tree::samples();
    let root = tree.root();
    // Single node, 4.17: nothing to stop elsewhere. Three nodes, 4.20: etcd alone.
    let rows = [
        ("4.17.3", "edge", "ovn-ic", "disable-etcd.sh"),
        (
            "4.20.8",
            "next",
            "disable-etcd.sh",
            "kube-apiserver-pod.yaml",
        ),
        ("4.17.3", PROD, "kube-apiserver-pod.yaml", "disable-etcd.sh"),
    ];
    for (version, cluster, expected, unexpected) in rows {
        let arguments = [
            "check",
            "--valid-for",
            version,
            "--cluster",
            cluster,
            text(&root),
        ];
        let run = tree.run(&arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stdout.contains(expected), "{version}: {}", run.stdout);
        assert!(
            !run.stdout.contains(unexpected),
            "{version}: {}",
            run.stdout
        );
        assert!(
            run.stdout.contains("free below /var"),
            "{version}: {}",
            run.stdout
        );
    }
}

#[test]
fn with_two_of_three_masters_lost_the_third_is_restored_on() {
    let tree = Tree::samples();
    let root = tree.root();
    let arguments = [
        "check",
        "--valid-for",
        "4.17.3",
        "--cluster",
        PROD,
        "--lost",
        "master-0",
        "--lost",
        "master-2",
        text(&root),
    ];
    let document = tree.run(&[&arguments[..], &["-o", "json"]].concat()).json();
    let steps = document["steps"].as_array().expect("a list");
    let at = |part: &str| {
        let holds = |step: &Value| {
            let command = step["command"].as_str();
            command.is_some_and(|command| command.contains(part))
        };
        steps.iter().position(holds)
    };
    assert_eq!(
        steps[at("cluster-restore.sh").expect("it is there")]["where"],
        "recovery host master-1"
    );
    let lost = [r#"nodeRef.name=="master-0""#, r#"nodeRef.name=="master-2""#];
    for part in lost {
        assert!(at(part) > at("cluster-restore.sh"), "{part}: {steps:#?}");
    }
    for part in ["manifests/etcd-pod.yaml", "nodeName==\"master-0\""] {
        assert_eq!(at(part), None, "{part}");
    }
    let run = tree.run(&[&arguments[..], &["--lost", "master-9"]].concat());
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr
            .contains("the backup knows master-0, master-1, master-2"),
        "{run:?}"
    );
}

#[test]
fn a_snapshot_knows_where_its_control_plane_is_and_no_workers() {
    let bytes = bytes("backups/prod/snapshot_2024-11-09_030000.db");
    let facts = read(&bytes).snapshot;
    let nodes = facts.cluster.control_plane.iter();
    let nodes: Vec<(&str, Option<&str>)> = nodes
        .map(|node| (node.name.as_str(), node.internal_address.as_deref()))
        .collect();
    let expected = [
        ("master-0", Some("127.0.1.10")),
        ("master-1", Some("127.0.1.11")),
        ("master-2", Some("127.0.1.12")),
    ];
    assert_eq!(nodes, expected);
    assert_eq!(facts.cluster.blocking_webhooks, []);
}

/// The command that the plan gives for staging, as words after the program.
fn staging_line(document: &Value) -> Vec<String> {
    let plan = document["plan"].as_array().expect("a list");
    let mut lines = plan.iter().filter_map(Value::as_str);
    let line = lines.find_map(|line| line.strip_prefix("etcd-cat "));
    let line = line.unwrap_or_else(|| panic!("{plan:#?}"));
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_staging_line_runs_as_it_stands_and_the_plan_keeps_its_numbers() {
    for options in [&[][..], &["--no-catalogue"]] {
        let tree = Tree::samples();
        let root = tree.root();
        let (_, document) = chosen(
            &tree,
            &[
                &["--valid-for", "4.17.3", "--cluster", PROD, text(&root)],
                options,
            ]
            .concat(),
        );
        let mut line = staging_line(&document);
        // The directory is put where the test may write.
        let to = tree.beside("staged");
        *line.last_mut().expect("words") = text(&to).to_owned();
        line.extend(["-o".to_owned(), "json".to_owned()]);
        let output = tree.command().args(&line).output();
        let run = Run::from(output.expect("the binary runs"));
        assert_eq!(run.code, Some(0), "{run:?}");
        let staged = run.json();
        assert_eq!(staged["id"], document["chosen"]["id"], "{staged:#}");
        let numbered = |document: &Value| -> Vec<(Value, bool)> {
            let steps = document["steps"].as_array().expect("a list");
            steps
                .iter()
                .map(|step| (step["where"].clone(), step["command"].is_null()))
                .collect()
        };
        let (mut before, after) = (numbered(&document), numbered(&staged));
        // What is done is no command any more.
        let done = before
            .iter()
            .zip(&after)
            .position(|(one, other)| one != other);
        before[done.expect("staging")].1 = true;
        assert_eq!(before, after);
        assert_eq!(staged["warnings"], document["warnings"]);
    }
}

#[test]
fn age_warns_of_renewed_certificates_and_adds_the_approval_of_requests() {
    let tree = Tree::samples();
    let root = tree.root();
    let arguments = [
        "check",
        "--valid-for",
        "4.17.3",
        "--cluster",
        PROD,
        text(&root),
    ];
    for (now, warning) in [
        ("2024-11-10T00:00:00Z", None),
        (
            "2024-11-28T00:00:00Z",
            Some("18 days old: some certificates"),
        ),
        (
            "2024-12-20T00:00:00Z",
            Some("40 days old: every 30-day certificate"),
        ),
    ] {
        let run = tree.run_as_of(now, &arguments);
        assert_eq!(run.code, Some(0), "{now}: {run:?}");
        match warning {
            Some(warning) => assert!(run.stdout.contains(warning), "{now}: {}", run.stdout),
            None => assert!(!run.stdout.contains("days old:"), "{now}: {}", run.stdout),
        }
        assert!(run.stdout.contains("oc get csr"), "{now}");
    }
}
