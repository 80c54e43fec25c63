//! What the commands say, and how they end.

use super::clusters::{put, run, text};
use crate::cli::environment::{Ran, SOON as BEFORE, TestEnv};
use serde_json::Value;

#[test]
fn a_bare_ls_names_list() {
    let env = TestEnv::new();
    let ran = env.run(&["ls"]).ends_with(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("etcd-cat list"), "{ran:?}");
}

#[test]
fn kinds_are_counted_as_they_are() {
    let env = TestEnv::new();
    let snapshot = put(&env, "prod-421");
    let list: Value = run(&env, &["ls", &snapshot, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(
        (text(&list, "/kind"), text(&list, "/listed")),
        ("ObjectList", "kinds")
    );
    let items = list["items"].as_array().expect("is a list");
    let objects: u64 = items.iter().filter_map(|one| one["objects"].as_u64()).sum();
    // One key is no object.
    assert!((525..=526).contains(&objects), "{objects}");
    let of = |resource: &str| {
        let mut items = items.iter();
        let found = items.find(|one| one["resource"] == resource);
        found
            .unwrap_or_else(|| panic!("{resource} is not told"))
            .clone()
    };
    let expected = [
        ("secrets", "Secret", 9),
        ("widgets", "Widget", 10),
        ("routes", "Route", 2),
    ];
    for (resource, kind, count) in expected {
        let row = of(resource);
        assert_eq!(
            (text(&row, "/kind"), &row["objects"]),
            (kind, &count.into()),
            "{row}"
        );
    }
    assert_eq!(of("secrets")["revision"], 796);
    assert!(
        of("secrets")["share"]
            .as_f64()
            .is_some_and(|share| (0.005..0.008).contains(&share))
    );
}

#[test]
fn objects_are_found_by_any_name_namespace_pattern_and_label() {
    let env = TestEnv::new();
    let snapshot = put(&env, "prod-421");
    let names = |arguments: &[&str]| {
        let all = [&["ls", &snapshot], arguments, &["-o", "name"]].concat();
        run(&env, &all).ends_with(0).stdout
    };
    assert_eq!(
        names(&["deploy", "-n", "shop"]),
        "deployment.apps/shop/web\n"
    );
    assert_eq!(
        names(&["deployments.apps", "w*"]),
        "deployment.apps/shop/web\n"
    );
    assert_eq!(
        names(&["deployments", "-l", "app=shop"]),
        "deployment.apps/shop/web\n"
    );
    assert_eq!(names(&["deployments", "-l", "app!=shop"]), "");
    assert_eq!(names(&["no", "worker-2"]), "node/worker-2\n");
    assert_eq!(
        names(&["widget", "-n", "team-a", "w[6]", "w6", "w?"])
            .lines()
            .count(),
        8
    );
    let none = run(&env, &["ls", &snapshot, "pods", "-n", "nowhere"]).ends_with(0);
    assert!(
        none.stderr.contains("no pods found in namespace nowhere"),
        "{none:?}"
    );
    let unknown = run(&env, &["ls", &snapshot, "gizmos", "-o", "json"]).ends_with(2);
    assert_eq!(unknown.error()["code"], "usage", "{unknown:?}");
}

/// Only the definitions tell what a short name means, and they are read with everything else.
#[test]
fn a_short_name_of_a_custom_resource_is_found_in_a_second_pass() {
    let env = TestEnv::new();
    let snapshot = put(&env, "prod-421");
    let names = |word: &str| {
        let ran = run(&env, &["ls", &snapshot, word, "-o", "name"]);
        ran.ends_with(0).stdout
    };
    let operators = names("co");
    assert_eq!(operators.lines().count(), 6, "{operators}");
    assert_eq!(operators, names("clusteroperators.config.openshift.io"));
    let get = ["get", &snapshot, "co", "etcd", "-o", "json"];
    let one: Value = run(&env, &get).ends_with(0).json();
    assert_eq!(
        (text(&one, "/kind"), text(&one, "/metadata/name")),
        ("ClusterOperator", "etcd")
    );
    // Nothing is of this kind; it is known all the same.
    let none = run(&env, &["ls", &snapshot, "mcp"]).ends_with(0);
    assert!(
        none.stderr
            .contains("no machineconfigpools.machineconfiguration.openshift.io found"),
        "{none:?}"
    );
}

#[test]
fn one_object_is_itself_and_several_are_a_list() {
    let env = TestEnv::new();
    let snapshot = put(&env, "prod-421");
    let get = |arguments: &[&str]| -> Ran {
        let all = [&["get", &snapshot], arguments].concat();
        run(&env, &all)
    };
    let one: Value = get(&["deploy", "-n", "shop", "web", "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(text(&one, "/kind"), "Deployment");
    assert_eq!(text(&one, "/metadata/resourceVersion"), "790");
    let yaml = get(&["deploy/web"]).ends_with(0).stdout;
    assert!(
        yaml.starts_with("apiVersion: apps/v1\nkind: Deployment\n"),
        "{yaml}"
    );
    assert_eq!(get(&["deployment.apps/shop/web"]).ends_with(0).stdout, yaml);
    let clean = get(&["deploy", "web", "--clean"]).ends_with(0).stdout;
    for word in [
        "managedFields",
        "uid:",
        "resourceVersion",
        "status:",
        "creationTimestamp: \"",
    ] {
        assert!(yaml.contains(word) && !clean.contains(word), "{word}");
    }
    let list: Value = get(&["deploy", "-A", "-o", "json"]).ends_with(0).json();
    assert_eq!(text(&list, "/kind"), "List");
    let some = get(&["cm,secrets", "-n", "shop", "-o", "name"])
        .ends_with(0)
        .stdout;
    assert!(some.contains("configmap/shop/settings\n"), "{some}");
    let missing = get(&["deploy", "-n", "shop", "nosuch", "-o", "json"]).ends_with(1);
    assert_eq!(missing.error()["code"], "not-found", "{missing:?}");
    assert_eq!(missing.stdout, "");
    let ambiguous = get(&["cm", "kube-root-ca.crt"]).ends_with(2);
    assert!(ambiguous.stderr.contains("    shop\n"), "{ambiguous:?}");
    let future = get(&["deploy", "web", "--revision", "100000"]).ends_with(2);
    assert!(
        future.stderr.contains("later than the snapshot"),
        "{future:?}"
    );
    let gone = get(&["deploy", "web", "--revision", "5"]).ends_with(2);
    assert!(gone.stderr.contains("compacted"), "{gone:?}");
}

#[test]
fn secrets_are_masked_unless_they_go_to_a_pipe_on_purpose() {
    for cluster in ["prod-421", "cbc-421", "gcm-421"] {
        let env = TestEnv::new();
        let snapshot = put(&env, cluster);
        let get = [
            "get",
            &snapshot,
            "secret",
            "-n",
            "shop",
            "db-password",
            "-o",
            "json",
        ];
        let masked: Value = run(&env, &get).ends_with(0).json();
        let shown: Value = run(&env, &[&get[..], &["--show-secrets"]].concat()).json();
        let data = |object: &Value| object["data"].as_object().expect("is there").clone();
        for (name, value) in data(&masked) {
            let value = value.as_str().unwrap_or_default();
            assert!(value.starts_with("<masked #"), "{cluster}: {name}: {value}");
            assert_ne!(data(&shown)[&name], value);
        }
    }
}

#[test]
fn keys_that_lie_apart_are_taken_where_they_are_named() {
    let env = TestEnv::new();
    let snapshot = put(&env, "cbc-421");
    let archive = "cbc-421/static_kuberesources_2026-11-28_060000.tar.gz";
    std::fs::create_dir(env.path("keys")).expect("made");
    std::fs::rename(env.path(archive), env.path("keys/keys.tar.gz")).expect("moved");
    let get = ["get", &snapshot, "secret", "-n", "shop", "db-password"];
    let sealed = run(&env, &get).ends_with(1);
    assert!(
        sealed.stdout.is_empty() && sealed.stderr.contains("encrypted"),
        "{sealed:?}"
    );
    assert!(sealed.stderr.contains("--keys"), "{sealed:?}");
    let keys = env.text("keys");
    let opened = run(&env, &[&get[..], &["--keys", &keys]].concat()).ends_with(0);
    assert!(opened.stdout.contains("<masked #1"), "{opened:?}");
}

#[test]
fn nothing_is_shown_of_a_file_that_is_not_proven() {
    let env = TestEnv::new();
    let snapshot = put(&env, "prod-421");
    let mut bytes = std::fs::read(&snapshot).expect("our own");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&snapshot, bytes).expect("our own");
    for arguments in [
        &["ls", &snapshot][..],
        &["ls", &snapshot, "pods"],
        &["get", &snapshot, "deploy", "web"],
        &["history", &snapshot, "deploy", "web"],
    ] {
        let refused = run(&env, &[arguments, &["-o", "json"]].concat()).ends_with(1);
        assert_eq!(refused.stdout, "", "{arguments:?}");
        assert_eq!(refused.error()["code"], "unproven", "{refused:?}");
        assert!(refused.stderr.contains("digest-mismatch"), "{refused:?}");
        let shown = run(&env, &[arguments, &["--unverified"]].concat()).ends_with(0);
        assert!(!shown.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_backup_of_the_catalogue_is_looked_into_with_its_own_keys() {
    let env = TestEnv::indexed();
    let get = ["get", "latest", "secrets", "-A", "-o", "json"];
    let list: Value = env.run(&get).ends_with(0).json();
    let items = list["items"].as_array().expect("is a list");
    assert!(items.len() > 3, "{}", items.len());
    let by_id = env
        .run(&["ls", "27be558ad3a9", "routes", "-o", "name"])
        .ends_with(0);
    assert!(
        by_id.stdout.contains("route.route.openshift.io/"),
        "{by_id:?}"
    );
    let routes: Value = env
        .run(&[
            "get",
            "latest-valid",
            "routes",
            "-o",
            "json",
            "--as-of",
            BEFORE,
        ])
        .ends_with(0)
        .json();
    assert!(!routes["items"].as_array().expect("is a list").is_empty());
}

#[test]
fn the_largest_and_the_most_written_are_told() {
    let env = TestEnv::new();
    let snapshot = put(&env, "prod-421");
    let list: Value = run(&env, &["ls", &snapshot, "--size", "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(text(&list, "/listed"), "largest");
    let sizes = list["items"].as_array().expect("is a list").iter();
    let sizes: Vec<u64> = sizes.filter_map(|one| one["sizeBytes"].as_u64()).collect();
    assert!(sizes.len() == 100 && sizes.is_sorted_by(|one, next| one >= next));
    assert_eq!(text(&list, "/mostWritten/0/name"), "web", "{list}");
    assert_eq!(list["mostWritten"][0]["version"], 36);
}
