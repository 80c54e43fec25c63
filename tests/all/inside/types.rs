//! Every kind that is stored as protobuf, out of a snapshot and through the command.

use super::clusters::{get_all, text};
use super::made::{self, FIRST};
use crate::cli::environment::TestEnv;
use crate::objects::equal::differences;
use crate::objects::types::rows;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Where API servers store what, as the program has it.
const RESOURCES: &str = include_str!("../../../src/objects/resources.txt");

/// The key of an object of this kind, and the name by which the kind is asked for; `None` for what is never stored.
fn place(group: &str, kind: &str, name: &str) -> Option<(String, String)> {
    let group = if group.is_empty() { "-" } else { group };
    let mut rows = RESOURCES.lines().map(|line| line.split(' ').collect());
    let row: Vec<&str> = rows.find(|row: &Vec<&str>| row[2..].starts_with(&[group, kind]))?;
    let root = match row[0].strip_prefix("openshift.io:") {
        Some(path) => format!("/openshift.io/{path}"),
        None => format!("/kubernetes.io/{}", row[0]),
    };
    let namespace = if row[4] == "namespaced" { "/shop" } else { "" };
    let asked = match group {
        "-" => row[1].to_owned(),
        group => format!("{}.{group}", row[1]),
    };
    Some((format!("{root}{namespace}/{name}"), asked))
}

/// Adds what is not stored and served all the same.
fn serve(object: &mut Value, revision: &str) {
    object["metadata"]["resourceVersion"] = revision.into();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let phase = match &*kind {
        "Namespace" => "Active",
        "PersistentVolume" | "PersistentVolumeClaim" => "Pending",
        _ => "",
    };
    if !phase.is_empty() && object["status"]["phase"].is_null() {
        object["status"]["phase"] = phase.into();
    }
    let templates = object["spec"].get_mut("volumeClaimTemplates");
    for template in templates
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        template["apiVersion"] = "v1".into();
        template["kind"] = "PersistentVolumeClaim".into();
    }
}

#[test]
fn every_stored_kind_comes_out_as_its_api_prints_it() {
    let (mut objects, mut expected, mut kinds) = (Vec::new(), Vec::new(), BTreeSet::new());
    for row in rows() {
        let version = row.json["apiVersion"].as_str().expect("a version");
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let kind = row.json["kind"].as_str().expect("a kind");
        // Some are asked of an API server and never stored.
        let Some((key, asked)) = place(group, kind, &format!("r{}", objects.len())) else {
            continue;
        };
        objects.push((key, row.stored));
        expected.push((row.kind, row.json));
        kinds.insert(asked);
    }
    let env = TestEnv::new();
    let snapshot = made::put(&env, "types", &objects);
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let kinds = kinds.join(",");
    let list: Value = get_all(&env, &snapshot, &kinds).ends_with(0).json();
    let items = list["items"].as_array().expect("is a list").iter();
    let own: HashMap<&str, &Value> = items
        .map(|item| (text(item, "/metadata/resourceVersion"), item))
        .collect();
    let mut wrong = Vec::new();
    for ((kind, mut expected), revision) in expected.into_iter().zip(FIRST..) {
        let revision = revision.to_string();
        let Some(own) = own.get(&*revision) else {
            wrong.push(format!("{kind}: is not told"));
            continue;
        };
        serve(&mut expected, &revision);
        let found = differences(own, &expected);
        if !found.is_empty() {
            wrong.push(format!("{kind}: {}", found.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(own.len() > 600, "{}", own.len());
}
