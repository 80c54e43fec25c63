//! Every object of every real cluster, through the command, as its API server gave it.

use super::clusters::{CLUSTERS, facts, get_all, identity, put, run, served, text};
use crate::cli::environment::TestEnv;
use crate::objects::equal::differences;
use serde_json::Value;
use std::collections::HashMap;

/// Kinds that API servers of these releases serve as `v1` and store as a beta.
fn is_stored_in_another_version(kind: &str) -> bool {
    matches!(
        kind,
        "DeviceClass" | "ResourceClaimTemplate" | "ResourceSlice" | "VolumeAttributesClass"
    )
}

/// Every kind of a snapshot, as one word.
fn kinds(env: &TestEnv, snapshot: &str) -> String {
    let ran = run(env, &["ls", snapshot, "-o", "name"]).ends_with(0);
    ran.stdout.lines().collect::<Vec<_>>().join(",")
}

#[test]
fn every_object_is_as_its_api_server_gave_it() {
    for cluster in CLUSTERS {
        let env = TestEnv::new();
        let snapshot = put(&env, cluster);
        let kinds = kinds(&env, &snapshot);
        let ran = get_all(&env, &snapshot, &kinds).ends_with(i32::from(cluster == "kms-421"));
        let list: Value = ran.json();
        assert_eq!(
            (text(&list, "/apiVersion"), text(&list, "/kind")),
            ("v1", "List")
        );
        let own = list["items"].as_array().expect("is a list").iter();
        let own: HashMap<[String; 4], &Value> =
            own.map(|object| (identity(object), object)).collect();
        let (mut compared, mut wrong) = (0, Vec::new());
        for expected in served(cluster) {
            // Events under their second group are the same objects again.
            if text(&expected, "/apiVersion").starts_with("events.k8s.io/") {
                continue;
            }
            let identity = identity(&expected);
            let Some(own) = own.get(&identity) else {
                let is_sealed =
                    cluster == "kms-421" && matches!(&*identity[1], "Secret" | "ConfigMap");
                assert!(is_sealed, "{cluster}: {identity:?} is not told");
                continue;
            };
            compared += 1;
            let mut own: Value = (*own).clone();
            if is_stored_in_another_version(&identity[1]) {
                own["apiVersion"] = expected["apiVersion"].clone();
            }
            let found = differences(&own, &expected);
            if !found.is_empty() {
                wrong.push(format!("{identity:?}: {}", found.join(", ")));
            }
        }
        assert!(wrong.is_empty(), "{cluster}:\n{}", wrong.join("\n"));
        assert!(compared > 350, "{cluster}: only {compared} were compared");
    }
}

#[test]
fn a_history_is_as_the_live_member_told_it() {
    for cluster in ["prod-421", "cbc-421"] {
        let env = TestEnv::new();
        let snapshot = put(&env, cluster);
        let facts = facts(cluster);
        let histories = facts["history"].as_object().expect("is there");
        assert!(histories.len() > 5);
        for (key, expected) in histories {
            let mut parts = key.rsplit('/');
            let (name, namespace) = (parts.next(), parts.next());
            let (name, namespace) = (name.expect("a name"), namespace.expect("a namespace"));
            let kind = parts.next().expect("a resource");
            let ask = [
                "history", &snapshot, kind, "-n", namespace, name, "-o", "json",
            ];
            let told: Value = run(&env, &ask).ends_with(0).json();
            let told = told["items"].as_array().expect("is a list");
            let expected = expected.as_array().expect("is a list");
            assert_eq!(told.len(), expected.len(), "{cluster}: {key}");
            for (told, expected) in told.iter().zip(expected) {
                let is_deletion = expected["object"].is_null();
                assert_eq!(told["deleted"], is_deletion, "{cluster}: {key}: {told}");
                let revision = if is_deletion {
                    "seen_at_revision"
                } else {
                    "mod_revision"
                };
                assert_eq!(told["revision"], expected[revision], "{cluster}: {key}");
                let seen = expected["seen_at_revision"].to_string();
                let get = [
                    "get",
                    &snapshot,
                    kind,
                    "-n",
                    namespace,
                    name,
                    "--revision",
                    &seen,
                    "-o",
                    "json",
                ];
                let ran = run(&env, &get).ends_with(i32::from(is_deletion));
                if !is_deletion {
                    assert_eq!(told["version"], expected["version"], "{cluster}: {key}");
                    let found = differences(&ran.json(), &expected["object"]);
                    let found: Vec<_> = found
                        .iter()
                        .filter(|line| {
                            !line.starts_with(".kind") && !line.starts_with(".apiVersion")
                        })
                        .collect();
                    assert!(found.is_empty(), "{cluster}: {key} at {seen}: {found:?}");
                }
            }
        }
    }
}
