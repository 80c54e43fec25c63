//! What two snapshots of one cluster do not have in common, as their README has it.

use super::clusters::{put, run, text};
use crate::cli::environment::TestEnv;
use serde_json::Value;

/// Sign, and the name as `-o name` has it.
pub(super) const EXPECTED: [&str; 16] = [
    "+ namespace/team-b",
    "+ persistentvolume/pv-new",
    "+ secret/shop/new-secret",
    "+ widget.example.com/team-b/x0",
    "+ widget.example.com/team-b/x1",
    "+ widget.example.com/team-b/x2",
    "+ widget.example.com/team-b/x3",
    "+ widget.example.com/team-b/x4",
    "- configmap/shop/settings",
    "- node/worker-2",
    "- widget.example.com/team-a/w6",
    "- widget.example.com/team-a/w7",
    "- widget.example.com/team-a/w8",
    "~ deployment.apps/shop/web",
    "~ lease.coordination.k8s.io/kube-system/apiserver-wlv32tlttr4jl3gtroqexyxapa",
    "~ persistentvolume/pv-local",
];

fn both(env: &TestEnv) -> [String; 2] {
    ["prod-421", "prod-421-later"].map(|cluster| put(env, cluster))
}

#[test]
fn a_diff_names_exactly_what_came_went_and_changed() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let page = run(&env, &["diff", &from, &to, "--names"])
        .ends_with(0)
        .stdout;
    let is_name = |line: &&str| line.starts_with(['+', '-', '~']);
    let mut names: Vec<&str> = page.lines().filter(is_name).collect();
    names.sort_unstable();
    assert_eq!(names, EXPECTED);
    assert!(page.contains("8 added, 5 removed, 3 changed"), "{page}");
    for line in [
        "  lose volumes and claims: persistentvolume/pv-new\n",
        "  turn back volumes and claims: persistentvolume/pv-local\n",
        "  bring back machines and nodes: node/worker-2\n",
        "  lose other secrets: secret/shop/new-secret\n",
    ] {
        assert!(page.contains(line), "{page}");
    }
    let short = run(&env, &["diff", &from, &to]).ends_with(0).stdout;
    assert!(!short.lines().any(|line| is_name(&line)), "{short}");
}

#[test]
fn the_document_has_the_same() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let told: Value = run(&env, &["diff", &from, &to, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(text(&told, "/kind"), "Difference");
    assert_eq!(
        told["summary"],
        serde_json::json!({"added": 8, "removed": 5, "changed": 3})
    );
    assert_eq!(told["items"].as_array().map(Vec::len), Some(EXPECTED.len()));
    assert_eq!(told["sameCluster"], true);
    let back: Value = run(&env, &["diff", &to, &from, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(
        back["summary"],
        serde_json::json!({"added": 5, "removed": 8, "changed": 3})
    );
    let same: Value = run(&env, &["diff", &from, &from, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(same["items"], serde_json::json!([]));
}

#[test]
fn one_object_is_a_unified_diff() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let diff = |kind: &str, name: &str| run(&env, &["diff", &from, &to, "--object", kind, name]);
    let changed = diff("deploy", "shop/web").ends_with(0).stdout;
    assert!(
        changed.starts_with("--- ") && changed.contains("\n@@ "),
        "{changed}"
    );
    let gone = diff("cm", "shop/settings").ends_with(0).stdout;
    assert!(
        gone.contains("-kind: ConfigMap\n") && !gone.contains("\n+kind"),
        "{gone}"
    );
    let secret = diff("secret", "shop/new-secret").ends_with(0).stdout;
    assert!(secret.contains("<masked #1"), "{secret}");
    let same = diff("ns", "shop").ends_with(0).stdout;
    assert_eq!(same, "");
    let neither = diff("ns", "nowhere").ends_with(1);
    assert!(neither.stderr.contains("in neither"), "{neither:?}");
}

/// The same values under another key are the same values.
#[test]
fn secrets_are_compared_once_they_are_opened() {
    let env = TestEnv::new();
    let snapshot = put(&env, "cbc-421");
    let told: Value = run(&env, &["diff", &snapshot, &snapshot, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(told["items"], serde_json::json!([]));
}
